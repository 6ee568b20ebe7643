// Keeps a gateway busy for a long time and prints how its memory goes: many sessions, streamed answers, aborts,
// clients that come and go.
//   bun scripts/bench/soak.ts [--runtime bun] [--minutes 30] [--sessions 1000] [--clients 20] [--rate 25] [--turns 100]
// Runtimes as in subject.ts, one after the other. What is live is known where heap.ts can be loaded.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import mri from "mri";
import { makeHome, startGateway, type GatewayProcess } from "../../test/support/gateway-process.ts";
import { openRpc, type RpcClient } from "../../test/support/rpc-client.ts";
import { chosenSubjects } from "./subject.ts";

const options = mri(process.argv.slice(2), { string: ["runtime", "minutes", "sessions", "clients", "rate", "turns"] });
const minutes = Number(options["minutes"] || 30);
const sessions = Number(options["sessions"] || 1000);
const clients = Number(options["clients"] || 20);
/** Messages a second, over all clients. */
const rate = Number(options["rate"] || 25);
/** How many messages a conversation has, on the average, before it begins anew; fewer, and their length is soon steady. */
const turns = Number(options["turns"] || 100);

const probe = resolve(".test/bench/heap.js");
await build({ entryPoints: ["./scripts/bench/heap.ts"], outfile: probe, format: "esm", logLevel: "warning" });
for (const { name, gateway } of await chosenSubjects(String(options["runtime"] || "bun"))) {
  print(`\n${name}`);
  await soak(gateway);
}
process.exit(0);

/** How much memory there was when. */
interface Sample {
  readonly minute: number;
  readonly mb: number;
}

/** One gateway under load, and the clients that put it there. */
interface Soak {
  readonly gateway: GatewayProcess;
  readonly ends: number;
  readonly counts: ReturnType<typeof noCounts>;
}

function noCounts() {
  return { sent: 0, answered: 0, aborted: 0, failed: 0, reconnects: 0, errors: new Map<string, number>() };
}

async function soak(program: readonly string[]): Promise<void> {
  const home = makeHome();
  const heapFile = join(home, "heap.txt");
  const model = await serveModel();
  const gateway = await startGateway({
    home,
    args: [],
    program: withProbe(program),
    env: {
      HEAP_FILE: heapFile,
      HEAP_EVERY_MS: String((minutes * 60_000) / 20),
      BUN_OPTIONS: `--preload ${probe}`,
      NODE_OPTIONS: `--import ${probe}`,
    },
    config: {
      gateway: { mode: "local", auth: { mode: "token", token: "soak" } },
      models: {
        providers: {
          double: {
            baseUrl: `${model.url}/v1`,
            apiKey: "not-a-secret",
            api: "openai-completions",
            models: [{ id: "m1", name: "m1", contextWindow: 32_000, maxTokens: 4096, reasoning: false }],
          },
        },
      },
      agents: { defaults: { model: { primary: "double/m1" }, maxConcurrent: 32 } },
    },
  });
  const began = performance.now();
  const running: Soak = { gateway, ends: began + minutes * 60_000, counts: noCounts() };
  const resident: Sample[] = [];
  const sample = (): void => {
    const pages = Number(readFileSync(`/proc/${gateway.pid}/statm`, "utf8").split(" ")[1]);
    resident.push({ minute: (performance.now() - began) / 60_000, mb: (pages * 4096) / 1024 / 1024 });
  };
  const sampler = setInterval(sample, (minutes * 60_000) / 180);
  try {
    sample();
    await Promise.all(Array.from({ length: clients }, (_, number) => client(running, number)));
    report(running.counts, resident, existsSync(heapFile) ? liveIn(readFileSync(heapFile, "utf8")) : []);
  } finally {
    clearInterval(sampler);
    await gateway.stop();
    model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Deno takes what the others read from their environment as arguments. */
function withProbe(program: readonly string[]): readonly string[] {
  const at = program.indexOf("run") + 1;
  return at === 0 ? program : program.toSpliced(at, 0, "--v8-flags=--expose-gc", "--preload", probe);
}

/** One client: it talks in its share of the sessions, stops some answers, and reconnects now and then. */
async function client({ gateway, ends, counts }: Soak, number: number): Promise<void> {
  const note = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    counts.errors.set(text, (counts.errors.get(text) ?? 0) + 1);
  };
  let turn = 0;
  while (performance.now() < ends) {
    const rpc = await openRpc(gateway.url, { auth: { token: "soak" } });
    rpc.onEvent((event, payload) => {
      if (event !== "chat") return;
      if (payload.state === "final") counts.answered++;
      if (payload.state === "aborted") counts.aborted++;
      if (payload.state !== "error") return;
      counts.failed++;
      note(payload.errorMessage);
    });
    const until = Math.min(ends, performance.now() + 30_000 + Math.random() * 60_000);
    while (performance.now() < until) {
      try {
        await talk(rpc, `agent:main:soak-${(number + clients * turn++) % sessions}`);
        counts.sent++;
      } catch (error) {
        note(error);
      }
      await pause((1000 * clients) / rate);
    }
    rpc.close();
    await rpc.closed;
    counts.reconnects++;
  }
}

async function talk(rpc: RpcClient, sessionKey: string): Promise<void> {
  const idempotencyKey = crypto.randomUUID();
  await rpc.call("chat.send", { sessionKey, message: `tell me something ${idempotencyKey}`, idempotencyKey });
  if (Math.random() < 0.1) {
    await pause(Math.random() * 100);
    await rpc.call("chat.abort", { sessionKey });
  }
  if (Math.random() < 0.2) await rpc.call("chat.history", { sessionKey, limit: 50 });
  if (Math.random() < 0.1) await rpc.call("sessions.list", { limit: 50, includeLastMessage: true });
  if (Math.random() < 1 / turns) await rpc.call("sessions.reset", { key: sessionKey });
}

/** What heap.ts wrote: a line for each look. */
function liveIn(text: string): readonly Sample[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [minute, mb] = line.split(" ");
      return { minute: Number(minute), mb: Number(mb) };
    });
}

function report(counts: Soak["counts"], resident: readonly Sample[], live: readonly Sample[]): void {
  // Every client that is there hears of every answer.
  const { sent, answered, aborted, failed, reconnects, errors } = counts;
  print(`  ${sent} messages in ${sessions} sessions by ${clients} clients, ${reconnects} reconnects`);
  print(`  heard: ${answered} answers, ${aborted} stopped, ${failed} failed`);
  for (const [text, count] of errors) print(`  ${count} times: ${text}`);
  print("     minute   resident   live after a full collection");
  const every = Math.max(1, Math.floor(resident.length / 20));
  for (const { minute, mb } of resident.filter((_, at) => at % every === 0)) {
    const look = live.findLast((each) => each.minute <= minute);
    print(`  ${column(minute)} ${column(mb)} MB ${look ? `${column(look.mb)} MB` : ""}`);
  }
  print(`  resident: ${trend(resident)}`);
  print(`  live: ${live.length > 2 ? trend(live) : "not known, heap.ts was not loaded"}`);
}

function column(value: number): string {
  return value.toFixed(1).padStart(9);
}

/** Where it was and went in the last two thirds, when what is filled once is filled. */
function trend(samples: readonly Sample[]): string {
  const late = samples.filter(({ minute }) => minute >= minutes / 3);
  const values = late.map(({ mb }) => mb);
  const sizes = `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} MB`;
  return `${sizes} in the last two thirds, slope ${(slope(late) * 60).toFixed(2)} MB an hour`;
}

/** Least squares: megabytes a minute. */
function slope(points: readonly Sample[]): number {
  const mean = (of: (point: Sample) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ minute }) => minute), mean(({ mb }) => mb)];
  return mean(({ minute, mb }) => (minute - x) * (mb - y)) / mean(({ minute }) => (minute - x) ** 2);
}

/** A model server that streams some forty words, a few milliseconds apart. */
async function serveModel(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => void stream(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the model server has no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (delta: object, finish: string | null = null, more: object = {}): void => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", choices, ...more };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  for (let word = 0; word < 40; word++) {
    if (response.destroyed) return;
    say({ content: `word${word} ` });
    await pause(Math.random() * 6);
  }
  say({}, "stop", { usage: { prompt_tokens: 900, completion_tokens: 60, total_tokens: 960 } });
  response.end("data: [DONE]\n\n");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
