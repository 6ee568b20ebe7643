import type { CommandContext } from "../commands/command.ts";
import { writeZone } from "../discovery/zone-file.ts";
import type { Host } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";

/** What a DNS server of this machine needs to know to serve the zone to the tailnet. */
export interface DnsPlan {
  /** With its dot at the end. */
  readonly domain: string;
  readonly zonePath: string;
  /** This machine's tailnet addresses; empty while it is in no tailnet. */
  readonly addresses: readonly string[];
}

/** The server block of CoreDNS: on the tailnet addresses alone, so that nobody else can ask it. */
export function corefile({ domain, zonePath, addresses }: DnsPlan): string {
  return [
    `${domain}:53 {`,
    ...(addresses.length > 0 ? [`  bind ${addresses.join(" ")}`] : []),
    `  file ${quoted(zonePath)} {`,
    "    reload 10s",
    "  }",
    "  errors",
    "}",
    "",
  ].join("\n");
}

/** The same for NSD, which distributions of Linux have. */
export function nsdConfig({ domain, zonePath, addresses }: DnsPlan): string {
  return [
    "server:",
    ...addresses.map((address) => `  ip-address: ${address}`),
    "zone:",
    `  name: ${domain.replace(/\.$/, "")}`,
    `  zonefile: ${quoted(zonePath)}`,
    "",
  ].join("\n");
}

/**
 * Installs CoreDNS with Homebrew, gives it the zone and starts it as root, for port 53 is root's. What the Corefile says
 * already stays; doing it again changes nothing. Answers what was done, a line each.
 */
export async function applyCoreDns(
  { host, flavour }: Pick<CommandContext, "host" | "flavour">,
  plan: DnsPlan,
): Promise<readonly string[]> {
  const { files } = host;
  const address = plan.addresses.find((each) => !each.includes(":"));
  if (address === undefined)
    throw new Failure(
      "unavailable",
      "This machine has no Tailscale IPv4 address: the DNS server would have none either.",
      {
        hints: ["Fix: tailscale up"],
      },
    );
  const done: string[] = [];
  if ((await brew(host, ["list", "--versions", "coredns"], { mayFail: true })).code !== 0) {
    await brew(host, ["install", "coredns"], { mayFail: false });
    done.push("installed CoreDNS");
  }
  const prefix = (await brew(host, ["--prefix"], { mayFail: false })).stdout.trim();
  const main = join(prefix, "etc/coredns/Corefile");
  const own = join(prefix, "etc/coredns/conf.d", `${plan.domain.replace(/\.$/, "")}.server`);
  const importLine = `import ${join(dirname(main), "conf.d/*.server")}`;
  await files.makeFolder(dirname(own));
  await files.write(own, corefile(plan), { mode: 0o644 });
  const before = (await files.read(main)) ?? "";
  if (!before.split("\n").includes(importLine))
    await files.write(main, `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${importLine}\n`, {
      mode: 0o644,
    });
  done.push(`wrote ${own}`);
  // CoreDNS does not serve a zone that is not there; the gateway writes itself into it when it starts.
  if ((await files.stat(plan.zonePath)) === undefined) {
    const facts = { product: flavour.id, domain: plan.domain, address, address6: ipv6Of(plan) };
    await writeZone(host, plan.zonePath, facts);
    done.push(`wrote ${plan.zonePath}`);
  }
  await sudo(host, ["brew", "services", "restart", "coredns"]);
  return [...done, "started CoreDNS"];
}

/** A path may have spaces in it, and a home folder on a Mac may have anything. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : JSON.stringify(path);
}

function ipv6Of({ addresses }: DnsPlan): string | undefined {
  return addresses.find((each) => each.includes(":"));
}

/** An installation may have to build. */
const brewMs = 15 * 60_000;

async function brew({ processes }: Host, args: readonly string[], { mayFail }: { mayFail: boolean }) {
  const result = await processes.run("brew", args, { timeoutMs: brewMs });
  if (result.code === 127)
    throw new Failure("failed", "Homebrew is not installed, which installs CoreDNS.", {
      hints: ["Fix: https://brew.sh"],
    });
  if (result.code === 0 || mayFail) return result;
  const reason = result.stderr.trim().split("\n").at(-1) ?? "";
  throw new Failure("failed", `brew ${args.join(" ")} failed (${result.code}): ${reason}`);
}

/** Shares the terminal, for sudo asks there for the password. */
async function sudo({ processes }: Host, args: readonly string[]): Promise<void> {
  const { code } = await processes.spawn("sudo", args).exited;
  if (code !== 0) throw new Failure("failed", `sudo ${args.join(" ")} failed (${code ?? "killed"})`);
}
