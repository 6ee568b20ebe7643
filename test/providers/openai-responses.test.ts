import { test } from "uvu";
import * as assert from "uvu/assert";
import { knownModel } from "../../src/providers/facts.ts";
import { openaiResponses as provider } from "../../src/providers/openai-responses.ts";
import type { ModelRequest, ModelSpec } from "../../src/providers/provider.ts";
import {
  answer,
  ask,
  callOf,
  collect,
  failureOf,
  picture,
  requestOf,
  type Script,
  toolResult,
  user,
  weatherTool,
} from "../support/vendors/double.ts";
import { refusals, responses } from "../support/vendors/openai-scripts.ts";
import { openaiDouble } from "../support/vendors/openai.ts";

const gpt = knownModel("openai", "gpt-5.2") as ModelSpec;

test("thoughts and text are streamed, with usage and what it costs", async () => {
  const events = await eventsOf(responses.reasoning);
  assert.equal(
    events.map((event) => ("delta" in event ? [event.type, event.delta] : event.type)),
    [
      ["thinking", "**Greeting**"],
      ["thinking", "\n\n"],
      ["thinking", "Be brief."],
      "thought",
      ["text", "Grüß "],
      ["text", "dich 👋"],
      "done",
    ],
  );
  const message = await said(responses.reasoning);
  assert.equal(
    message.content.map((part) => (part.type === "thinking" ? part.thinking : part)),
    ["**Greeting**\n\nBe brief.", { type: "text", text: "Grüß dich 👋", textSignature: "final_answer" }],
  );
  assert.equal([message.stopReason, message.responseId?.slice(0, 8)], ["stop", "resp_67c"]);
  const { cost, ...tokens } = message.usage;
  assert.equal(tokens, { input: 100, output: 40, cacheRead: 1000, cacheWrite: 0, totalTokens: 1140 });
  assert.is(cost.total.toFixed(9), ((100 * 1.75 + 1000 * 0.175 + 40 * 14) / 1e6).toFixed(9));
});

test("parallel calls come out whole and in order", async () => {
  const message = await said(responses.parallelCalls);
  assert.is(message.stopReason, "toolUse");
  assert.equal(message.content, [
    { type: "toolCall", id: "call_A", name: "read", arguments: { path: "ä.md" } },
    { type: "toolCall", id: "call_B", name: "read", arguments: { path: "b.md" } },
  ]);
});

test("a server that gives everything in its last event is understood", async () => {
  const events = await eventsOf(responses.wholeAtTheEnd);
  assert.equal(
    events.map(({ type }) => type),
    ["thought", "toolCall", "done"],
  );
  assert.is((await said(responses.wholeAtTheEnd)).content.length, 3);
});

test("an answer that is too long says so", async () => {
  assert.is((await said(responses.incomplete)).stopReason, "length");
});

test("thoughts, the phase of texts, calls and results go back as the provider wants them", async () => {
  const double = openaiDouble({ script: responses.wholeAtTheEnd });
  const first = await ask(provider, requestOf(gpt), callOf(double));
  const messages = [user("hello"), first, toolResult("call_A", "read", "one", picture)];
  await ask(provider, requestOf(gpt, { messages }), callOf(double));
  assert.equal(double.bodies[1]?.["input"], [
    { role: "user", content: [{ type: "input_text", text: "hello" }] },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [
        { type: "summary_text", text: "**Greeting**" },
        { type: "summary_text", text: "Be brief." },
      ],
      encrypted_content: "gAAAAABo",
    },
    { role: "assistant", content: "Grüß dich 👋", phase: "final_answer" },
    { type: "function_call", call_id: "call_A", name: "read", arguments: '{"path":"ä.md"}' },
    {
      type: "function_call_output",
      call_id: "call_A",
      output: [
        { type: "input_text", text: "one" },
        { type: "input_image", image_url: `data:image/png;base64,${picture.data}`, detail: "auto" },
      ],
    },
  ]);
});

test("thoughts of another model, and one that nothing follows, are left out", async () => {
  const signature = JSON.stringify({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAA" });
  const thought = { type: "thinking", thinking: "", thinkingSignature: signature } as const;
  const { input } = await sent(
    requestOf(gpt, {
      messages: [
        user("hello"),
        answer({ ...gpt, id: "gpt-5" }, [thought, { type: "text", text: "Hi." }]),
        user("go on"),
        answer(gpt, [{ type: "text", text: "Well" }, thought]),
        user("and?"),
      ],
    }),
  );
  assert.not.match(JSON.stringify(input), "reasoning");
});

test("ids and names of other providers' calls are made to fit, calls and results alike", async () => {
  const long = "call|".padEnd(90, "x");
  await sent(
    requestOf(gpt, {
      messages: [
        user("hello"),
        answer({ ...gpt, provider: "other" }, [
          { type: "toolCall", id: long, name: "no such tool!", arguments: {} },
          { type: "toolCall", id: `${long}2`, name: "read", arguments: { __invalid: "{" } },
        ]),
        toolResult(long, "no such tool!", ""),
        toolResult(`${long}2`, "read", "two"),
      ],
    }),
  );
});

test("nothing is kept by the provider, and the request says how hard to think", async () => {
  const body = await sent(
    requestOf(gpt, { tools: [weatherTool], thinking: "high", maxTokens: 5, cacheKey: "k".repeat(80) }),
  );
  assert.equal([body["store"], body["include"]], [false, ["reasoning.encrypted_content"]]);
  assert.equal(body["reasoning"], { effort: "high", summary: "auto" });
  assert.equal([body["max_output_tokens"], body["prompt_cache_key"]], [16, "k".repeat(64)]);
  assert.is(body["instructions"], "Be brief.");
  assert.equal((await sent(requestOf(gpt)))["reasoning"], { effort: "none" });
  const unverified = { ...gpt, compat: { ...gpt.compat, supportsReasoningSummary: false } };
  assert.equal((await sent(requestOf(unverified, { thinking: "low" })))["reasoning"], { effort: "low" });
  const plain = await sent(requestOf({ ...gpt, reasoning: false }, { thinking: "high" }));
  assert.not.ok("reasoning" in plain || "include" in plain);
});

test("refusals of the model and of a filter are refusals", async () => {
  const { kind, failure } = await failed(responses.refusal);
  assert.is(kind, "refusal");
  assert.match(failure.message, "I can't help with that.");
  assert.is((await failed(responses.contentFilter)).kind, "refusal");
});

test("what goes wrong in the middle of an answer is a failure of its kind", async () => {
  assert.is((await failed(responses.failed)).kind, "overloaded");
  assert.is((await failed(responses.midStreamError)).kind, "rate_limit");
  assert.is((await failed(responses.cutOff)).kind, "network");
  assert.is((await failed(responses.endsEarly)).kind, "network");
  assert.is((await failed(responses.garbage)).kind, "format");
});

test("what the provider refuses says why and how long to wait", async () => {
  assert.is((await failed(refusals.exhausted)).kind, "billing");
  const { kind, failure } = await failed(refusals.rateLimited);
  assert.equal([kind, failure.retryAfterMs], ["rate_limit", 7000]);
});

test("models are listed", async () => {
  const models = await provider.models(callOf(openaiDouble({ script: responses.reasoning })));
  assert.equal(models, [{ id: "gpt-5.2" }, { id: "a/b" }, { id: "llama" }, { id: "served" }]);
});

function eventsOf(script: Script) {
  return collect(provider.stream(requestOf(gpt), callOf(openaiDouble({ script }))));
}

function said(script: Script) {
  return ask(provider, requestOf(gpt), callOf(openaiDouble({ script })));
}

function failed(script: Script) {
  return failureOf(provider, requestOf(gpt), callOf(openaiDouble({ script })));
}

async function sent(request: ModelRequest) {
  const double = openaiDouble({ script: responses.reasoning });
  await ask(provider, request, callOf(double));
  return double.bodies[0] ?? {};
}

test.run();
