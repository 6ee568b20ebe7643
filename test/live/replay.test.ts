import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { kindOf, read, type End, type Recording } from "../support/recording.ts";
import { replay, type Played } from "../support/replay.ts";
import { leftOut, without } from "../support/left-out.ts";
import { differences } from "../support/shape.ts";
import type { Script } from "../support/vendors/double.ts";
import { openaiDouble } from "../support/vendors/openai.ts";
import { serveDouble, type Served } from "../support/vendors/serve.ts";

// What clients of the reference said to it is said to a gateway of ours, word by word; whatever they were answered then,
// and could read, is in our answers and events too. test/support/left-out.ts lists what is not, and why.

const clients: Readonly<Record<string, string>> = {
  chat2: "a client that talks, waits and subscribes",
  chat3: "a client that stops, fails, injects and gives commands",
  tool: "a client that sees tools at work",
  agent: "the command line's agent",
  "gateway-client": "the published client package",
  tui: "the terminal UI",
  controlui: "the web UI, at its first visit",
  controlui2: "the web UI, with a conversation",
  "models-list": "the command line's models list",
  "usage-cost": "the command line's usage cost",
  status: "the command line's status",
  "v3-agent": "the command line's agent of version 3",
  "v3-tui": "the terminal UI of version 3",
  "v3-controlui": "the web UI of version 3",
};

const token = "a-token-of-this-test";
const planned = new Map<string, End>();
const met = new Set<string>();
let gateway: GatewayProcess;
let model: Served;

test.before(async () => {
  model = await serveDouble({ answer });
  const m1 = { id: "m1", name: "M1", reasoning: false, contextWindow: 100_000, maxTokens: 4096 };
  const mock = { baseUrl: `${model.url}/v1`, apiKey: key, api: "openai-completions", models: [m1] };
  gateway = await startGateway({
    args: [],
    config: {
      gateway: { mode: "local", auth: { mode: "token", token } },
      models: { providers: { mock } },
      agents: { defaults: { model: "mock/m1" } },
    },
  });
  await replay(beginning, { url: gateway.url, token });
});

for (const [name, client] of Object.entries(clients)) {
  test(`${client} gets all it is used to`, async () => {
    const recording = read(readFileSync(`test/golden/clients/${name}.jsonl`, "utf8"));
    planned.clear();
    for (const { message, end } of recording.runs) planned.set(message, end);
    const played = await replay(recording, { url: gateway.url, token });
    const found = [...answersOf(recording, played), ...eventsOf(recording, played)];
    assert.equal(without(found, met), []);
    assert.equal(without(disorderOf(recording, played), met), []);
    if (name.startsWith("v3")) assert.equal(unknownToVersion3(recording, played), []);
  });
}

test("nothing is listed as left out that is there", () => {
  assert.equal(
    leftOut.flatMap(({ what }) => what.filter((each) => !met.has(each))),
    [],
  );
});

const begun = [
  "agent:main:main",
  "agent:main:lab2",
  "agent:main:cron:4ffbcfd1-d0dd-491a-baf7-188fee1efa95",
  "agent:main:openresponses:693c462c-05be-4cc9-92dc-da34343d6b1b",
];

/** Conversations that the recorded clients found when they came. */
const beginning: Recording = {
  steps: [
    {
      connection: 0,
      method: "connect",
      params: {
        minProtocol: 4,
        maxProtocol: 4,
        client: { id: "gateway-client", version: "1.0.0", platform: "linux", mode: "backend" },
        role: "operator",
        scopes: ["operator.admin"],
        caps: [],
      },
      after: [],
      answers: [{ ok: true, shape: {} }],
    },
    ...begun.map((sessionKey) => ({
      connection: 0,
      method: "chat.send",
      params: { sessionKey, message: "good morning", idempotencyKey: `beginning of ${sessionKey}` },
      after: ["answer 0"],
      answers: [{ ok: true as const, shape: {} }],
    })),
  ],
  events: {},
  orders: [],
  runs: begun.map((sessionKey) => ({
    runId: `beginning of ${sessionKey}`,
    message: "good morning",
    end: "final",
  })),
};

function answersOf({ steps }: Recording, { answers }: Played): readonly string[] {
  return steps.flatMap(({ method, answers: wanted }, step) =>
    wanted.flatMap((want, at) => {
      const got = answers[step]?.[at];
      if (!got) return [`${method}: there is no answer ${at + 1}`];
      if (!got.ok && want.ok) return [`${method}: ${got.error.message}`];
      if (!want.ok) return got.ok || got.error.code !== want.code ? [`${method}: this is no ${want.code}`] : [];
      return differences(want.shape, got.payload).map((difference) => `${method}: ${difference}`);
    }),
  );
}

function eventsOf({ events }: Recording, { frames }: Played): readonly string[] {
  const told = frames.flat().filter(({ type }) => type === "event");
  return Object.entries(events).flatMap(([kind, shape]) => {
    const ours = told.filter((event) => kindOf(event) === kind);
    if (ours.length === 0) return [`event ${kind}: none is told`];
    const found = ours.flatMap(({ payload }) => differences(shape, payload));
    return [...new Set(found)].map((difference) => `event ${kind}: ${difference}`);
  });
}

/** What a client follows a run by. The rest of its events come at any time. */
const milestones: ReadonlySet<string> = new Set([
  "agent lifecycle start",
  "agent lifecycle model",
  "agent lifecycle finishing",
  "agent lifecycle end",
  "agent lifecycle error",
  "agent assistant",
  "agent item tool start",
  "agent item tool end",
  "agent tool start",
  "agent tool result",
  "chat delta",
  "chat final",
  "chat aborted",
  "chat error",
  "session.message user",
  "session.message assistant",
  "sessions.changed end",
]);

/** Kinds of events of one run that come the other way round, of those that always came so in what was recorded. */
function disorderOf({ orders, runs }: Recording, played: Played): readonly string[] {
  const isBefore = (order: readonly string[], one: string, other: string): boolean =>
    order.includes(one) && order.includes(other) && order.indexOf(one) < order.indexOf(other);
  const followed = orders.map((order) => order.filter((kind) => milestones.has(kind)));
  const pairs = followed.flatMap((order) =>
    order.flatMap((one, at) => order.slice(at + 1).map((other) => [one, other])),
  );
  const always = pairs.filter(([one = "", other = ""]) => !orders.some((order) => isBefore(order, other, one)));
  return runs.flatMap(({ runId }) => {
    const order = played.orderOf(runId);
    return always.flatMap(([one = "", other = ""]) =>
      isBefore(order, other, one) ? [`order: ${other}, then ${one}`] : [],
    );
  });
}

/** Events whose names version 3 did not have, or in states that it did not have. */
function unknownToVersion3({ events }: Recording, { frames }: Played): readonly string[] {
  const known = new Set([
    ...Object.keys(events),
    "presence",
    "health",
    "tick",
    "agent tool start",
    "agent tool result",
  ]);
  return [
    ...new Set(
      frames
        .flat()
        .filter(({ type }) => type === "event")
        .map(kindOf),
    ),
  ].filter((kind) => !known.has(kind));
}

const key = "key-of-the-test";
const text = ["Hello", " from", " mock", " model.", " How can I help?"];
const call = { index: 0, id: "call_1", type: "function", function: { name: "session_status", arguments: "{}" } };
const double = openaiDouble({ script, key });

/** As the model of the recordings answered: a text; a call first where a tool was to run; without end; or not at all. */
async function answer(request: Request): Promise<Response> {
  return endOf(await request.clone().text()) === "aborted" ? endless() : double.answer(request);
}

function script(body: JsonObject): Script {
  const messages = body["messages"] as readonly { role: string; content: unknown }[];
  const asked = JSON.stringify(messages.findLast(({ role }) => role === "user"));
  if (endOf(asked) === "error") return { status: 400, body: JSON.stringify({ error: { message: "a bad request" } }) };
  const isDone = messages.at(-1)?.role === "tool" || !asked.includes("RUNTOOL");
  return isDone
    ? streamOf(
        text.map((content) => ({ content })),
        "stop",
      )
    : streamOf([{ content: "Let me check." }, { tool_calls: [call] }], "tool_calls");
}

/** How the run ends in which this was asked last. */
function endOf(asked: string): End | undefined {
  const inside = (message: string): number => asked.lastIndexOf(JSON.stringify(message).slice(1, -1));
  const [last] = [...planned].filter(([message]) => inside(message) >= 0).toSorted(([a], [b]) => inside(b) - inside(a));
  return last?.[1];
}

function endless(): Response {
  const first = new TextEncoder().encode(choice({ content: "one two" }, null));
  const body = new ReadableStream({ start: (controller) => controller.enqueue(first) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function streamOf(deltas: readonly object[], finish: string): Script {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const chunks = [...deltas.map((delta) => choice(delta, null)), choice({}, finish), chunk({ choices: [], usage })];
  return { body: [...chunks, "data: [DONE]\n\n"].join("") };
}

function choice(delta: object, finish_reason: string | null): string {
  return chunk({ choices: [{ index: 0, delta, finish_reason }] });
}

function chunk(more: object): string {
  return `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "m1", ...more })}\n\n`;
}

test.after(async () => {
  await gateway.stop();
  await model.close();
  endLaunched();
});
test.run();
