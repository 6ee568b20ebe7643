import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { checkEvent, checkParams, checkResult } from "../support/official.ts";
import { startGateway, until, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { connectOfficial, type Connected } from "../support/official-client.ts";
import { anthropicDouble, scripts as anthropic } from "../support/vendors/anthropic.ts";
import type { Double, Script } from "../support/vendors/double.ts";
import { googleDouble, scripts as google } from "../support/vendors/google.ts";
import { ollamaDouble, scripts as ollama } from "../support/vendors/ollama.ts";
import { openaiDouble } from "../support/vendors/openai.ts";
import { completions, responses } from "../support/vendors/openai-scripts.ts";
import { serveDouble, type Served } from "../support/vendors/serve.ts";

const key = "key-of-the-test";
const scopes = ["operator.admin"];

// eslint-disable-next-line typescript/no-explicit-any -- answers are read by path in assertions
type Answer = any;

interface Talk {
  readonly gateway: GatewayProcess;
  readonly connected: Connected;
  /** Calls a method; parameters and result are held to the published schema. */
  readonly ask: (method: string, params?: object) => Promise<Answer>;
  /** Says something and answers the run's `chat` events when it is over. */
  readonly say: (sessionKey: string, message: string) => Promise<readonly Answer[]>;
  readonly end: () => Promise<void>;
}

async function talk(models?: { api: string; url: string }): Promise<Talk> {
  const provider = models && {
    baseUrl: models.url,
    apiKey: key,
    api: models.api,
    models: [{ id: "m1", name: "m1", reasoning: false, contextWindow: 100_000, maxTokens: 4096 }],
  };
  const gateway = await startGateway({
    args: [],
    config: {
      gateway: { mode: "local", auth: { mode: "none" } },
      ...(provider
        ? { models: { providers: { double: provider } }, agents: { defaults: { model: "double/m1" } } }
        : {}),
    },
  });
  const connected = await connectOfficial({ url: gateway.url, scopes, caps: ["tool-events"] });
  const ask = async (method: string, params: object = {}): Promise<Answer> => {
    checkParams(method, params);
    const result = await connected.client.request(method, params);
    checkResult(method, result);
    return result;
  };
  let runs = 0;
  const chats = (runId: string): readonly Answer[] =>
    connected.events.flatMap(({ event, payload }) =>
      event === "chat" && (payload as Answer).runId === runId ? [payload as Answer] : [],
    );
  const over = (runId: string) => chats(runId).some(({ state }) => ["final", "error", "aborted"].includes(state));
  return {
    gateway,
    connected,
    ask,
    async say(sessionKey, message) {
      const idempotencyKey = `run-${++runs}`;
      assert.equal((await ask("chat.send", { sessionKey, message, idempotencyKey })).runId, idempotencyKey);
      await until(`end of ${message}`, () => over(idempotencyKey) || undefined, 15_000);
      return chats(idempotencyKey);
    },
    async end() {
      for (const { event, payload } of connected.events) checkEvent(event, payload);
      await connected.stop();
      await gateway.stop();
    },
  };
}

const doubles: Served[] = [];

async function serve(double: Pick<Double, "answer">): Promise<Served> {
  const served = await serveDouble(double);
  doubles.push(served);
  return served;
}

interface Vendor {
  readonly api: string;
  readonly path: string;
  readonly text: Script;
  readonly double: (script: Script | ((body: JsonObject) => Script)) => Double;
}

const vendors: Readonly<Record<string, Vendor>> = {
  Anthropic: {
    api: "anthropic-messages",
    path: "",
    text: anthropic.text,
    double: (script) => anthropicDouble({ script, key }),
  },
  "OpenAI Responses": {
    api: "openai-responses",
    path: "/v1",
    text: responses.reasoning,
    double: (script) => openaiDouble({ script, key }),
  },
  "OpenAI Chat Completions": {
    api: "openai-completions",
    path: "/v1",
    text: completions.text,
    double: (script) => openaiDouble({ script, key }),
  },
  Google: {
    api: "google-generative-ai",
    path: "",
    text: google.text,
    double: (script) => googleDouble({ script, key }),
  },
  Ollama: { api: "ollama", path: "", text: ollama.text, double: (script) => ollamaDouble({ script }) },
};

for (const [name, vendor] of Object.entries(vendors)) {
  test(`a conversation with a model of ${name}, over HTTP, in the official client`, async () => {
    const double = vendor.double(vendor.text);
    const served = await serve(double);
    const { ask, say, end } = await talk({ api: vendor.api, url: served.url + vendor.path });
    const events = await say("main", "Hello!");
    const final = events.at(-1);
    assert.is(final.state, "final", JSON.stringify(final));
    const [{ text }] = final.message.content;
    const streamed = events.filter(({ state }) => state === "delta").map(({ deltaText }) => deltaText);
    assert.is(streamed.join(""), text);
    await say("main", "And again?");
    const history = await ask("chat.history", { sessionKey: "main" });
    assert.equal(
      history.messages.map(({ role }: Answer) => role),
      ["user", "assistant", "user", "assistant"],
    );
    assert.is(double.bodies.length, 2);
    await end();
  });
}

test("a tool is called, its result goes back, and who asked for it sees both", async () => {
  const call = { index: 0, id: "call_1", type: "function", function: { name: "write", arguments: "" } };
  const written = JSON.stringify({ path: "note.txt", content: "from the model" });
  const script = (body: JsonObject): Script => {
    const messages = body["messages"] as readonly { role: string }[];
    const done = messages.some(({ role }) => role === "tool");
    return done
      ? streamOf([{ content: "Written." }], "stop")
      : streamOf(
          [{ tool_calls: [call] }, { tool_calls: [{ index: 0, function: { arguments: written } }] }],
          "tool_calls",
        );
  };
  const served = await serve(openaiDouble({ script, key }));
  const { ask, say, end, connected } = await talk({ api: "openai-completions", url: `${served.url}/v1` });
  assert.is((await say("main", "note it")).at(-1).message.content[0].text, "Written.");
  const tools = connected.events.flatMap(({ event, payload }) =>
    event === "agent" && (payload as Answer).stream === "tool" ? [(payload as Answer).data] : [],
  );
  assert.equal(
    tools.map(({ phase, name }) => `${phase} ${name}`),
    ["start write", "result write"],
  );
  const { messages } = await ask("chat.history", { sessionKey: "main" });
  assert.equal(
    messages.map(({ role }: Answer) => role),
    ["user", "assistant", "toolResult", "assistant"],
  );
  assert.is(messages[2].isError, false, JSON.stringify(messages[2]));
  await end();
});

test("stopping a run ends the provider's connection, and the partial answer stays", async () => {
  const endless: Double = {
    bodies: [],
    answer: async () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(chunkOf({ role: "assistant", content: "Once upon" }, null)));
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  };
  const served = await serve(endless);
  const { ask, end, connected } = await talk({ api: "openai-completions", url: `${served.url}/v1` });
  await ask("chat.send", { sessionKey: "main", message: "a story", idempotencyKey: "story" });
  const states = () =>
    connected.events.flatMap(({ event, payload }) => (event === "chat" ? [(payload as Answer).state] : []));
  await until("first words", () => states().includes("delta") || undefined, 10_000);
  const stopped = await ask("chat.abort", { sessionKey: "main" });
  assert.equal(stopped, { ok: true, aborted: true, runIds: ["story"] });
  await until("end of the provider's connection", () => served.cutOff() || undefined, 10_000);
  await until("aborted", () => states().includes("aborted") || undefined, 10_000);
  const { messages } = await ask("chat.history", { sessionKey: "main" });
  assert.is(messages.at(-1).content[0].text, "Once upon");
  assert.equal(await ask("chat.abort", { sessionKey: "main" }), { ok: true, aborted: false, runIds: [] });
  await end();
});

test("a provider that refuses is an error that says why, without the key", async () => {
  const limited: Script = { status: 401, body: JSON.stringify({ error: { message: `wrong key ${key}`, type: "x" } }) };
  const served = await serve({ answer: async () => new Response(limited.body, { status: 401 }) });
  const { say, end, gateway } = await talk({ api: "openai-completions", url: `${served.url}/v1` });
  const final = (await say("main", "hello")).at(-1);
  assert.is(final.state, "error");
  assert.match(final.errorMessage, /double/);
  assert.not.match(JSON.stringify(final), key);
  assert.not.match(gateway.stdout() + gateway.stderr(), key);
  await end();
});

test("sessions are made, named, listed, found, forked, rewound, reset, compacted and deleted", async () => {
  const { ask, say, end, connected } = await talk();
  await ask("sessions.subscribe", {});
  await ask("sessions.messages.subscribe", { key: "work" });
  const made = await ask("sessions.create", { key: "agent:main:work", label: "Work" });
  assert.is(made.key, "agent:main:work");
  await say("work", "the quick brown fox");
  await say("work", "jumps over the lazy dog");
  await ask("sessions.patch", { key: "work", label: "Play", pinned: true, thinkingLevel: null });
  const { sessions } = await ask("sessions.list", { includeDerivedTitles: true, includeLastMessage: true });
  assert.equal([sessions[0].label, sessions[0].pinned], ["Play", true]);
  assert.is((await ask("sessions.resolve", { label: "Play" })).key, "agent:main:work");
  assert.is((await ask("sessions.describe", { key: "work" })).session.key, "agent:main:work");
  const { previews } = await ask("sessions.preview", { keys: ["work"] });
  assert.is(previews[0].items[0].text, "the quick brown fox");
  const { results } = await ask("sessions.search", { query: "brown fox" });
  assert.is(results[0].sessionKey, "agent:main:work");

  const { messages } = await ask("chat.history", { sessionKey: "work" });
  const second = messages[2].__openclaw.id;
  const fork = await ask("sessions.fork", { sessionKey: "work", entryId: second });
  assert.is((await ask("chat.history", { sessionKey: fork.sessionKey })).messages.length, 2);
  const rewound = await ask("sessions.rewind", { sessionKey: "work", entryId: second });
  assert.is(rewound.editorText, "jumps over the lazy dog");
  assert.is((await ask("chat.history", { sessionKey: "work" })).messages.length, 2);

  await ask("sessions.compact", { key: "work" });
  const reset = await ask("sessions.reset", { key: "work" });
  assert.is.not(reset.entry.sessionId, made.sessionId);
  assert.equal((await ask("chat.history", { sessionKey: "work" })).messages, []);
  assert.is((await ask("sessions.delete", { key: "work" })).deleted, true);
  const told = connected.events.filter(({ event }) => event === "sessions.changed");
  const reasons = new Set(told.map(({ payload }) => (payload as Answer).reason ?? (payload as Answer).phase));
  for (const reason of ["create", "send", "start", "end", "patch", "reset", "delete"]) {
    assert.ok(reasons.has(reason), `${reason} among ${[...reasons].join(" ")}`);
  }
  const spoken = connected.events.filter(({ event }) => event === "session.message");
  assert.is(spoken.length, 4);
  await end();
});

test("agent answers twice, waits, and answers a repeated key without a second run", async () => {
  const { connected, ask, end } = await talk();
  const params = { message: "/status is only text here", agentId: "main", idempotencyKey: "agent-1" };
  checkParams("agent", params);
  const first = (await connected.client.request("agent", params)) as Answer;
  assert.is(first.status, "accepted");
  assert.is((await ask("agent.wait", { runId: "agent-1", timeoutMs: 10_000 })).status, "ok");
  const final = (await connected.client.request("agent", params, { expectFinal: true })) as Answer;
  assert.is(final.status, "ok");
  assert.match(final.result.payloads[0].text, "/status is only text here");
  const { messages } = await ask("chat.history", { sessionKey: "main" });
  assert.is(messages.length, 2);
  await end();
});

test("commands are answered in the conversation, and kept from the model", async () => {
  const { ask, say, end } = await talk();
  assert.match((await say("main", "/whoami")).at(-1).message.content[0].text, "Identity");
  assert.match((await say("main", "/status")).at(-1).message.content[0].text, "clawlet/echo");
  assert.match((await say("main", "hello")).at(-1).message.content[0].text, "You said: hello");
  const { messages } = await ask("chat.history", { sessionKey: "main" });
  assert.is(messages.length, 6);
  await end();
});

test("chat.inject writes into the conversation and shows it", async () => {
  const { ask, say, connected, end } = await talk();
  await say("main", "hello");
  const { messageId } = await ask("chat.inject", { sessionKey: "main", message: "good morning", label: "Clock" });
  assert.ok(await ask("chat.message.get", { sessionKey: "main", messageId }));
  const shown = await until("chat event", () =>
    connected.events.find(({ payload }) => (payload as Answer).runId === `inject-${messageId}`),
  );
  assert.match(JSON.stringify(shown), "good morning");
  await end();
});

function streamOf(deltas: readonly object[], finish: string): Script {
  return { body: [...deltas.map((delta) => chunkOf(delta, null)), chunkOf({}, finish), "data: [DONE]\n\n"].join("") };
}

function chunkOf(delta: object, finish: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", choices })}\n\n`;
}

test.after(async () => {
  endLaunched();
  await Promise.all(doubles.splice(0).map((each) => each.close()));
});
test.run();
