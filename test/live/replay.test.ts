import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { kindOf, read, type End, type Recording } from "../support/recording.ts";
import { replay, type Played } from "../support/replay.ts";
import { differences } from "../support/shape.ts";
import type { Script } from "../support/vendors/double.ts";
import { openaiDouble } from "../support/vendors/openai.ts";
import { serveDouble, type Served } from "../support/vendors/serve.ts";

const token = "a-token-of-this-test";
const text = ["Hello", " from", " mock", " model.", " How can I help?"];
const planned = new Map<string, End>();
let gateway: GatewayProcess;
let model: Served;

test.before(async () => {
  const double = openaiDouble({ script: answerTo });
  model = await serveDouble({ answer: async (request) => {
    const body = await request.clone().text();
    const end = [...planned].findLast(([message]) => body.includes(JSON.stringify(message).slice(1, -1)))?.[1];
    return end === "aborted" ? endless() : double.answer(request);
  } });
  const m1 = { id: "m1", name: "M1", reasoning: false, contextWindow: 100_000, maxTokens: 4096 };
  gateway = await startGateway({
    args: [],
    config: {
      gateway: { mode: "local", auth: { mode: "token", token } },
      models: {
        providers: {
          mock: { baseUrl: `${model.url}/v1`, apiKey: "key-of-the-test", api: "openai-completions", models: [m1] },
        },
      },
      agents: { defaults: { model: "mock/m1" } },
    },
  });
});

const names = [
  "chat2",
  "chat3",
  "tool",
  "agent",
  "gateway-client",
  "tui",
  "controlui",
  "controlui2",
  "v3-agent",
  "v3-tui",
  "v3-controlui",
  "models-list",
  "usage-cost",
  "status",
];

for (const name of names) {
  test(name, async () => {
    const recording = read(readFileSync(`test/golden/clients/${name}.jsonl`, "utf8"));
    for (const { message, end } of recording.runs) planned.set(message, end);
    const played = await replay(recording, { url: gateway.url, token });
    console.log(name, JSON.stringify(compare(recording, played), null, 1));
  });
}

function compare(recording: Recording, played: Played): string[] {
  const out: string[] = [];
  for (const [i, step] of recording.steps.entries()) {
    const answers = played.answers[i] ?? [];
    if (answers.length !== step.answers.length)
      out.push(`${step.method}: ${answers.length} answers and not ${step.answers.length}`);
    for (const [j, want] of step.answers.entries()) {
      const got = answers[j];
      if (!got) continue;
      if (want.ok !== got.ok) {
        out.push(
          `${step.method} ${JSON.stringify(step.params)}: ok ${got.ok} ${JSON.stringify(got.error ?? got.payload)}`,
        );
        continue;
      }
      if (want.ok) out.push(...differences(want.shape, got.payload).map((d) => `${step.method}: ${d}`));
      else if (want.code !== got.error.code) out.push(`${step.method} ${got.error.code} and not ${want.code}`);
    }
  }
  const events = played.frames.flat().filter(({ type }) => type === "event");
  for (const [kind, shape] of Object.entries(recording.events)) {
    const ours = events.filter((event) => kindOf(event) === kind);
    if (ours.length === 0) out.push(`event ${kind} is missing`);
    out.push(...new Set(ours.flatMap(({ payload }) => differences(shape, payload).map((d) => `event ${kind}: ${d}`))));
  }
  const kinds = new Set(Object.keys(recording.events));
  for (const kind of new Set(events.map(kindOf))) if (!kinds.has(kind)) out.push(`event ${kind} is more`);
  return out;
}

/** As the model of the recording answered: word by word, with a call first where a tool was to be run, or not at all. */
function answerTo(body: JsonObject): Script {
  const messages = body["messages"] as readonly { role: string; content: unknown }[];
  const asked = JSON.stringify(messages.findLast(({ role }) => role === "user"));
  const end = [...planned].findLast(([message]) => asked.includes(JSON.stringify(message).slice(1, -1)))?.[1];
  if (asked.includes("RUNTOOL") && messages.at(-1)?.role !== "tool") return stream([{ content: "Let me check." }, { tool_calls: [call] }], "tool_calls");
  if (end === "error") return { status: 400, body: JSON.stringify({ error: { message: "no" } }) };
  return stream(
    text.map((content) => ({ content })),
    "stop",
  );
}

const call = { index: 0, id: "call_1", type: "function", function: { name: "session_status", arguments: "{}" } };

/** Begins to answer, and goes on when nobody listens any more. */
function endless(): Response {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(chunkOf({ content: "one two" }, null))) });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function stream(deltas: readonly object[], finish: string): Script {
  const chunks = [...deltas.map((delta) => chunkOf(delta, null)), chunkOf({}, finish)];
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  return { body: [...chunks, chunk({ choices: [], usage }), "data: [DONE]\n\n"].join("") };
}

function chunkOf(delta: object, finish_reason: string | null): string {
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
