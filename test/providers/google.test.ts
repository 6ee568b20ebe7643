import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { google } from "../../src/providers/google.ts";
import { thinkingLevels } from "../../src/providers/provider.ts";
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
import { gemini, googleDouble, scripts } from "../support/vendors/google.ts";

const weatherCall = { type: "toolCall", id: "call_1", name: "get_weather", arguments: { location: "Wien" } } as const;

test("streams text and counts tokens and costs", async () => {
  const events = await collect(google.stream(requestOf(gemini), callOf(googleDouble({ script: scripts.text }))));
  assert.equal(
    events.flatMap((event) => (event.type === "text" ? [event.delta] : [])),
    ["Grüß", " Gott 👋🏽", "!"],
  );
  const last = events.at(-1);
  assert.is(last?.type, "done");
  if (last?.type !== "done") return;
  assert.equal(last.message.content, [{ type: "text", text: "Grüß Gott 👋🏽!" }]);
  assert.equal([last.message.stopReason, last.message.responseId], ["stop", "mAitaLmkHPPlz7IPvtfUqQ4"]);
  const { input, output, cacheRead, cost } = last.message.usage;
  assert.equal([input, output, cacheRead], [10, 12, 1000]);
  assert.is(cost.total.toFixed(8), ((10 * 0.5 + 12 * 3 + 1000 * 0.05) / 1e6).toFixed(8));
});

test("tells thoughts from text and keeps the proof that comes last", async () => {
  const events = await collect(
    google.stream(requestOf(gemini, { thinking: "high" }), callOf(googleDouble({ script: scripts.thinking }))),
  );
  assert.equal(
    events.map(({ type }) => type),
    ["thinking", "thinking", "thought", "text", "text", "done"],
  );
  const last = events.at(-1);
  assert.equal(last?.type === "done" && last.message.content, [
    { type: "thinking", thinking: "**Euclid**\n1071 = 2 × 462 + 147" },
    { type: "text", text: "It is 21.", textSignature: "CpcHAXLI" },
  ]);
});

test("gives parallel calls, each with an id, and their proof back with the results", async () => {
  const call = callOf(googleDouble({ script: scripts.tools }));
  const message = await ask(google, requestOf(gemini, { tools: [weatherTool] }), call);
  const calls = message.content.flatMap((part) => (part.type === "toolCall" ? [part] : []));
  assert.is(message.stopReason, "toolUse");
  assert.is(calls[0]?.id, "fc-1");
  assert.match(calls[1]?.id ?? "", /^call_[0-9a-f]{24}$/);
  const results = calls.map(({ id }, index) => toolResult(id, "get_weather", `${index}°`));
  const double = googleDouble({ script: scripts.text });
  await ask(google, requestOf(gemini, { messages: [user("?"), message, ...results] }), callOf(double));
  assert.match(JSON.stringify(double.bodies[0]), /"thoughtSignature":"CtUBAXLI"/);
  assert.match(JSON.stringify(double.bodies[0]), /"response":\{"output":"1°"\}/);
});

test("calls of other models go without their proof, which Gemini 3 is told of", async () => {
  const double = googleDouble({ script: scripts.text });
  const signed = { ...weatherCall, thoughtSignature: "Foreign" };
  const messages = [
    user("weather?"),
    answer({ ...gemini, id: "gemini-2.5-pro" }, [signed, { ...signed, id: "call_2" }]),
    toolResult("call_1", "get_weather", "sunny", picture),
    { ...toolResult("call_2", "get_weather", "no such place"), isError: true },
    user("look", picture, { type: "image", mimeType: "image/gif", data: "R0lG" }),
  ];
  await ask(google, requestOf(gemini, { messages }), callOf(double));
  await ask(google, requestOf({ ...gemini, id: "gemini-2.5-flash" }, { messages }), callOf(double));
  const [newer, older] = double.bodies.map((body) => JSON.stringify(body));
  assert.is(newer?.match(/"thoughtSignature":"skip_thought_signature_validator"/g)?.length, 1);
  assert.not.match(older ?? "", /thoughtSignature/);
  assert.not.match(newer ?? "", /Foreign/);
  assert.match(newer ?? "", /"response":\{"error":"no such place"\}/);
  assert.is(newer?.match(/"inlineData"/g)?.length, 2);
  assert.match(newer ?? "", /A picture is left out here: image\/gif/);
});

test("declares tools in what Gemini knows of JSON Schema", async () => {
  const double = googleDouble({ script: scripts.text });
  await ask(google, requestOf(gemini, { tools: [weatherTool] }), callOf(double));
  const tools = double.bodies[0]?.["tools"] as Array<{ functionDeclarations: JsonObject[] }> | undefined;
  assert.equal(tools?.[0]?.functionDeclarations[0]?.["parametersJsonSchema"], {
    type: "object",
    properties: { location: { type: "string", description: "City." }, unit: { enum: ["celsius"] } },
    required: ["location"],
    additionalProperties: false,
  });
});

test("asks each generation of models to think in its own way, at every level", async () => {
  const ways: Record<string, string> = {};
  for (const id of [
    "gemini-2.0-flash",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-3-pro-preview",
    "gemini-3.1-pro-preview",
    "gemini-3-flash-preview",
  ]) {
    const sent: unknown[] = [];
    for (const thinking of thinkingLevels) {
      const double = googleDouble({ script: scripts.text });
      await ask(google, requestOf({ ...gemini, id }, { thinking }), callOf(double));
      const config = double.bodies[0]?.["generationConfig"] as JsonObject;
      const asked = config["thinkingConfig"] as JsonObject | undefined;
      sent.push(asked?.["thinkingLevel"] ?? asked?.["thinkingBudget"] ?? "-");
      assert.is(asked?.["includeThoughts"] ?? false, asked !== undefined && thinking !== "off");
    }
    ways[id] = sent.join(" ");
  }
  assert.equal(ways, {
    "gemini-2.0-flash": "- - - - - -",
    "gemini-2.5-pro": "128 1024 4096 8192 16384 24576",
    "gemini-2.5-flash": "0 1024 4096 8192 16384 24576",
    "gemini-2.5-flash-lite": "0 1024 4096 8192 16384 24576",
    "gemini-3-pro-preview": "low low low high high high",
    "gemini-3.1-pro-preview": "low low low medium high high",
    "gemini-3-flash-preview": "minimal minimal low medium high high",
  });
});

test("every failure has its kind", async () => {
  const kinds: Record<string, string> = {};
  for (const [name, script] of Object.entries(scripts)) {
    const request = requestOf(gemini, { tools: [weatherTool] });
    const failed = await failureOf(google, request, callOf(googleDouble({ script }))).catch(() => undefined);
    if (failed) kinds[name] = failed.kind;
  }
  assert.equal(kinds, {
    blockedPrompt: "refusal",
    blockedAnswer: "refusal",
    recited: "refusal",
    malformedCall: "unknown",
    errorInStream: "overloaded",
    cut: "network",
    early: "network",
    garbage: "format",
    rateLimited: "rate_limit",
    outOfQuota: "billing",
    overloaded: "overloaded",
    tooLong: "context_length",
    noModel: "no_model",
    forbidden: "auth",
  });
});

test("says how long to wait and why an answer is withheld", async () => {
  const limited = await failureOf(google, requestOf(gemini), callOf(googleDouble({ script: scripts.rateLimited })));
  assert.is(limited.failure.retryAfterMs, 34_070);
  const recited = await failureOf(google, requestOf(gemini), callOf(googleDouble({ script: scripts.recited })));
  assert.match(recited.failure.message, /Quotes a book\./);
  const key = await failureOf(google, requestOf(gemini), callOf(googleDouble({ script: scripts.text, key: "other" })));
  assert.is(key.kind, "auth");
});

test("the base URL may have its version", async () => {
  const double = googleDouble({ script: scripts.text });
  await ask(google, requestOf(gemini), callOf(double, { baseUrl: "https://vendor.test/v1beta/" }));
  assert.is(double.bodies.length, 1);
});

test("lists the models of all pages that write text", async () => {
  const listed = await google.models(callOf(googleDouble({ script: scripts.text })));
  assert.equal(
    listed.map(({ id, contextWindow }) => [id, contextWindow]),
    [
      ["gemini-3-flash-preview", 1_048_576],
      ["gemini-2.5-pro", 1_048_576],
    ],
  );
});

for (const name of ["text", "thinking", "tools"] as const)
  test(`the ${name} stream means the same however its bytes are split`, async () => {
    const script = scripts[name];
    const split = await sameHoweverSplit(script.body, (chunking) =>
      collect(google.stream(requestOf(gemini), callOf(googleDouble({ script, chunking })))),
    );
    assert.is(split, undefined);
  });

test.run();
