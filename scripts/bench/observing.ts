// What metrics and traces cost: calls a second, and the gateway's own processor time for each, with both off and with
// each of them on. The gateways are asked in turn, so that a busy machine slows all of them.
//   bun scripts/bench/observing.ts [--runtime binary,bun,deno,node,node24] [--seconds 2] [--rounds 5]
import { readFileSync, rmSync } from "node:fs";
import mri from "mri";
import { hello, isResponse } from "./caller.ts";
import { makeHome, median, residentMb, startGateway, type Started } from "./process.ts";
import { chosenSubjects } from "./subject.ts";

const options = mri(process.argv.slice(2), { string: ["runtime", "seconds", "rounds"] });
const seconds = Number(options["seconds"] || 2);
const rounds = Number(options["rounds"] || 5);
const depth = 32;

const traces = { enabled: true, endpoint: "http://127.0.0.1:1" };
const setups = { off: {}, metrics: { metrics: { enabled: true } }, traces: { otel: traces } };

interface Measured {
  readonly name: string;
  readonly server: Started;
  readonly socket: WebSocket;
  readonly home: string;
  readonly perSecond: number[];
  readonly microseconds: number[];
}

for (const subject of await chosenSubjects(String(options["runtime"] || "bun"))) {
  const gateways: Measured[] = [];
  for (const [name, diagnostics] of Object.entries(setups)) {
    const home = makeHome({ diagnostics });
    const server = await startGateway(subject, { home });
    gateways.push({ name, server, socket: await hello(server.port), home, perSecond: [], microseconds: [] });
  }
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) for (const each of gateways) await measure(each, round > 0);
  process.stdout.write(`\n${subject.name}\n`);
  for (const { name, perSecond, microseconds, server } of gateways) {
    const figures = `${median(perSecond).toFixed(0).padStart(8)} calls/s  ${median(microseconds).toFixed(1).padStart(6)} µs each`;
    process.stdout.write(`  ${name.padEnd(8)}${figures}  ${residentMb(server.child).toFixed(1)} MB\n`);
  }
  for (const { socket, server, home } of gateways) {
    socket.close();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
process.exit(0);

/** Keeps so many calls on their way for some seconds. */
async function measure({ socket, server, perSecond, microseconds }: Measured, counts: boolean): Promise<void> {
  const text = JSON.stringify({ type: "req", id: "1", method: "health" });
  const [since, cpu] = [performance.now(), cpuMicroseconds(server)];
  let answered = 0;
  await new Promise<void>((resolve) => {
    let open = depth;
    const listen = ({ data }: MessageEvent): void => {
      if (!isResponse(data)) return;
      answered++;
      if (performance.now() - since < seconds * 1000) return socket.send(text);
      if (--open > 0) return;
      socket.removeEventListener("message", listen);
      resolve();
    };
    socket.addEventListener("message", listen);
    for (let call = 0; call < depth; call++) socket.send(text);
  });
  if (!counts) return;
  perSecond.push((answered / (performance.now() - since)) * 1000);
  microseconds.push((cpuMicroseconds(server) - cpu) / answered);
}

/** User and system time of the process so far; the kernel counts in hundredths of a second. */
function cpuMicroseconds({ child }: Started): number {
  const after = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(after[11]) + Number(after[12])) * 10_000;
}
