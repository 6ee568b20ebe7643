import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./gateway-process.ts";
import type { Running } from "./launch.ts";
import { expectOk, type Side } from "./netns.ts";

/** A service as Avahi resolves it, on one interface and over one protocol. */
export interface AvahiService {
  readonly protocol: "IPv4" | "IPv6";
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** `key=value`, as they stand in the TXT record. */
  readonly txt: readonly string[];
}

/** What runs until it is ended. */
export interface Started {
  end(): Promise<unknown>;
}

/** What goes on printing what Avahi sees come and go. */
export interface AvahiWatch extends Started {
  /** `+;` for a service that came, `=;` for one that was resolved, `-;` for one that went: a line each. */
  lines(): readonly string[];
}

/** Why there is no Avahi here, as `needs ...`; undefined when there is. */
export function missingAvahi(): string | undefined {
  const programs = ["/usr/sbin/avahi-daemon", "/usr/bin/avahi-browse", "/usr/bin/dbus-daemon"];
  return programs.every((path) => existsSync(path))
    ? undefined
    : "needs Avahi (apt-get install avahi-daemon avahi-utils dbus)";
}

/** Starts a D-Bus and an Avahi for this side alone, and waits until Avahi knows its host name. */
export async function startAvahi(side: Side): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-avahi-"));
  const configuration = join(folder, "avahi-daemon.conf");
  writeFileSync(configuration, configurationOf(side));
  await expectOk(side.run(["mkdir", "-p", "/run/dbus"]));
  const bus = side.start(["dbus-daemon", "--system", "--nofork", "--nopidfile", "--print-address=1"]);
  await said(bus, /^unix:/m);
  const daemon = side.start([
    "avahi-daemon",
    "--no-drop-root",
    "--no-chroot",
    "--no-rlimits",
    `--file=${configuration}`,
  ]);
  await said(daemon, /Server startup complete/);
  return {
    async end() {
      await daemon.end();
      await bus.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * What Avahi finds of a type, such as `_openclaw-gw._tcp`, resolved. It waits for long when a service goes while it is
 * being resolved: what it has seen after some seconds is the answer then.
 */
export async function avahiBrowse(side: Side, type: string): Promise<readonly AvahiService[]> {
  const browse = ["avahi-browse", "--resolve", "--parsable", "--terminate", type];
  const seen = await side.run(["timeout", "5", ...browse]);
  return parseAvahi(seen.status === TIMED_OUT ? seen.stdout : await expectOk(Promise.resolve(seen)));
}

/** What timeout(1) ends with when it had to end the other. */
const TIMED_OUT = 124;

/** Watches a type for as long as it is not ended. */
export function avahiWatch(side: Side, type: string): AvahiWatch {
  const running = side.start(["avahi-browse", "--resolve", "--parsable", type]);
  return { lines: () => running.stdout().split("\n").filter(Boolean), end: () => running.end() };
}

/** Lets Avahi announce a service until it is ended; resolves when the name is established. */
export async function avahiPublish(
  side: Side,
  { name, type, port, txt = [] }: { name: string; type: string; port: number; txt?: readonly string[] },
): Promise<Started> {
  const running = side.start(["avahi-publish", "--service", name, type, String(port), ...txt]);
  await said(running, /Established under name/);
  return { end: () => running.end() };
}

/** Reads `avahi-browse --parsable`: the lines of services that were resolved. */
export function parseAvahi(output: string): readonly AvahiService[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("="))
    .map((line) => {
      // The name's own separators are escaped as `\059`; the TXT strings come last and are quoted.
      const [, , protocol, name = "", type = "", domain = "", host = "", address = "", port, ...txt] = line.split(";");
      return {
        protocol: protocol === "IPv6" ? ("IPv6" as const) : ("IPv4" as const),
        name: unescaped(name),
        type,
        domain,
        host,
        address,
        port: Number(port),
        txt: Array.from(txt.join(";").matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, text = ""]) => unescaped(text)),
      };
    });
}

/** `\032` is the byte 32, and `\.` a point. */
function unescaped(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  const plain = bytes.replace(/\\(?:(\d{3})|(.))/g, (_, code: string | undefined, char: string) =>
    code === undefined ? char : String.fromCharCode(Number(code)),
  );
  return Buffer.from(plain, "latin1").toString("utf8");
}

function configurationOf(side: Side): string {
  return `[server]
host-name=${side.name}
use-ipv4=yes
use-ipv6=yes
allow-interfaces=${side.interfaceName}
disallow-other-stacks=no

[wide-area]
enable-wide-area=no

[publish]
publish-hinfo=no
publish-workstation=no
`;
}

async function said(running: Running, what: RegExp): Promise<void> {
  const text = (): string => `${running.stdout()}\n${running.stderr()}`;
  await until(String(what), () => what.test(text()) || undefined, 15_000).catch((error: unknown) => {
    running.child.kill("SIGKILL");
    throw new Error(`${String(error)}\n${text()}`, { cause: error });
  });
}
