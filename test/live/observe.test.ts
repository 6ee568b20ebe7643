import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { endLaunched } from "../support/launch.ts";
import { makeHome, startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { serveCollector, type Collected, type Collector } from "../support/otlp-collector.ts";
import { openRpc, type RpcClient, type RpcPayload } from "../support/rpc-client.ts";
import { openaiDouble } from "../support/vendors/openai.ts";
import { completions } from "../support/vendors/openai-scripts.ts";
import { serveDouble, type Served } from "../support/vendors/serve.ts";

const token = "canary-token-of-the-gateway-0123456789";
const credential = "canary-credential-of-the-collector";
const apiKey = "canary-key-of-the-model";
const question = "canary-words-of-a-person";

interface Watched {
  readonly gateway: GatewayProcess;
  readonly rpc: RpcClient;
  /** Headers of the requests to the model. */
  readonly asked: Headers[];
  scrape(accept?: string): Promise<Response>;
  say(runId: string): Promise<void>;
  end(): Promise<void>;
}

const opened: { close(): Promise<void> }[] = [];

async function collect(options?: { busy: number }): Promise<Collector> {
  const collector = await serveCollector(options);
  opened.push(collector);
  return collector;
}

/** A gateway whose model answers once with a call of `read`, then with text. */
async function watch(diagnostics: object): Promise<Watched> {
  const asked: Headers[] = [];
  const double = openaiDouble({
    script: (body) => (JSON.stringify(body["messages"]).includes('"role":"tool"') ? completions.text : readCall),
    key: apiKey,
  });
  const served: Served = await serveDouble({
    answer(request) {
      asked.push(request.headers);
      return double.answer(request);
    },
  });
  opened.push(served);
  const provider = {
    baseUrl: `${served.url}/v1`,
    apiKey,
    api: "openai-completions",
    models: [{ id: "m1", name: "m1", reasoning: false, contextWindow: 100_000, maxTokens: 4096 }],
  };
  const gateway = await startGateway({
    home: prepared(),
    args: [],
    config: {
      gateway: { mode: "local", auth: { token } },
      models: { providers: { double: provider } },
      agents: { defaults: { model: "double/m1" } },
      diagnostics,
    },
  });
  const rpc = await openRpc(gateway.url, { auth: { token } });
  const over = new Set<string>();
  rpc.onEvent((event, payload: RpcPayload) => {
    if (event === "chat" && payload.state !== "delta") over.add(payload.runId);
  });
  return {
    gateway,
    rpc,
    asked,
    scrape: (accept = "text/plain") =>
      fetch(`${gateway.url.replace("ws", "http")}/metrics`, { headers: { authorization: `Bearer ${token}`, accept } }),
    async say(runId) {
      await rpc.call("chat.send", { sessionKey: "main", message: question, idempotencyKey: runId });
      await until(`the end of ${runId}`, () => over.has(runId) || undefined, 15_000);
    },
    async end() {
      rpc.close();
      await gateway.stop();
    },
  };
}

/** A home with a file for the model to read. */
function prepared(): string {
  const home = makeHome();
  mkdirSync(join(home, ".openclaw", "workspace"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, ".openclaw", "workspace", "notes.md"), "canary-words-of-a-file");
  return home;
}

const readCall = {
  body: [
    { role: "assistant", tool_calls: [{ index: 0, id: "call_1", type: "function", function: readFunction() }] },
    {},
  ]
    .map((delta, at) => {
      const choice = { index: 0, delta, finish_reason: at === 0 ? null : "tool_calls" };
      const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", choices: [choice] };
      return `data: ${JSON.stringify(chunk)}\n\n`;
    })
    .concat("data: [DONE]\n\n")
    .join(""),
};

function readFunction() {
  return { name: "read", arguments: JSON.stringify({ path: "notes.md" }) };
}

function assertNoCanary(text: string): void {
  assert.not.match(text, "canary");
}

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
if (!hasPromtool) process.stdout.write("skipped: needs promtool\n");
const withPromtool = hasPromtool ? test : (name: string, run: () => Promise<void>) => test.skip(name, run);

withPromtool("promtool finds nothing wrong with the metrics of a gateway that has worked", async () => {
  const watched = await watch({ metrics: { enabled: true } });
  await watched.say("run-1");
  await watched.rpc.call("no.such.method").catch(() => undefined);
  const refused = await openRpc(watched.gateway.url, { auth: { token: "wrong" } }).catch(() => undefined);
  assert.is(refused, undefined);
  const text = await (await watched.scrape()).text();
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  assert.is(status, 0, `${stdout}${stderr}`);
  assert.is(`${stdout}${stderr}`.trim(), "");
  await watched.end();
});

test("what a conversation takes is in the metrics, and nothing that was said, no key and no secret", async () => {
  const watched = await watch({ metrics: { enabled: true } });
  await watched.say("run-1");
  // The run is settled a moment after its answer is told.
  const text = await until("the run's end", async () => {
    const text = await (await watched.scrape()).text();
    return text.includes('openclaw_run_completed_total{outcome="ok"} 1\n') ? text : undefined;
  });
  for (const line of [
    'openclaw_model_call_total{provider="double",model="m1",outcome="ok"} 2',
    'openclaw_tool_execution_total{tool="read",outcome="ok"} 1',
    'openclaw_calls_total{method="chat.send",outcome="ok"} 1',
    "openclaw_sessions 1",
  ])
    assert.ok(text.includes(`${line}\n`), `${line} in:\n${text}`);
  assert.match(text, /openclaw_model_tokens_total\{provider="double",model="m1",token_type="output"\} [1-9]/);
  assert.match(text, /openclaw_store_flush_duration_seconds_count\{kind="append"\} [1-9]/);
  assert.match(text, /process_resident_memory_bytes [1-9]\d{6,}/);
  assertNoCanary(text);
  assert.not.match(text, "agent:main");
  const open = await (await watched.scrape("application/openmetrics-text")).text();
  assert.ok(open.endsWith("# EOF\n"));
  await watched.end();
});

async function collected(collector: Collector, count: number): Promise<readonly Collected[]> {
  return until(`${count} spans`, () => (collector.spans.length >= count ? collector.spans : undefined), 15_000);
}

test("a collector that is busy at first gets the trace of a conversation: request, turn, models and tool", async () => {
  const collector = await collect({ busy: 1 });
  const headers = { authorization: `Bearer ${credential}` };
  const watched = await watch({ otel: { enabled: true, endpoint: collector.url, headers, flushIntervalMs: 100 } });
  await watched.say("run-1");
  const spans = await collected(collector, 5);
  assert.equal(collector.problems, []);
  assert.equal(spans.map(({ name }) => name).toSorted(), [
    "chat m1",
    "chat m1",
    "chat.send",
    "execute_tool read",
    "invoke_agent main",
  ]);
  const named = (name: string) => spans.filter((span) => span.name === name);
  const [[request], [turn]] = [named("chat.send"), named("invoke_agent main")];
  assert.is(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  assert.is(turn?.parentSpanId, request?.spanId);
  for (const span of [...named("chat m1"), ...named("execute_tool read")]) assert.is(span.parentSpanId, turn?.spanId);
  assert.is(turn?.resource["service.name"], "openclaw");
  assert.is(collector.requests[0]?.headers.authorization, `Bearer ${credential}`);
  const shown = JSON.stringify(spans, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  assertNoCanary(shown);
  // Nobody but the collector learns of the trace.
  assert.equal(
    watched.asked.map((each) => each.get("traceparent")),
    [null, null],
  );
  const config = await watched.rpc.call("config.get");
  assert.not.match(JSON.stringify(config), credential);
  await watched.end();
  assert.not.match(watched.gateway.stdout() + watched.gateway.stderr(), credential);
});

test("where it is wanted, providers get the traceparent of their own span, and the last spans go with the end", async () => {
  const collector = await collect();
  const otel = { enabled: true, endpoint: collector.url, flushIntervalMs: 3_600_000, propagate: true };
  const watched = await watch({ otel });
  await watched.say("run-1");
  assert.equal(collector.spans, []);
  await watched.end();
  const chats = collector.spans.filter(({ name }) => name === "chat m1");
  assert.equal(
    watched.asked.map((each) => each.get("traceparent")),
    chats.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
  );
});

test("a collector that cannot be had, or was set up wrongly, keeps nobody from an answer", async () => {
  for (const otel of [
    { enabled: true, endpoint: "http://127.0.0.1:1", flushIntervalMs: 100 },
    { enabled: true, protocol: "grpc", endpoint: "http://127.0.0.1:4317" },
  ]) {
    const watched = await watch({ otel });
    await watched.say("run-1");
    await watched.end();
  }
});

// Whatever a failed test left open would keep this process alive.
test.after(async () => {
  endLaunched();
  for (const each of opened) await each.close();
});

test.run();
