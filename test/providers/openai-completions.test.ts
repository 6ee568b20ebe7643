import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { knownModel } from "../../src/providers/facts.ts";
import { completionsRequest } from "../../src/providers/openai-completions-request.ts";
import { openaiCompletions as provider } from "../../src/providers/openai-completions.ts";
import type { ModelRequest, ModelSpec, ProviderCall } from "../../src/providers/provider.ts";
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
import { completions, refusals } from "../support/vendors/openai-scripts.ts";
import { openaiDouble } from "../support/vendors/openai.ts";

const plain: ModelSpec = {
  provider: "own",
  id: "m1",
  name: "M1",
  api: "openai-completions",
  reasoning: false,
  images: true,
  contextWindow: 128_000,
  maxTokens: 16_000,
  cost: { input: 2.5, output: 10, cacheRead: 1.25, cacheWrite: 0 },
  compat: {},
};

test("a text is streamed, with its usage and what it costs", async () => {
  const events = await eventsOf(completions.text);
  assert.equal(events.slice(0, 3), [
    { type: "text", delta: "Grüß" },
    { type: "text", delta: " dich, 世界 " },
    { type: "text", delta: "👋" },
  ]);
  const message = await said(completions.text);
  assert.equal(message.content, [{ type: "text", text: "Grüß dich, 世界 👋" }]);
  assert.is(message.stopReason, "stop");
  assert.is(message.responseId, "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG");
  assert.equal([message.api, message.provider, message.model], ["openai-completions", "own", "m1"]);
  const { cost, ...tokens } = message.usage;
  assert.equal(tokens, { input: 100, output: 40, cacheRead: 1000, cacheWrite: 0, totalTokens: 1140 });
  assert.is(cost.total, (100 * 2.5 + 1000 * 1.25 + 40 * 10) / 1e6);
});

test("parallel calls that are split over chunks come out whole and in order", async () => {
  const events = await eventsOf(completions.parallelCalls);
  assert.equal(
    events.map(({ type }) => type),
    ["toolCall", "toolCall", "done"],
  );
  const message = await said(completions.parallelCalls);
  assert.is(message.stopReason, "toolUse");
  assert.equal(message.content, [
    { type: "toolCall", id: "call_A", name: "read", arguments: { path: "ä.md" } },
    { type: "toolCall", id: "call_B", name: "read", arguments: { path: "b.md" } },
  ]);
});

test("arguments that are no JSON are marked as such", async () => {
  const { content } = await said(completions.invalidArguments);
  assert.equal(content, [{ type: "toolCall", id: "call_A", name: "read", arguments: { __invalid: '{"pa' } }]);
});

test("whole calls with one index, arguments as an object and the reason stop are understood", async () => {
  const message = await said(completions.sloppyCalls);
  assert.is(message.stopReason, "toolUse");
  assert.equal(
    message.content.map((part) => part.type === "toolCall" && [part.id, part.arguments]),
    [
      ["x1", { path: "a" }],
      ["x2", { path: "b" }],
    ],
  );
});

test("thoughts are told from the answer, and end before it begins", async () => {
  const events = await eventsOf(completions.reasoningContent);
  assert.equal(
    events.map(({ type }) => type),
    ["thinking", "thinking", "thought", "text", "done"],
  );
  const { content, usage } = await said(completions.reasoningContent);
  assert.equal(content, [
    { type: "thinking", thinking: "The user greets." },
    { type: "text", text: "Hello!" },
  ]);
  assert.equal([usage.input, usage.cacheRead], [44, 256]);
});

test("thoughts in Mistral's lists are thoughts", async () => {
  assert.equal((await said(completions.mistralThinking)).content, [
    { type: "thinking", thinking: "Easy." },
    { type: "text", text: "Four." },
  ]);
});

test("a thought in tags at the beginning is a thought", async () => {
  const { content } = await said(completions.thinkTags);
  const [thought, text] = content;
  assert.is(thought?.type === "thinking" && thought.thinking, "\nA < B ");
  assert.equal(text, { type: "text", text: "Yes: <think>" });
});

test("a thought in tags without end is no answer, and half a tag is text", async () => {
  const body = (text: string) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content: text }, finish_reason: "length" }] })}\n\n`;
  assert.equal((await said({ body: body("<think>Hm") })).content, [{ type: "thinking", thinking: "Hm" }]);
  assert.equal((await said({ body: body("<thi") })).content, [{ type: "text", text: "<thi" }]);
});

test("thoughts that are counted in the total alone are output", async () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 };
  const body = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }], usage })}\n\n`;
  assert.is((await said({ body })).usage.output, 105);
});

test("an answer that is too long says so", async () => {
  assert.is((await said(completions.length)).stopReason, "length");
});

test("a server may leave out [DONE], but not why it stopped", async () => {
  assert.equal((await said(completions.withoutDone)).content, [{ type: "text", text: "Hi" }]);
  assert.is((await failed(completions.endsEarly)).kind, "network");
});

test("OpenRouter's thoughts go back as they came, its comments are nothing, its price is taken", async () => {
  const model = known("openrouter", "auto");
  const double = openaiDouble({ script: completions.openrouter, vendor: "openrouter" });
  const call = callOf(double, { provider: "openrouter", baseUrl: "https://openrouter.ai/api/v1" });
  const message = await ask(provider, requestOf(model, { tools: [weatherTool], thinking: "low" }), call);
  assert.equal(double.bodies[0]?.["model"], "openrouter/auto");
  assert.equal(double.bodies[0]?.["reasoning"], { effort: "low" });
  assert.is(message.usage.cost.total, 0.0125);
  await ask(
    provider,
    requestOf(model, { messages: [user("hello"), message, toolResult("toolu_1", "read", "text")] }),
    call,
  );
  const messages = double.bodies[1]?.["messages"] as Array<Record<string, unknown>>;
  assert.equal(messages[2]?.["reasoning_details"], [
    {
      type: "reasoning.text",
      text: "I should look.",
      signature: "c2ln",
      format: "anthropic-claude-v1",
      index: 0,
    },
  ]);
});

test("OpenRouter is told which program asks, and nobody else", async () => {
  for (const [baseUrl, title] of [
    ["https://openrouter.ai/api/v1", "Clawlet"],
    ["https://openrouter.ai.evil.test/api/v1", null],
  ] as const) {
    let seen: Headers | undefined;
    const double = openaiDouble({ script: completions.text });
    const answer = (request: Request): Promise<Response> => {
      seen = request.headers;
      return double.answer(request);
    };
    await ask(provider, requestOf(plain), callOf({ answer }, { baseUrl }));
    assert.is(seen?.get("x-title"), title);
  }
});

test("models of Anthropic behind a gateway are told what to cache", async () => {
  const { messages } = await sent(requestOf(known("openrouter", "anthropic/claude-opus-4.5")), "openrouter");
  assert.equal(messages, [
    { role: "system", content: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }] },
    { role: "user", content: [{ type: "text", text: "hello", cache_control: { type: "ephemeral" } }] },
  ]);
});

test("who wants its thoughts back gets them, and an empty one with calls that had none", async () => {
  const model = known("deepseek", "deepseek-v4-flash");
  const call = { type: "toolCall", id: "call_1", name: "read", arguments: {} } as const;
  const request = requestOf(model, {
    thinking: "high",
    messages: [
      user("hello"),
      answer(model, [{ type: "thinking", thinking: "Hm." }, call]),
      toolResult("call_1", "read", "one"),
      answer({ ...model, provider: "other" }, [
        { type: "thinking", thinking: "Foreign." },
        { ...call, id: "call_2" },
      ]),
      toolResult("call_2", "read", "two"),
    ],
  });
  const body = await sent(request, "deepseek");
  const messages = body["messages"] as Array<Record<string, unknown>>;
  assert.equal(
    messages.filter(({ role }) => role === "assistant").map((message) => message["reasoning_content"]),
    ["Hm.", ""],
  );
  assert.equal([body["thinking"], body["reasoning_effort"]], [{ type: "enabled" }, "high"]);
});

test("pictures are data URLs; those of results follow after the last result", async () => {
  const calls = ["call_1", "call_2"].map((id) => ({ type: "toolCall" as const, id, name: "read", arguments: {} }));
  const { messages } = await sent(
    requestOf(plain, {
      messages: [
        user("look", picture),
        answer(plain, calls),
        toolResult("call_1", "read", picture),
        toolResult("call_2", "read", "text"),
      ],
    }),
  );
  const list = messages as Array<Record<string, unknown>>;
  assert.is(roles({ messages }), "system user assistant tool tool user");
  const url = `data:image/png;base64,${picture.data}`;
  assert.equal(list[1]?.["content"], [
    { type: "text", text: "look" },
    { type: "image_url", image_url: { url } },
  ]);
  assert.equal(list[5]?.["content"], [
    { type: "text", text: "Pictures from the results of the tools:" },
    { type: "image_url", image_url: { url } },
  ]);
});

test("pictures of results are shown once, before what comes after them", async () => {
  const call = (id: string) => answer(plain, [{ type: "toolCall", id, name: "read", arguments: {} }]);
  const first = [user("look"), call("call_1"), toolResult("call_1", "read", picture), user("wait")];
  const messages = [...first, call("call_2"), toolResult("call_2", "read", "text")];
  const body = await sent(requestOf(plain, { messages }));
  assert.is(roles(body), "system user assistant tool user user assistant tool");
  const compat = { requiresAssistantAfterToolResult: true, requiresToolResultName: true };
  const careful = await sent(requestOf({ ...plain, compat }, { messages: [...messages, user("so?")] }));
  assert.is(roles(careful), "system user assistant tool assistant user user assistant tool assistant user");
  assert.is((careful["messages"] as Array<Record<string, unknown>>)[3]?.["name"], "read");
});

test("a model that cannot see is told that there was a picture", async () => {
  const { messages } = await sent(requestOf({ ...plain, images: false }, { messages: [user("look", picture)] }));
  assert.match(String((messages as Array<Record<string, unknown>>)[1]?.["content"]), "look\n[A picture is left out");
});

test("ids and names of other providers' calls are made to fit, calls and results alike", async () => {
  const mistral = known("mistral", "mistral-large-latest");
  const long = "toolu_".padEnd(70, "x");
  const history = {
    messages: [
      user("hello"),
      answer(plain, [
        { type: "toolCall", id: long, name: "no such tool!", arguments: {} },
        { type: "toolCall", id: `${long}2`, name: "read", arguments: { __invalid: "{" } },
      ]),
      toolResult(`${long}2`, "read", "two"),
      toolResult(long, "no such tool!", ""),
    ],
  };
  await sent(requestOf(mistral, history), "mistral");
  await sent(requestOf(plain, history));
});

test("fields that only OpenAI knows go to OpenAI alone", async () => {
  const request = { maxTokens: 500, cacheKey: "k".repeat(80), temperature: 0.5, thinking: "xhigh" as const };
  const openai = await sent(requestOf({ ...known("openai", "gpt-5.2"), api: "openai-completions" }, request));
  assert.equal(
    [openai["max_completion_tokens"], openai["max_tokens"], openai["prompt_cache_key"], openai["reasoning_effort"]],
    [500, undefined, "k".repeat(64), "xhigh"],
  );
  assert.is((openai["messages"] as Array<Record<string, unknown>>)[0]?.["role"], "developer");
  const other = await sent(requestOf(plain, request));
  assert.equal(Object.keys(other).sort(), [
    "max_tokens",
    "messages",
    "model",
    "stream",
    "stream_options",
    "temperature",
  ]);
});

test("the level of thinking becomes the nearest effort that the model knows", async () => {
  const effort = async (compat: ModelSpec["compat"], thinking: ModelRequest["thinking"]) =>
    (await sent(requestOf({ ...plain, reasoning: true, compat }, { thinking })))["reasoning_effort"];
  assert.is(await effort({}, "off"), undefined);
  assert.is(await effort({}, "minimal"), "low");
  assert.is(await effort({}, "xhigh"), "high");
  assert.is(await effort({ efforts: "none low medium high xhigh" }, "off"), "none");
  assert.is(await effort({ efforts: "none low medium high xhigh" }, "minimal"), "low");
  assert.is(await effort({ efforts: "none high" }, "low"), "high");
  assert.is(await effort({ efforts: "high max" }, "xhigh"), "max");
  assert.is(await effort({ supportsReasoningEffort: false }, "high"), undefined);
  assert.is(await effort({ thinkingFormat: "none" }, "high"), undefined);
});

test("who is told in another way how hard to think is told so", async () => {
  const fields = (format: string, thinking: ModelRequest["thinking"]) => {
    const model = { ...plain, reasoning: true, compat: { thinkingFormat: format } };
    const { thinking: type, enable_thinking: enabled } = completionsRequest(requestOf(model, { thinking }));
    return type ?? enabled;
  };
  assert.equal([fields("zai", "low"), fields("zai", "off")], [{ type: "enabled" }, { type: "disabled" }]);
  assert.equal([fields("qwen", "low"), fields("qwen", "off")], [true, false]);
});

test("a server that counts unasked is not asked to", async () => {
  const body = await sent(requestOf({ ...plain, compat: { supportsUsageInStreaming: false } }));
  assert.not.ok("stream_options" in body);
});

test("refusals of the model and of a filter are refusals", async () => {
  const { kind, failure } = await failed(completions.refusal);
  assert.is(kind, "refusal");
  assert.match(failure.message, "I'm sorry, I can't help with that.");
  assert.is((await failed(completions.contentFilter)).kind, "refusal");
});

test("what goes wrong in the middle of an answer is a failure of its kind", async () => {
  const { kind, failure } = await failed(completions.midStreamError);
  assert.is(kind, "overloaded");
  assert.match(failure.message, "Provider disconnected unexpectedly");
  assert.is((await failed(completions.cutOff)).kind, "network");
  assert.is((await failed(completions.garbage)).kind, "format");
});

test("what the provider refuses says why and how long to wait", async () => {
  const kinds = { rateLimited: "rate_limit", exhausted: "billing", overloaded: "overloaded", unauthorized: "auth" };
  for (const [name, kind] of Object.entries({ ...kinds, tooLong: "context_length", noModel: "no_model" }))
    assert.is((await failed(refusals[name as keyof typeof refusals])).kind, kind, name);
  assert.is((await failed(refusals.rateLimited)).failure.retryAfterMs, 7000);
});

test("threat G a key that the provider repeats is not in the message", async () => {
  const { failure } = await failed(refusals.unauthorized);
  assert.not.match(failure.message, "key-of-the-test");
  assert.not.match(JSON.stringify(failure.details), "key-of-the-test");
});

test("threat A no key goes to where a redirect points", async () => {
  const asked: string[] = [];
  const answer = async (request: Request): Promise<Response> => {
    asked.push(new URL(request.url).origin);
    return new Response(null, { status: 307, headers: { location: "https://evil.test/v1/chat/completions" } });
  };
  const { kind } = await failureOf(provider, requestOf(plain), callOf({ answer }));
  assert.is(kind, "format");
  assert.equal(asked, ["https://vendor.test"]);
});

test("an answer with calls without end is cut short", async () => {
  const calls = Array.from({ length: 200 }, (_, index) => ({ index, id: `c${index}`, function: { name: "read" } }));
  const body = `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: calls } }] })}\n\n`;
  assert.is((await failed({ body })).kind, "format");
});

test("an abort in the middle closes the connection and throws aborted", async () => {
  const stop = new AbortController();
  let closed = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(completions.cutOff.body)),
    cancel: () => void (closed = true),
  });
  const headers = { "content-type": "text/event-stream" };
  const call: ProviderCall = {
    ...callOf({ answer: async () => new Response(body, { headers }) }),
    signal: stop.signal,
  };
  let code = "";
  try {
    for await (const event of provider.stream(requestOf(plain), call)) if (event.type === "text") stop.abort();
  } catch (error) {
    code = (error as { code: string }).code;
  }
  assert.equal([code, closed], ["aborted", true]);
});

test("models are listed with what the provider says of them", async () => {
  const models = await provider.models(callOf(openaiDouble({ script: completions.text })));
  assert.equal(models, [
    { id: "gpt-5.2", name: undefined, contextWindow: undefined, maxTokens: undefined },
    { id: "a/b", name: "A: B", contextWindow: 200_000, maxTokens: 64_000 },
    { id: "llama", name: undefined, contextWindow: 131_072, maxTokens: 32_768 },
    { id: "served", name: undefined, contextWindow: 4096, maxTokens: undefined },
  ]);
});

function known(id: string, model: string): ModelSpec {
  const found = knownModel(id, model);
  if (!found) throw new Error(`${id}/${model} is not in the table`);
  return found;
}

function roles({ messages }: JsonObject): string {
  return (messages as JsonObject[]).map(({ role }) => role).join(" ");
}

function eventsOf(script: Script) {
  return collect(provider.stream(requestOf(plain), callOf(openaiDouble({ script }))));
}

function said(script: Script) {
  return ask(provider, requestOf(plain), callOf(openaiDouble({ script })));
}

function failed(script: Script) {
  return failureOf(provider, requestOf(plain), callOf(openaiDouble({ script })));
}

async function sent(request: ModelRequest, vendor?: "openrouter" | "deepseek" | "mistral") {
  const double = openaiDouble({ script: completions.text, ...(vendor ? { vendor } : {}) });
  await ask(provider, request, callOf(double));
  return double.bodies[0] ?? {};
}

test.run();
