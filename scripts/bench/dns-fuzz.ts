// How late a gateway is that announces itself by multicast DNS, in quiet and under a flood of malformed packets.
//   bun scripts/bench/dns-fuzz.ts [--runtime binary,bun,deno,node,node24] [--seconds 15] (as root, on Linux)
// Gateway and client run on one side of a network of two namespaces, the flood comes from the other, as fast as it can.
// Measured are the time of a `health` call on an open connection, one every 10 ms, and what the gateway says of its own
// event loop: how late a timer of one second ran, in the last minute. Of the packets the kernel drops what does not fit
// into the socket's queue; of the rest the gateway reads a hundred a second.
import { readFileSync } from "node:fs";
import mri from "mri";
import { flood } from "../../test/support/dns-flood.ts";
import { startGateway, until } from "../../test/support/gateway-process.ts";
import type { Running } from "../../test/support/launch.ts";
import { openNetwork, type Network, type Side } from "../../test/support/netns.ts";
import { openRpc, type RpcPayload } from "../../test/support/rpc-client.ts";
import { chosenSubjects } from "./subject.ts";

const options = mri(process.argv.slice(2), { string: ["runtime", "seconds", "flood", "call"] });
const token = "a-token-of-this-measurement";
const port = 18_789;
const seconds = Number(options["seconds"] || 15);

if (options["flood"]) {
  const about = { instance: "near (OpenClaw)", hostname: "near" };
  print(String(await flood({ from: options["flood"], about, packets: Infinity, ms: seconds * 1000 })));
} else if (options["call"]) await call(options["call"]);
else {
  const network = await openNetwork();
  if ("skipped" in network) throw new Error(network.skipped);
  for (const { name, gateway } of await chosenSubjects(options["runtime"] ?? ""))
    await measure(name, gateway, network).catch((error: unknown) => print(`${name}: ${String(error)}`));
  await network.close();
  process.exit(0);
}

async function measure(name: string, command: readonly string[], { near, far }: Network): Promise<void> {
  const config = { gateway: { mode: "local", auth: { token } } };
  const gateway = await startGateway({ port, config, args: ["--bind", "lan"], program: near.command(command) });
  await until("announcement", () => gateway.stdout().includes("✓ announcing") || undefined, 15_000);
  const quiet = play(near, "--call", gateway.url);
  await pause(seconds * 1000);
  await quiet.end();
  const caller = play(near, "--call", gateway.url);
  const dropped = droppedByKernel(gateway.pid);
  const flooder = play(far, "--flood", far.address4);
  await flooder.exited;
  const lost = droppedByKernel(gateway.pid) - dropped;
  await caller.end();
  const sent = Number(flooder.stdout());
  print(`${name.padEnd(9)} quiet: ${quiet.stdout().trim()}${quiet.stderr()}`);
  print(`${" ".repeat(9)} flood: ${caller.stdout().trim()}${caller.stderr()}`);
  print(`${" ".repeat(9)} ${(sent / seconds).toFixed(0)} packets a second; of ${sent} the kernel dropped ${lost}`);
  await gateway.stop();
}

/** Another process of this script, on one side. */
function play(side: Side, ...role: readonly string[]): Running {
  return side.start([process.execPath, "scripts/bench/dns-fuzz.ts", "--seconds", String(seconds), ...role]);
}

/** Calls until it is ended, then says how long that took. */
async function call(url: string): Promise<void> {
  const rpc = await openRpc(url, { auth: { token } });
  const times: number[] = [];
  let ended = false;
  let loop: RpcPayload;
  process.once("SIGTERM", () => void (ended = true));
  const next = async (): Promise<void> => {
    const started = performance.now();
    const health: RpcPayload = await rpc.call("health");
    times.push(performance.now() - started);
    loop = health.eventLoop;
    if (!ended) return pause(10).then(next);
  };
  await next();
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  print(
    `health p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms; event loop p99 ${loop.delayP99Ms}, max ${loop.delayMaxMs} ms`,
  );
  rpc.close();
}

/** The last column of the sockets that are bound to port 5353 in the process's network. */
function droppedByKernel(pid: number): number {
  return ["udp", "udp6"]
    .flatMap((family) => readFileSync(`/proc/${pid}/net/${family}`, "utf8").split("\n"))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.endsWith(":14E9"))
    .reduce((sum, columns) => sum + Number(columns.at(-1)), 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
