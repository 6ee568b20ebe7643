// Figures of a running gateway, each with its ratio to a bare server on the same runtime (bare.ts).
//   bun scripts/bench/gateway.ts [--runtime bun,deno,node,node24] [--seconds 3] [--sockets 1000]
// Run on an idle machine with two cores or more: the load comes from this process, on the other core.
import { spawn } from "node:child_process";
import mri from "mri";
import { loadIdentity } from "../../src/pairing/identity.ts";
import { signedText } from "../../src/protocol/signature.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import {
  ask,
  chosenRuntimes,
  dial,
  freePort,
  hello,
  median,
  residentMb,
  sleep,
  start,
  startGateway,
} from "./process.ts";
import type { Runtime, Started } from "./process.ts";

interface Figures {
  listeningMs: number;
  helloMs: number;
  idleMb: number;
  roundTrips: number;
  pipelined: number;
  fanOut: number;
}

const options = mri(process.argv.slice(2), { string: ["runtime", "seconds", "sockets"] });
const seconds = Number(options["seconds"] || 3);
const sockets = Number(options["sockets"] || 1000);
for (const [name, runtime] of await chosenRuntimes(String(options["runtime"] || ""))) {
  const product = await measureGateway(runtime);
  const bare = await measureBare(runtime, product.answerBytes, product.eventBytes);
  const cli = await measureCommand(runtime);
  print(`\n${name}`);
  row("start to listening", `${product.listeningMs.toFixed(0)} ms`, `bare ${bare.listeningMs.toFixed(0)} ms`);
  row("start to hello-ok", `${product.helloMs.toFixed(0)} ms`);
  row("idle resident memory", `${product.idleMb.toFixed(1)} MB`, `bare ${bare.idleMb.toFixed(1)} MB`);
  row("health, one at a time", `${product.roundTrips.toFixed(0)} /s`, ratio(product.roundTrips, bare.roundTrips));
  row("health, 32 deep", `${product.pipelined.toFixed(0)} /s`, ratio(product.pipelined, bare.pipelined));
  row(`fan-out to ${sockets}`, `${product.fanOut.toFixed(0)} deliveries/s`, ratio(product.fanOut, bare.fanOut));
  row("gateway health, whole command", `${cli.toFixed(0)} ms`);
}
process.exit(0);

async function measureGateway(runtime: Runtime): Promise<Figures & { answerBytes: number; eventBytes: number }> {
  const listening: number[] = [];
  const hellos: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const server = await startGateway(runtime);
    const socket = await hello(server.port);
    listening.push(server.listeningMs);
    hellos.push(performance.now() - server.startedAt);
    socket.close();
    await server.stop();
  }
  const server = await startGateway(runtime);
  await sleep(1500);
  const idleMb = residentMb(server.child);
  const request = (id: string) => JSON.stringify({ type: "req", id, method: "health" });
  const first = await hello(server.port);
  const answerBytes = (await ask(first, request("size"))).length;
  const roundTrips = await rate(first, request("health-1"), 1);
  const pipelined = await rate(first, request("health-1"), 32);
  const stats = { cpuCount: 2, memoryTotalBytes: 8_000_000_000, memoryFreeBytes: 4_000_000_000 };
  const params = { event: "node.host.stats", payload: stats };
  const event = JSON.stringify({ type: "req", id: "e", method: "node.event", params });
  const { perSecond, bytes } = await fanOut(() => hello(server.port), await helloAsNode(server.port), event);
  await server.stop();
  return {
    listeningMs: median(listening),
    helloMs: median(hellos),
    idleMb,
    roundTrips,
    pipelined,
    fanOut: perSecond,
    answerBytes,
    eventBytes: bytes,
  };
}

async function measureBare(
  runtime: Runtime,
  answerBytes: number,
  eventBytes: number,
): Promise<Omit<Figures, "helloMs">> {
  const listening: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const server = await startBare(runtime, answerBytes);
    listening.push(server.listeningMs);
    await server.stop();
  }
  const server = await startBare(runtime, answerBytes);
  await sleep(1500);
  const idleMb = residentMb(server.child);
  const socket = await dial(server.port);
  const message = JSON.stringify({ type: "req", id: "health-1", method: "health" });
  const roundTrips = await rate(socket, message, 1);
  const pipelined = await rate(socket, message, 32);
  socket.close();
  await server.stop();
  const other = await startBare(runtime, eventBytes);
  const { perSecond } = await fanOut(() => dial(other.port), await dial(other.port), "fan");
  await other.stop();
  return { listeningMs: median(listening), idleMb, roundTrips, pipelined, fanOut: perSecond };
}

/** `gateway health` as a whole process, against a running gateway. */
async function measureCommand(runtime: Runtime): Promise<number> {
  const server = await startGateway(runtime);
  const times: number[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const started = performance.now();
    const [program, ...args] = [...runtime.gateway, "gateway", "health"] as const;
    const child = spawn(program, args, {
      stdio: "ignore",
      env: { ...process.env, HOME: server.home, OPENCLAW_GATEWAY_PORT: String(server.port) },
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    if (code !== 0) throw new Error(`gateway health ended with ${String(code)}`);
    times.push(performance.now() - started);
  }
  await server.stop();
  return median(times.slice(1));
}

async function startBare(runtime: Runtime, bytes: number): Promise<Started> {
  const port = await freePort();
  return start([...runtime.bare, String(port), String(bytes)], { port });
}

/** A node may tell of itself as often as it likes, and every operator hears it. */
async function helloAsNode(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const nonce = await new Promise<string>((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data)).payload.nonce), { once: true });
  });
  const identity = await loadIdentity(createMemoryStore());
  const client = { id: "node-host", version: "bench", platform: "linux", mode: "node" };
  const signedAt = Date.now();
  const signature = await identity.sign(
    signedText(3, {
      deviceId: identity.deviceId,
      clientId: client.id,
      clientMode: client.mode,
      role: "node",
      scopes: [],
      signedAt,
      token: "",
      nonce,
      platform: "linux",
      deviceFamily: "",
    }),
  );
  const device = { id: identity.deviceId, publicKey: identity.publicKey, signature, signedAt, nonce };
  const params = { minProtocol: 4, maxProtocol: 4, client, role: "node", device };
  const answer = await ask(socket, JSON.stringify({ type: "req", id: "c", method: "connect", params }));
  if (!answer.includes('"hello-ok"')) throw new Error(answer);
  return socket;
}

/** Answers per second with `depth` requests always under way. */
async function rate(socket: WebSocket, message: string, depth: number): Promise<number> {
  let answers = 0;
  let running = true;
  socket.addEventListener("message", () => {
    answers++;
    if (running) socket.send(message);
  });
  for (let index = 0; index < depth; index++) socket.send(message);
  await sleep(500);
  const [from, since] = [answers, performance.now()];
  await sleep(seconds * 1000);
  const perSecond = ((answers - from) * 1000) / (performance.now() - since);
  running = false;
  await sleep(200);
  return perSecond;
}

/** Deliveries per second of events sent to every socket, four under way at a time. */
async function fanOut(
  open: () => Promise<WebSocket>,
  sender: WebSocket,
  trigger: string,
): Promise<{ perSecond: number; bytes: number }> {
  const all: WebSocket[] = [];
  while (all.length < sockets) {
    all.push(...(await Promise.all(Array.from({ length: Math.min(16, sockets - all.length) }, open))));
  }
  let [deliveries, bytes, running] = [0, 0, true];
  const [first] = all;
  if (!first) throw new Error("--sockets: give 1 or more");
  for (const socket of all) {
    socket.addEventListener("message", ({ data }) => {
      const text = String(data);
      if (text.startsWith('{"type":"res"')) return;
      deliveries++;
      if (socket !== first) return;
      bytes = text.length;
      if (running) sender.send(trigger);
    });
  }
  for (let index = 0; index < 4; index++) sender.send(trigger);
  await sleep(500);
  const [from, since] = [deliveries, performance.now()];
  await sleep(seconds * 1000);
  const perSecond = ((deliveries - from) * 1000) / (performance.now() - since);
  running = false;
  await sleep(500);
  for (const socket of all) socket.close();
  return { perSecond, bytes };
}

function ratio(product: number, bare: number): string {
  return `${((product / bare) * 100).toFixed(0)} % of a bare server's ${bare.toFixed(0)}`;
}

function row(name: string, figure: string, note = ""): void {
  print(`  ${name.padEnd(32)}${figure.padStart(22)}   ${note}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
