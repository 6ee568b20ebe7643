// Over 300 lines: one test for each thing that the dialect is about, tables included.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { anthropic } from "../../src/providers/anthropic.ts";
import { isInvalidArguments } from "../../src/providers/provider-answer.ts";
import { thinkingLevels } from "../../src/providers/provider.ts";
import { anthropicDouble, claude, scripts } from "../support/vendors/anthropic.ts";
import {
  answer,
  ask,
  callOf,
  collect,
  failureOf,
  picture,
  requestOf,
  sameHoweverSplit,
  toolResult,
  user,
  weatherTool,
} from "../support/vendors/double.ts";

const signed = { type: "thinking", thinking: "hm", thinkingSignature: "EqQB" } as const;
const weatherCall = { type: "toolCall", id: "toolu_1", name: "get_weather", arguments: { location: "Wien" } } as const;

test("streams text and counts tokens and costs", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const events = await collect(anthropic.stream(requestOf(claude), callOf(double)));
  assert.equal(events.slice(0, -1), [
    { type: "text", delta: "Grüß" },
    { type: "text", delta: " Gott" },
    { type: "text", delta: " 👋🏽!" },
  ]);
  const last = events.at(-1);
  assert.is(last?.type, "done");
  if (last?.type !== "done") return;
  const { message } = last;
  assert.equal(message.content, [{ type: "text", text: "Grüß Gott 👋🏽!" }]);
  assert.is(message.stopReason, "stop");
  assert.is(message.responseId, "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY");
  assert.equal([message.api, message.provider, message.model], ["anthropic-messages", "anthropic", claude.id]);
  const { input, output, cacheRead, cacheWrite, totalTokens, cost } = message.usage;
  assert.equal([input, output, cacheRead, cacheWrite, totalTokens], [25, 15, 2000, 1000, 3040]);
  assert.is(cost.total.toFixed(6), ((25 * 3 + 15 * 15 + 2000 * 0.3 + 1000 * 3.75) / 1e6).toFixed(6));
});

test("gives thoughts with their proof, hidden ones too", async () => {
  const double = anthropicDouble({ script: scripts.thinking });
  const events = await collect(anthropic.stream(requestOf(claude, { thinking: "high" }), callOf(double)));
  const thoughts = events.flatMap((event) => (event.type === "thought" ? [event.part] : []));
  assert.is(thoughts.length, 2);
  assert.match(thoughts[0]?.thinking ?? "", /GCD of 1071 and 462…\n\n1071 = 2 × 462/);
  assert.match(thoughts[0]?.thinkingSignature ?? "", /^EqQB/);
  assert.equal(thoughts[1], {
    type: "thinking",
    thinking: "",
    thinkingSignature: "EmwKAhgBEgy3va3pzix",
    redacted: true,
  });
});

test("sends thoughts back unchanged to the model that had them, and to no other", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const thought = await ask(anthropic, requestOf(claude), callOf(anthropicDouble({ script: scripts.thinking })));
  const messages = [user("gcd?"), thought, user("sure?")];
  await ask(anthropic, requestOf(claude, { messages, thinking: "low" }), callOf(double));
  const other = { ...claude, id: "claude-opus-4-5" };
  await ask(anthropic, requestOf(other, { messages, thinking: "low" }), callOf(double));
  const types = double.bodies.map((body) => (body["messages"] as JsonObject[])[1]?.["content"] as JsonObject[]);
  assert.equal(
    types.map((blocks) => blocks.map((block) => block["type"])),
    [["thinking", "redacted_thinking", "text"], ["text"]],
  );
  assert.match(String(types[0]?.[0]?.["signature"]), /^EqQB/);
});

test("sends no thoughts where the model is not to think", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const model = { ...claude, id: "claude-haiku-5-5" };
  const messages = [user("?"), answer(model, [signed, { type: "text", text: "yes" }]), user("sure?")];
  await ask(anthropic, requestOf(model, { messages, thinking: "off" }), callOf(double));
  assert.not.match(JSON.stringify(double.bodies[0]?.["messages"]), /thinking/);
});

test("gives parallel calls with their arguments in full", async () => {
  const request = requestOf(claude, { tools: [weatherTool] });
  const message = await ask(anthropic, request, callOf(anthropicDouble({ script: scripts.tools })));
  const calls = message.content.flatMap((part) => (part.type === "toolCall" ? [part] : []));
  assert.equal(
    calls.map(({ id, arguments: args }) => [id, args]),
    [
      ["toolu_01T1x1fJ34qAmk2tNTrN7Up6", { location: "Zürich" }],
      ["toolu_02", { location: "Wien" }],
    ],
  );
  assert.is(message.stopReason, "toolUse");
});

test("a call without arguments has none, a cut one says so", async () => {
  const none = await ask(anthropic, requestOf(claude), callOf(anthropicDouble({ script: scripts.noArguments })));
  const cut = await ask(anthropic, requestOf(claude), callOf(anthropicDouble({ script: scripts.brokenArguments })));
  const [first, second] = [none, cut].map(({ content }) => content[0]);
  assert.equal(first?.type === "toolCall" && first.arguments, {});
  assert.ok(second?.type === "toolCall" && isInvalidArguments(second.arguments));
  assert.is(cut.stopReason, "length");
});

test("sends results, pictures and calls of other models as Anthropic takes them", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const foreign = { ...weatherCall, id: "call_abc|fc_" + "0".repeat(80), name: "functions.get_weather" };
  const messages = [
    user("look", picture),
    answer({ api: "openai-responses", provider: "openai", id: "gpt-5.2" }, [
      signed,
      { type: "text", text: " \n" },
      foreign,
    ]),
    user("meanwhile"),
    toolResult(foreign.id, "get_weather", "sunny", picture),
    toolResult("toolu_orphan", "get_weather", "nobody asked"),
    answer(claude, [signed, weatherCall, { ...weatherCall, id: "toolu_lost" }]),
    { ...toolResult("toolu_1", "get_weather", ""), isError: true },
    user("and now?", { type: "image", mimeType: "image/tiff", data: "AAAA", fileName: "scan.tiff" }),
  ];
  await ask(anthropic, requestOf(claude, { messages, tools: [weatherTool] }), callOf(double));
  const text = JSON.stringify(double.bodies[0]);
  assert.match(text, /"media_type":"image\/png"/);
  assert.match(text, /\(no output\)/);
  assert.match(text, /interrupted and has no result/);
  assert.match(text, /A picture is left out here: scan\.tiff/);
  assert.not.match(text, /nobody asked/);
});

test("marks the prompt's cache at the tools, the system prompt and the last two turns of the user", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const messages = [user("1"), answer(claude, [{ type: "text", text: "one" }]), user("2")];
  const more = [...messages, answer(claude, [{ type: "text", text: "two" }]), user("3")];
  await ask(anthropic, requestOf(claude, { messages: more, tools: [weatherTool] }), callOf(double));
  const plain = { ...claude, compat: { supportsCacheControl: false } };
  await ask(anthropic, requestOf(plain, { messages: more, tools: [weatherTool] }), callOf(double));
  const [marked, unmarked] = double.bodies.map((body) => JSON.stringify(body).match(/cache_control/g)?.length ?? 0);
  assert.equal([marked, unmarked], [4, 0]);
  assert.not.match(JSON.stringify((double.bodies[0]?.["messages"] as JsonObject[] | undefined)?.[0]), /cache_control/);
});

test("asks each generation of models to think in its own way, at every level", async () => {
  const ids = [
    "claude-3-7-sonnet-20250219",
    "claude-sonnet-4-20250514",
    "claude-opus-4-1",
    "claude-haiku-4-5-20251001",
    "anthropic/claude-opus-4.6",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5",
    "claude-fable-5",
    "claude-fable-5-1",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-opus-6",
  ];
  const ways: Record<string, string> = {};
  for (const id of ids) {
    const seen = new Set<string>();
    for (const thinking of thinkingLevels) {
      const double = anthropicDouble({ script: scripts.text });
      const request = requestOf({ ...claude, id }, { thinking, temperature: 0.5, tools: [weatherTool] });
      await ask(anthropic, request, callOf(double));
      const sent = double.bodies[0]?.["thinking"] as JsonObject | undefined;
      const binding = sent?.["block_binding"] === undefined ? "" : "+bound";
      seen.add(`${sent === undefined ? "none" : String(sent["type"])}${binding}`);
    }
    ways[id] = [...seen].join(" ");
  }
  assert.equal(ways, {
    "claude-3-7-sonnet-20250219": "none enabled",
    "claude-sonnet-4-20250514": "none enabled",
    "claude-opus-4-1": "none enabled",
    "claude-haiku-4-5-20251001": "none enabled",
    "anthropic/claude-opus-4.6": "none adaptive",
    "claude-opus-4-6": "none adaptive",
    "claude-sonnet-4-6": "none adaptive",
    "claude-opus-4-7": "none adaptive",
    "claude-opus-4-8": "none adaptive",
    "claude-opus-5": "disabled adaptive",
    "claude-sonnet-5": "disabled adaptive",
    "claude-fable-5": "adaptive",
    "claude-fable-5-1": "adaptive+bound",
    "claude-opus-5-5": "adaptive+bound",
    "claude-sonnet-5-5": "between_tools adaptive+bound",
    "claude-haiku-5-5": "disabled adaptive+bound",
    "claude-opus-6": "adaptive+bound",
  });
});

test("thoughts leave room for the answer, and are left out where there is none", async () => {
  const double = anthropicDouble({ script: scripts.text });
  for (const maxTokens of [1, 2047, 2048, 8000])
    await ask(anthropic, requestOf(claude, { thinking: "xhigh", maxTokens }), callOf(double));
  const budgets = double.bodies.map((body) => (body["thinking"] as JsonObject | undefined)?.["budget_tokens"]);
  assert.equal(budgets, [undefined, undefined, 1024, 6976]);
});

test("continues the tools of another model without thoughts, which Anthropic would miss", async () => {
  const double = anthropicDouble({ script: scripts.text });
  const other = answer({ api: "openai-completions", provider: "groq", id: "llama" }, [weatherCall]);
  const messages = [user("weather?"), other, toolResult("toolu_1", "get_weather", "sunny")];
  await ask(anthropic, requestOf(claude, { messages, thinking: "high" }), callOf(double));
  const own = answer(claude, [signed, weatherCall]);
  await ask(
    anthropic,
    requestOf(claude, { messages: [user("?"), own, ...messages.slice(2)], thinking: "high" }),
    callOf(double),
  );
  assert.equal(
    double.bodies.map((body) => body["thinking"] !== undefined),
    [false, true],
  );
});

test("takes keys, tokens and a base URL with or without the version", async () => {
  const seen: string[] = [];
  const double = anthropicDouble({ script: scripts.text });
  const watching = {
    answer: async (request: Request) => {
      const { headers } = request;
      seen.push([request.url, headers.get("x-api-key"), headers.get("authorization"), headers.get("x-team")].join(" "));
      return await double.answer(request);
    },
  };
  await ask(anthropic, requestOf(claude), callOf(watching, { baseUrl: "https://a.test/v1/" }));
  const token = { kind: "token", secret: "key-of-the-test" } as const;
  await ask(anthropic, requestOf(claude), callOf(watching, { credential: token, headers: { "X-Team": "red" } }));
  assert.equal(seen, [
    "https://a.test/v1/messages key-of-the-test  ",
    "https://vendor.test/v1/messages  Bearer key-of-the-test red",
  ]);
});

test("every failure has its kind", async () => {
  const kinds: Record<string, string> = {};
  for (const [name, script] of Object.entries(scripts)) {
    const call = callOf(anthropicDouble({ script }));
    const failed = await failureOf(anthropic, requestOf(claude, { tools: [weatherTool] }), call).catch(() => undefined);
    if (failed) kinds[name] = failed.kind;
  }
  assert.equal(kinds, {
    refusal: "refusal",
    overloadedInStream: "overloaded",
    cut: "network",
    early: "network",
    garbage: "format",
    noJson: "format",
    page: "format",
    rateLimited: "rate_limit",
    overloaded: "overloaded",
    noCredit: "billing",
    tooLong: "context_length",
    noModel: "no_model",
  });
});

test("says how long to wait, what was refused and why", async () => {
  const limited = await failureOf(
    anthropic,
    requestOf(claude),
    callOf(anthropicDouble({ script: scripts.rateLimited })),
  );
  assert.is(limited.failure.retryAfterMs, 7000);
  assert.is(limited.failure.retryable, true);
  assert.match(limited.failure.message, /HTTP 429, rate_limit_error\): This request would exceed/);
  const refusal = await failureOf(anthropic, requestOf(claude), callOf(anthropicDouble({ script: scripts.refusal })));
  assert.match(refusal.failure.message, /declines to answer: This may cause harm\./);
  const key = await failureOf(
    anthropic,
    requestOf(claude),
    callOf(anthropicDouble({ script: scripts.text, key: "other" })),
  );
  assert.is(key.kind, "auth");
});

test("events, blocks and deltas of unknown types are passed over", async () => {
  const message = await ask(anthropic, requestOf(claude), callOf(anthropicDouble({ script: scripts.future })));
  assert.equal(message.content, [{ type: "text", text: "fine" }]);
});

test("lists the models of all pages", async () => {
  const listed = await anthropic.models(callOf(anthropicDouble({ script: scripts.text })));
  assert.equal(
    listed.map(({ id }) => id),
    ["claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"],
  );
  assert.is(listed[0]?.name, "CLAUDE-OPUS-4-6");
});

for (const name of ["text", "thinking", "tools"] as const)
  test(`the ${name} stream means the same however its bytes are split`, async () => {
    const script = scripts[name];
    const split = await sameHoweverSplit(script.body, (chunking) =>
      collect(anthropic.stream(requestOf(claude), callOf(anthropicDouble({ script, chunking })))),
    );
    assert.is(split, undefined);
  });

test.run();
