import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { ollama } from "../../src/providers/ollama.ts";
import { isInvalidArguments } from "../../src/providers/provider-answer.ts";
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
import { ollamaDouble, qwen, scripts } from "../support/vendors/ollama.ts";

test("streams text and counts tokens", async () => {
  const double = ollamaDouble({ script: scripts.text });
  const message = await ask(ollama, requestOf(qwen), callOf(double));
  assert.equal(message.content, [{ type: "text", text: "Grüß Gott 👋🏽" }]);
  assert.equal([message.usage.input, message.usage.output, message.stopReason], [26, 282, "stop"]);
  assert.equal(double.bodies[0]?.["options"], { num_ctx: 40_960, num_predict: 8192 });
  assert.is(double.bodies[0]?.["think"], false);
});

test("tells thoughts from text", async () => {
  const call = callOf(ollamaDouble({ script: scripts.thinking }));
  const events = await collect(ollama.stream(requestOf(qwen, { thinking: "low" }), call));
  assert.equal(
    events.map(({ type }) => type),
    ["thinking", "thinking", "thought", "text", "text", "done"],
  );
});

test("gives calls, each with an id, and takes their results back", async () => {
  const double = ollamaDouble({ script: scripts.tools });
  const request = requestOf(qwen, { tools: [weatherTool] });
  const message = await ask(ollama, request, callOf(double));
  const calls = message.content.flatMap((part) => (part.type === "toolCall" ? [part] : []));
  assert.equal(
    calls.map(({ arguments: args }) => args),
    [{ location: "Zürich" }, { location: "Wien" }],
  );
  assert.is(message.stopReason, "toolUse");
  assert.is(new Set(calls.map(({ id }) => id)).size, 2);
  const results = calls.map(({ id, name }) => toolResult(id, name, "sunny"));
  await ask(ollama, { ...request, messages: [user("?"), message, ...results] }, callOf(double));
  assert.is((double.bodies[1]?.["messages"] as JsonObject[] | undefined)?.length, 5);
});

test("arguments that are text are read, and when that fails the runner can tell", async () => {
  const message = await ask(ollama, requestOf(qwen), callOf(ollamaDouble({ script: scripts.textArguments })));
  const [part] = message.content;
  assert.ok(part?.type === "toolCall" && isInvalidArguments(part.arguments));
});

test("shows pictures to models that see and says to others what is missing", async () => {
  const double = ollamaDouble({ script: scripts.text });
  await ask(ollama, requestOf({ ...qwen, images: true }, { messages: [user("look", picture)] }), callOf(double));
  await ask(ollama, requestOf(qwen, { messages: [user("look", picture)] }), callOf(double));
  const sent = double.bodies.map((body) => (body["messages"] as JsonObject[])[1]);
  assert.equal(sent[0], { role: "user", content: "look", images: [picture.data] });
  assert.equal(sent[1], { role: "user", content: "look\n[A picture is left out here: image/png]" });
});

test("gives thoughts back to the model that had them, and to no other", async () => {
  const double = ollamaDouble({ script: scripts.text });
  const thought = [
    { type: "thinking" as const, thinking: "hm" },
    { type: "text" as const, text: "yes" },
  ];
  for (const id of [qwen.id, "qwen3:32b"])
    await ask(
      ollama,
      requestOf(qwen, { messages: [user("?"), answer({ ...qwen, id }, thought), user("sure?")] }),
      callOf(double),
    );
  const answers = double.bodies.map((body) => (body["messages"] as JsonObject[])[2]?.["thinking"]);
  assert.equal(answers, ["hm", undefined]);
});

test("gpt-oss is told a level, and models that do not think are told nothing", async () => {
  const double = ollamaDouble({ script: scripts.text });
  await ask(ollama, requestOf({ ...qwen, id: "gpt-oss:20b" }, { thinking: "xhigh" }), callOf(double));
  await ask(ollama, requestOf({ ...qwen, id: "gemma3", reasoning: false }, { thinking: "high" }), callOf(double));
  assert.equal(
    double.bodies.map((body) => body["think"]),
    ["high", undefined],
  );
});

test("every failure has its kind", async () => {
  const kinds: Record<string, string> = {};
  for (const [name, script] of Object.entries(scripts)) {
    const request = requestOf(qwen, { tools: [weatherTool] });
    const failed = await failureOf(ollama, request, callOf(ollamaDouble({ script }))).catch(() => undefined);
    if (failed) kinds[name] = failed.kind;
  }
  assert.equal(kinds, {
    errorInStream: "unknown",
    cut: "network",
    early: "network",
    garbage: "format",
    noModel: "no_model",
    overloaded: "overloaded",
    tooLong: "context_length",
    noTools: "format",
  });
});

test("the base URL may be that of the OpenAI dialect, and no key is needed", async () => {
  const double = ollamaDouble({ script: scripts.noNewline });
  const endpoint = { baseUrl: "http://127.0.0.1:11434/v1", credential: undefined };
  const message = await ask(ollama, requestOf(qwen), callOf(double, endpoint));
  assert.equal(message.content, [{ type: "text", text: "fine" }]);
});

test("lists the models that are installed", async () => {
  assert.equal(await ollama.models(callOf(ollamaDouble({ script: scripts.text }))), [{ id: "qwen3:8b" }]);
});

for (const name of ["text", "thinking", "tools"] as const)
  test(`the ${name} stream means the same however its bytes are split`, async () => {
    const script = scripts[name];
    const split = await sameHoweverSplit(script.body, (chunking) =>
      collect(ollama.stream(requestOf(qwen), callOf(ollamaDouble({ script, chunking })))),
    );
    assert.is(split, undefined);
  });

test.run();
