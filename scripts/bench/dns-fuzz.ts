// How late an event loop is that advertises by multicast DNS, in quiet and under a flood of malformed packets.
//   bun scripts/bench/dns-fuzz.ts [--runtime bun,deno,node24] [--seconds 5]
// Uses the group 224.0.0.251 on `lo`. The flood comes from this process as fast as it can, the advertiser is another.
// Every 10 ms the advertiser looks how late it is: p50, p99 and maximum.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import mri from "mri";
import { clock } from "../../adapters/machine/clock.ts";
import { joinMulticast } from "../../adapters/machine/mdns.ts";
import { net } from "../../adapters/machine/net.ts";
import { startAdvertiser } from "../../src/discovery/advertise.ts";
import type { MulticastSocket } from "../../src/host/multicast.ts";
import { createLogger } from "../../src/kit/log.ts";
import { attacks, damaged, seeded } from "../../test/support/dns-noise.ts";

const options = mri(process.argv.slice(2), { string: ["runtime", "seconds", "advertise"] });
const seconds = Number(options["seconds"] || 5);
const everyMs = 10;
const runtimes: Readonly<Record<string, readonly string[]>> = {
  bun: ["node_modules/.bin/bun"],
  deno: ["node_modules/.bin/deno", "run", "-A", "--no-check"],
  node24: ["node_modules/node/bin/node", "--no-warnings"],
};

if (options["advertise"]) await advertise();
else {
  const chosen = String(options["runtime"] || Object.keys(runtimes).join(",")).split(",");
  for (const name of chosen) await measure(name, runtimes[name] ?? []);
  process.exit(0);
}

async function measure(name: string, [command = "", ...leading]: readonly string[]): Promise<void> {
  const child = spawn(command, [...leading, "scripts/bench/dns-fuzz.ts", "--advertise", "yes"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let lines = "";
  child.stdout.on("data", (data: Buffer) => void (lines += data.toString()));
  const line = async (): Promise<string> => {
    while (!lines.includes("\n")) await once(child.stdout, "data");
    const [first = "", ...rest] = lines.split("\n");
    lines = rest.join("\n");
    return first;
  };
  const report = async (what: string): Promise<void> => {
    child.stdin.write("report\n");
    print(`${name.padEnd(7)} ${what.padEnd(32)} ${await line()}`);
  };
  await line(); // it has announced itself
  child.stdin.write("report\n");
  await line();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await report("quiet");
  const perSecond = await flood(seconds * 1000);
  await report(`${perSecond.toFixed(0)} packets a second`);
  child.kill();
  await once(child, "exit");
}

/** Sends for this long; answers how many packets a second it was. */
async function flood(ms: number): Promise<number> {
  const random = seeded(5);
  const packets = [
    ...Object.values(attacks()).filter(({ length }) => length > 0),
    ...Array.from({ length: 200 }, () => damaged(random)),
  ];
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(5353 + 10_000, "127.0.0.1", resolve));
  socket.setMulticastInterface("127.0.0.1");
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < ms) {
    await Promise.all(
      packets.map((bytes) => new Promise<void>((resolve) => socket.send(bytes, 5353, "224.0.0.251", () => resolve()))),
    );
    sent += packets.length;
  }
  socket.close();
  return (sent * 1000) / (performance.now() - start);
}

async function advertise(): Promise<void> {
  let socket: MulticastSocket | undefined;
  const multicast: typeof joinMulticast = async (at, events) => (socket = await joinMulticast(at, events));
  const service = { types: ["_openclaw-gw._tcp"], instance: "bench", hostname: "bench", port: 18_789, txt: [] };
  await startAdvertiser({ net: { ...net, multicast }, clock }, service, {
    log: createLogger(Date.now, []),
    interfaces: ({ address }) => address === "127.0.0.1",
  });
  const late: number[] = [];
  let due = performance.now() + everyMs;
  setInterval(() => {
    const now = performance.now();
    late.push(Math.max(now - due, 0));
    due = now + everyMs;
  }, everyMs);
  print("ready");
  process.stdin.on("data", () => {
    const sorted = late.splice(0).sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
    const dropped = `dropped ${socket?.dropped.flooded} unread, ${socket?.dropped.malformed} malformed`;
    print(`p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; ${dropped}`);
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
