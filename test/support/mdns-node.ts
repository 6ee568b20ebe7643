import { clock } from "../../adapters/machine/clock.ts";
import { net } from "../../adapters/machine/net.ts";
import { startAdvertiser } from "../../src/discovery/advertise.ts";
import { browse } from "../../src/discovery/browse.ts";
import type { Names } from "../../src/discovery/names.ts";
import type { Found } from "../../src/discovery/resolve.ts";
import type { Advertisement } from "../../src/discovery/service.ts";
import type { NetInterface } from "../../src/host/host.ts";
import { createLogger } from "../../src/kit/log.ts";
import { flood, type Flood } from "./dns-flood.ts";
import { launch, type Running } from "./launch.ts";
import type { Side } from "./netns.ts";
import { runtime } from "./runtime.ts";

/** What a process that only does multicast DNS is to do; without it the process is the test itself. */
type Order =
  | { readonly on: string; readonly advertise: Advertisement }
  | { readonly on: string; readonly flood: Flood }
  | { readonly on: string; readonly browse: { readonly types: readonly string[]; readonly timeoutMs: number } };

const variable = "CLAWLET_TEST_MDNS";

/** Does what this process was started for; answers false when that is the test. */
export async function runMdnsNode(): Promise<boolean> {
  const text = process.env[variable];
  if (!text) return false;
  const order = JSON.parse(text) as Order; // our own text, of `startOn`
  const interfaces = ({ name }: NetInterface): boolean => name === order.on;
  const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  if ("browse" in order) {
    print(await browse({ net, clock }, { ...order.browse, interfaces }));
    return true;
  }
  if ("flood" in order) {
    print(await flood(order.flood));
    return true;
  }
  const log = createLogger(Date.now, [
    ({ message, fields }) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  ]);
  const advertiser = await startAdvertiser({ net, clock }, order.advertise, { log, interfaces, renamed: print });
  print(advertiser.names);
  process.once("SIGTERM", () => void advertiser.close());
  return true;
}

/** Announces a service on one side until it is ended, with the runtime of this test. */
export function advertiseOn(
  side: Side,
  testFile: string,
  advertise: Advertisement,
): Running & { names(): Names | undefined } {
  const running = startOn(side, testFile, { on: side.interfaceName, advertise });
  const names = (): Names | undefined => {
    const line = running.stdout().trim().split("\n").at(-1);
    return line ? (JSON.parse(line) as Names) : undefined; // what `runMdnsNode` printed
  };
  return { ...running, names };
}

/** What is found from one side. */
export async function browseOn(side: Side, testFile: string, types: readonly string[]): Promise<readonly Found[]> {
  const running = startOn(side, testFile, { on: side.interfaceName, browse: { types, timeoutMs: 3000 } });
  await running.exited;
  if (running.stdout() === "") throw new Error(running.stderr());
  return JSON.parse(running.stdout()) as readonly Found[]; // what `runMdnsNode` printed
}

/** Floods the network from one side. */
export function floodFrom(side: Side, testFile: string, what: Omit<Flood, "from">): Running {
  return startOn(side, testFile, { on: side.interfaceName, flood: { ...what, from: side.address4 } });
}

function startOn(side: Side, testFile: string, order: Order): Running {
  const leading = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const program = side.command([process.execPath, ...leading, testFile]);
  return launch([], process.env["HOME"] ?? "/root", { program, env: { [variable]: JSON.stringify(order) } });
}
