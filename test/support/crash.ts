import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { makeHome, startGateway, until, type GatewayProcess } from "./gateway-process.ts";
import { openRpc, type RpcClient, type RpcPayload } from "./rpc-client.ts";

/** What became of everything that was acknowledged, over many kills. */
export interface Scorecard {
  readonly kills: number;
  /** `chat.send` that was answered with ok, and those that were sent and not answered. */
  readonly acknowledged: number;
  readonly unanswered: number;
  /** Acknowledged messages that are in no transcript, or there more than once. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Acknowledged messages without an answer, or with more than one. */
  readonly notAnswered: readonly string[];
  readonly answeredTwice: readonly string[];
  /** Acknowledged `chat.inject` texts that are not there exactly once. */
  readonly injects: number;
  readonly injectsWrong: readonly string[];
  /** Files that were found damaged. */
  readonly damaged: readonly string[];
  /** Sessions that did not answer one more message at the end. */
  readonly stuck: readonly string[];
  /** From start to listening, in milliseconds. */
  readonly restartMs: { readonly median: number; readonly worst: number };
}

export interface CrashOptions {
  readonly kills: number;
  readonly sessions?: number;
  /** Told of progress. */
  readonly onKill?: (done: number) => void;
}

/**
 * Kills a gateway with SIGKILL at random points under load, starts it again in the same home, and looks at the end what
 * is there of all that it acknowledged. The model is a server of the test: it answers with the marks of the messages
 * that it was asked about, so that every answer can be counted.
 */
export async function crashAgain({ kills, sessions = 6, onKill }: CrashOptions): Promise<Scorecard> {
  const home = makeHome();
  const model = await serveModel();
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token: "crash" } },
    models: {
      providers: {
        double: {
          baseUrl: `${model.url}/v1`,
          apiKey: "not-a-secret",
          api: "openai-completions",
          models: [{ id: "m1", name: "m1", contextWindow: 1_000_000, maxTokens: 4096, reasoning: false }],
        },
      },
    },
    agents: { defaults: { model: { primary: "double/m1" }, skipBootstrap: true, maxConcurrent: sessions } },
    // What does not fit a queue is set aside, unanswered: no loss, and not what is counted here.
    messages: { queue: { debounceMs: 30, cap: 1000 } },
  };
  const keys = Array.from({ length: sessions }, (_, n) => `agent:main:crash-${n}`);
  const sent = new Map<string, Mark>();
  const restarts: number[] = [];
  let number = 0;

  const start = async (): Promise<GatewayProcess> => {
    const at = performance.now();
    const gateway = await startGateway({
      home,
      args: [],
      // Kills in a row are what this is about, and no sign that the gateway cannot start.
      env: { OPENCLAW_SAFE_MODE: "off" },
      ...(number === 0 ? { config } : {}),
    });
    restarts.push(performance.now() - at);
    return gateway;
  };
  const connect = (gateway: GatewayProcess): Promise<RpcClient> => openRpc(gateway.url, { auth: { token: "crash" } });

  try {
    for (let kill = 0; kill < kills; kill++) {
      const gateway = await start();
      const client = await connect(gateway);
      // What was sent and not answered is sent again, as a client does that lost its connection.
      const again = [...sent.values()]
        .filter(({ kind, acknowledged }) => kind === "send" && !acknowledged)
        .slice(-sessions);
      const senders = keys.map(async (key) => {
        for (const mark of again.filter((each) => each.key === key)) await send(client, mark);
        for (;;) {
          const kind = random(12) === 0 ? "inject" : "send";
          const mark: Mark = { id: `m${++number}x`, key, kind, acknowledged: false };
          sent.set(mark.id, mark);
          await send(client, mark);
          if (random(3) > 0) await new Promise((resolve) => setTimeout(resolve, random(60)));
        }
      });
      // The senders end when their connection does.
      const ended = Promise.allSettled(senders);
      await new Promise((resolve) => setTimeout(resolve, 20 + random(400)));
      await gateway.stop("SIGKILL");
      await ended;
      onKill?.(kill + 1);
    }

    const gateway = await start();
    const client = await connect(gateway);
    const stuck: string[] = [];
    await until("an idle gateway", async () => (await idle(client, keys)) || undefined, 120_000);
    for (const key of keys) {
      const runId = `last-${key}`;
      await client.call("chat.send", { sessionKey: key, message: `[m${++number}x] the end`, idempotencyKey: runId });
      const over = (await client.call("agent.wait", { runId, timeoutMs: 20_000 })) as RpcPayload;
      if (over.status !== "ok") stuck.push(`${key}: ${over.status}`);
    }
    client.close();
    await gateway.stop();
    return { ...scorecard(home, [...sent.values()]), kills, stuck, restartMs: spread(restarts) };
  } finally {
    model.server.closeAllConnections();
    model.server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Mark {
  readonly id: string;
  readonly key: string;
  readonly kind: "send" | "inject";
  acknowledged: boolean;
}

async function send(client: RpcClient, mark: Mark): Promise<void> {
  const message = `[${mark.id}] say it back`;
  if (mark.kind === "send") {
    await client.call("chat.send", { sessionKey: mark.key, message, idempotencyKey: `run-${mark.id}` });
  } else {
    await client.call("chat.inject", { sessionKey: mark.key, message });
  }
  mark.acknowledged = true;
}

async function idle(client: RpcClient, keys: readonly string[]): Promise<boolean> {
  const histories = await Promise.all(keys.map((sessionKey) => client.call("chat.history", { sessionKey, limit: 1 })));
  return histories.every((history: RpcPayload) => history.pendingInputs.total === 0 && !history.inFlightRun);
}

function scorecard(home: string, marks: readonly Mark[]): Omit<Scorecard, "kills" | "stuck" | "restartMs"> {
  const folder = join(home, ".openclaw", "agents", "main", "sessions");
  const said = new Map<string, number>();
  const answered = new Map<string, number>();
  const names = readdirSync(join(home, ".openclaw"), { recursive: true, encoding: "utf8" });
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".jsonl"))) {
    for (const line of readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((each) => each !== "")) {
      const entry = JSON.parse(line);
      if (entry.type !== "message") continue;
      const text = JSON.stringify(entry.message.content);
      const injected = entry.message.stopReason === "injected";
      const counts = entry.message.role === "assistant" && !injected ? answered : said;
      for (const [id = ""] of text.matchAll(/m\d+x/g)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  const acknowledged = marks.filter((mark) => mark.acknowledged);
  const messages = acknowledged.filter(({ kind }) => kind === "send");
  const injects = acknowledged.filter(({ kind }) => kind === "inject");
  const pick = (which: readonly Mark[], test: (id: string) => boolean) =>
    which.filter(({ id }) => test(id)).map(({ id }) => id);
  return {
    acknowledged: messages.length,
    unanswered: marks.filter(({ kind, acknowledged: ok }) => kind === "send" && !ok).length,
    lost: pick(messages, (id) => !said.has(id)),
    // One that was never acknowledged may be there, but not twice.
    doubled: pick(
      marks.filter(({ kind }) => kind === "send"),
      (id) => (said.get(id) ?? 0) > 1,
    ),
    notAnswered: pick(messages, (id) => !answered.has(id)),
    answeredTwice: pick(marks, (id) => (answered.get(id) ?? 0) > 1),
    injects: injects.length,
    injectsWrong: pick(injects, (id) => said.get(id) !== 1),
    damaged: names.filter((name) => /damaged|quarantine/.test(name)),
  };
}

/** A model server in the Chat Completions dialect: streams back the marks of the messages since its last answer. */
async function serveModel(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    // A gateway that is killed takes its request with it.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the model server has no address");
  return { server, url: `http://127.0.0.1:${address.port}` };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { messages } = JSON.parse(body) as { messages: { role: string; content: unknown }[] };
  // What the gateway injected stands in the assistant's place, and is no answer.
  const last = messages.findLastIndex(
    ({ role, content }) => role === "assistant" && JSON.stringify(content).includes("heard"),
  );
  const asked = JSON.stringify(messages.slice(last + 1).filter(({ role }) => role === "user"));
  const marks = [...asked.matchAll(/m\d+x/g)].map(([id]) => id);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (delta: object, finish: string | null = null): void => {
    const choice = { index: 0, delta, finish_reason: finish };
    const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", choices: [choice] };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  say({ role: "assistant", content: "heard" });
  for (const mark of marks) {
    await new Promise((resolve) => setTimeout(resolve, random(8)));
    if (response.destroyed) return;
    say({ content: ` ${mark}` });
  }
  say({}, "stop");
  response.end("data: [DONE]\n\n");
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function spread(times: readonly number[]): { median: number; worst: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: Math.round(sorted[sorted.length >> 1] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) };
}
