// Keeps a gateway busy for a long time and prints how its memory goes: many sessions, streamed answers, aborts,
// clients that come and go.
//   bun scripts/bench/soak.ts [--minutes 30] [--sessions 1000] [--clients 20] [--rate 25]
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import mri from "mri";
import { makeHome, startGateway } from "../../test/support/gateway-process.ts";
import { openRpc, type RpcClient } from "../../test/support/rpc-client.ts";

const options = mri(process.argv.slice(2), { string: ["minutes", "sessions", "clients", "rate"] });
const minutes = Number(options["minutes"] ?? 30);
const sessions = Number(options["sessions"] ?? 1000);
const clients = Number(options["clients"] ?? 20);
/** Messages a second, over all clients. */
const rate = Number(options["rate"] ?? 25);

const counts = { sent: 0, answered: 0, aborted: 0, failed: 0, reconnects: 0, errors: new Map<string, number>() };
const home = makeHome();
const heapFile = join(home, "heap.txt");
const model = await serveModel();
const gateway = await startGateway({
  home,
  args: [],
  env: { HEAP_FILE: heapFile, BUN_OPTIONS: `--preload ${join(import.meta.dirname, "heap.ts")}` },
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
const samples: { readonly minute: number; readonly mb: number }[] = [];
let heap = "";
const began = performance.now();
const ends = began + minutes * 60_000;
const sampler = setInterval(sample, 10_000);
try {
  sample();
  await Promise.all(Array.from({ length: clients }, (_, n) => client(n)));
  sample();
  if (existsSync(heapFile)) heap = readFileSync(heapFile, "utf8");
} finally {
  clearInterval(sampler);
  await gateway.stop();
  model.close();
  rmSync(home, { recursive: true, force: true });
}
report();

/** One client: it talks in its share of the sessions, stops some answers, and reconnects now and then. */
async function client(number: number): Promise<void> {
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
      await talk(rpc, `agent:main:soak-${(number + clients * turn++) % sessions}`);
      await pause((1000 * clients) / rate);
    }
    rpc.close();
    await rpc.closed;
    counts.reconnects++;
  }
}

async function talk(rpc: RpcClient, sessionKey: string): Promise<void> {
  const idempotencyKey = crypto.randomUUID();
  try {
    await rpc.call("chat.send", { sessionKey, message: `tell me something ${idempotencyKey}`, idempotencyKey });
    counts.sent++;
    if (Math.random() < 0.1) {
      await pause(Math.random() * 100);
      await rpc.call("chat.abort", { sessionKey });
    }
    if (Math.random() < 0.2) await rpc.call("chat.history", { sessionKey, limit: 50 });
    if (Math.random() < 0.1) await rpc.call("sessions.list", { limit: 50, includeLastMessage: true });
    if (Math.random() < 0.01) await rpc.call("sessions.reset", { key: sessionKey });
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
  }
}

function note(text: string): void {
  counts.errors.set(text, (counts.errors.get(text) ?? 0) + 1);
}

function sample(): void {
  const pages = Number(readFileSync(`/proc/${gateway.pid}/statm`, "utf8").split(" ")[1]);
  samples.push({ minute: (performance.now() - began) / 60_000, mb: (pages * 4096) / 1024 / 1024 });
}

function report(): void {
  const late = samples.filter(({ minute }) => minute >= minutes / 3);
  const every = Math.max(1, Math.floor(samples.length / 20));
  // Every client that is there hears of every answer.
  const { sent, answered, aborted, failed, reconnects } = counts;
  print(`${sent} messages in ${sessions} sessions by ${clients} clients, ${reconnects} reconnects`);
  print(`heard: ${answered} answers, ${aborted} stopped, ${failed} failed`);
  for (const [text, count] of counts.errors) print(`${count} times: ${text}`);
  for (const { minute, mb } of samples.filter((_, at) => at % every === 0)) {
    print(`${minute.toFixed(1).padStart(6)} min ${mb.toFixed(1).padStart(7)} MB ${"█".repeat(Math.round(mb / 5))}`);
  }
  for (const line of heap.split("\n").filter(Boolean)) {
    const [minute = "", mb = ""] = line.split(" ");
    print(`${minute.padStart(6)} min ${mb.padStart(7)} MB live after a full collection`);
  }
  print(`slope of the last two thirds: ${(slope(late) * 60).toFixed(2)} MB an hour`);
}

/** Least squares: megabytes a minute. */
function slope(points: typeof samples): number {
  const mean = (of: (point: (typeof samples)[number]) => number): number =>
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
