import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { Failure } from "../../src/kit/error.ts";
import { invalidArguments } from "../../src/providers/provider-answer.ts";
import { textOf, type Message } from "../../src/session/message.ts";
import { tool, type Tool, type ToolContext, type ToolResult } from "../../src/tools/tool.ts";
import { scriptedRunner, type Reply } from "../support/scripted-model.ts";
import { settle } from "../support/fake-clock.ts";

test("a tool's result goes back to the model, and both are written before they are told", async () => {
  const { run, say, events, messages, model } = await scriptedRunner(
    [{ text: "Let me see.", calls: [{ name: "look", arguments: { at: "x" } }] }, { text: "It is y." }],
    { tools: [reader("look", ({ at }) => text(`${at} is y`))] },
  );
  await say("what is x?");
  const outcome = await run();
  assert.equal(outcome.payloads, [{ text: "Let me see." }, { text: "It is y." }]);
  assert.equal((await messages()).map(textOf), ["what is x?", "Let me see.", "x is y", "It is y."]);
  assert.equal(model.requests[1]?.messages.map(textOf), ["what is x?", "Let me see.", "x is y"]);
  assert.equal(
    events.slice(4).map(({ type }) => type),
    ["text", "entry", "usage", "tool-start", "tool-end", "entry", "model", "text", "entry", "usage"],
  );
  assert.is(outcome.usage.totalTokens, 30);
});

test("calls that only read run four at a time, and their results keep the order of the calls", async () => {
  let running = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const slow = reader("slow", async ({ at }) => {
    most = Math.max(most, ++running);
    await new Promise<void>((open) => gates.push(open));
    running--;
    return text(at);
  });
  const names = ["a", "b", "c", "d", "e", "f"];
  const calls = names.map((at) => ({ name: "slow", arguments: { at } }));
  const { run, say, messages } = await scriptedRunner([{ calls }, { text: "ok" }], { tools: [slow] });
  await say("go");
  const running_ = run();
  for (let turn = 0; turn < 20 && gates.length < 6; turn++) {
    await settle();
    gates.at(-1)?.();
    for (const open of gates) open();
  }
  await running_;
  assert.is(most, 4);
  assert.equal((await messages()).slice(2, 8).map(textOf), names);
});

test("a call that writes waits for those before it, and those after wait for it", async () => {
  const log: string[] = [];
  const noting = (name: string, effect: Tool["effect"]) =>
    declared(name, effect, async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
      return text("ok");
    });
  const calls = ["look", "put", "look"].map((name) => ({ name, arguments: { at: "x" } }));
  const { run, say } = await scriptedRunner([{ calls }, { text: "ok" }], {
    tools: [noting("look", "read"), noting("put", "write")],
  });
  await say("go");
  await run();
  assert.equal(log, ["look begins", "look ends", "put begins", "put ends", "look begins", "look ends"]);
});

test("mistakes of the model come back as results that say what is wrong", async () => {
  const calls: Reply["calls"] = [
    { name: "nothing" },
    { name: "look", arguments: { at: 3 } },
    { name: "look", arguments: invalidArguments('{"at": "x') },
  ];
  const { run, say, messages } = await scriptedRunner([{ calls }, { text: "ok" }], { tools: [reader("look")] });
  await say("go");
  await run();
  const [, , unknown, wrong, garbled] = await messages();
  assert.ok([unknown, wrong, garbled].every((message) => message?.role === "toolResult" && message.isError));
  assert.is(unknown && textOf(unknown), 'There is no tool "nothing". Tools: look.');
  assert.match(wrong ? textOf(wrong) : "", /arguments of this call are wrong. at: /);
  assert.match(garbled ? textOf(garbled) : "", /not a JSON object, or were cut off/);
});

test("a tool that throws is a result with its message", async () => {
  const result = await resultOf(() => {
    throw new Failure("not-found", "there is no file x: look with read first");
  });
  assert.is(textOf(result), "there is no file x: look with read first");
  assert.ok(result.role === "toolResult" && result.isError);
});

test("a tool that takes too long is stopped, and the model is told", async () => {
  let stopped = false;
  const hanging = reader("look", (_, { signal }) => {
    signal.addEventListener("abort", () => (stopped = true));
    return new Promise(() => undefined);
  });
  const call = { name: "look", arguments: { at: "x" } };
  const { run, say, messages, host } = await scriptedRunner([{ calls: [call] }, { text: "ok" }], { tools: [hanging] });
  await say("go");
  const running = run();
  await host.clock.advance(120_000);
  await running;
  const result = (await messages())[2];
  assert.match(result ? textOf(result) : "", /look took longer than 120 seconds.*may or may not have taken effect/);
  assert.ok(stopped);
});

test("a long result is cut in the middle, and says so", async () => {
  const result = await resultOf(() => text(`begin${"😀".repeat(100_000)}end`));
  const shown = textOf(result);
  assert.ok(shown.length <= 100_000);
  assert.ok(shown.startsWith("begin") && shown.endsWith("end"));
  assert.match(shown, /\[… 100008 of 200008 characters left out: ask for less at once …\]/);
  assert.not.match(shown, /\p{Cs}/u);
});

test("pictures of a result are kept apart, and given to the model", async () => {
  const picture = { content: [{ type: "image" as const, mimeType: "image/png", data: "iVBORw0KGgo=" }] };
  const call = { name: "look", arguments: { at: "x" } };
  const { run, say, messages, model, events } = await scriptedRunner([{ calls: [call] }, { text: "ok" }], {
    tools: [reader("look", () => picture)],
  });
  await say("go");
  await run();
  assert.not.match(JSON.stringify(events), /iVBORw0KGgo/);
  const [part] = (await messages())[2]?.content ?? [];
  assert.ok(part?.type === "image" && part.data === undefined && /^[0-9a-f]{64}$/.test(part.media ?? ""));
  assert.equal(model.requests[1]?.messages[2]?.content, picture.content);
});

test("what is no picture is named in its place", async () => {
  const result = await resultOf(() => ({ content: [{ type: "image", mimeType: "image/png", data: "%%%" }] }));
  assert.match(textOf(result), /\[Picture \(image\/png\): not kept: /);
});

test("details that no transcript could hold are left out", async () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  const result = await resultOf(() => ({ ...text("ok"), details: circle }));
  assert.ok(result.role === "toolResult" && result.details === undefined);
  const kept = await resultOf(() => ({ ...text("ok"), details: { a: 1 } }));
  assert.equal(kept.role === "toolResult" && kept.details, { a: 1 });
});

test("calls with the same id, or none, get one each", async () => {
  const calls = ["same", "same", ""].map((id) => ({ name: "look", id, arguments: { at: "x" } }));
  const { run, say, messages } = await scriptedRunner([{ calls }, { text: "ok" }], { tools: [reader("look")] });
  await say("go");
  await run();
  const ids = (await messages()).flatMap((message) => (message.role === "toolResult" ? [message.toolCallId] : []));
  assert.is(new Set(ids).size, 3);
  assert.not(ids.includes(""));
});

test("more calls than one answer may make are left for the next", async () => {
  const calls = Array.from({ length: 40 }, (_, at) => ({ name: "look", arguments: { at: String(at) } }));
  const { run, say, messages } = await scriptedRunner([{ calls }, { text: "ok" }], { tools: [reader("look")] });
  await say("go");
  await run();
  const results = (await messages()).filter(({ role }) => role === "toolResult").map(textOf);
  assert.is(results.length, 40);
  assert.match(results[32] ?? "", /^skipped: an answer may make 32 calls/);
});

test("a message that comes meanwhile skips what has not begun, and is answered next", async () => {
  const steering: Message[] = [];
  const said: Message = { role: "user", content: [{ type: "text", text: "stop, do that" }], timestamp: 1 };
  const put = declared("put", "write", () => {
    steering.push(said);
    return text("ok");
  });
  const calls = ["a", "b", "c"].map((at) => ({ name: "put", arguments: { at } }));
  const { run, say, messages, model } = await scriptedRunner([{ calls }, { text: "as you wish" }], { tools: [put] });
  await say("go");
  await run({ steer: () => steering.splice(0) });
  assert.equal((await messages()).map(textOf), [
    "go",
    "",
    "ok",
    "skipped: a new message came",
    "skipped: a new message came",
    "stop, do that",
    "as you wish",
  ]);
  assert.is(model.requests[1]?.messages.at(-1)?.role, "user");
});

test("the same call with the same result is remarked on, and then ends the run", async () => {
  const { run, say, messages, model } = await scriptedRunner(
    () => ({ calls: [{ name: "look", arguments: { at: "x" } }] }),
    { tools: [reader("look")] },
  );
  await say("go");
  const outcome = await run();
  assert.is(outcome.status, "error");
  assert.match(
    outcome.error?.message ?? "",
    /called look 5 times in a row with the same arguments and the same result/,
  );
  assert.is(model.requests.length, 5);
  const warned = (await messages())
    .filter(({ role }) => role === "toolResult")
    .map((result) => /3 times|4 times|5 times in a row/.test(textOf(result)));
  assert.equal(warned, [false, false, true, true, true]);
  const last = (await messages()).at(-1);
  assert.is(last?.role === "assistant" && last.stopReason, "error");
});

test("a call that is repeated while its result changes goes on", async () => {
  let count = 0;
  const { run, say } = await scriptedRunner(
    (_, index) => (index < 8 ? { calls: [{ name: "look", arguments: { at: "x" } }] } : { text: "done" }),
    { tools: [reader("look", () => text(String(++count)))] },
  );
  await say("go");
  assert.is((await run()).status, "ok");
});

test("after fifty rounds the model is asked for a last word without tools", async () => {
  const rounds = (index: number): Reply => ({ calls: [{ name: "look", arguments: { at: String(index) } }] });
  const polite = await scriptedRunner((_, index) => (index < 50 ? rounds(index) : { text: "unfinished" }), {
    tools: [reader("look")],
  });
  await polite.say("go");
  assert.is((await polite.run()).status, "ok");
  assert.match(textOf(polite.model.requests[50]?.messages.at(-1) ?? missing), /Do not call tools now/);

  const stubborn = await scriptedRunner((_, index) => rounds(index), { tools: [reader("look")] });
  await stubborn.say("go");
  const outcome = await stubborn.run();
  assert.is(stubborn.model.requests.length, 51);
  assert.match(outcome.error?.message ?? "", /stopped after 50 rounds of tools without an answer/);
});

test("an answer that reached its longest length is kept, and a call in it is not run", async () => {
  const cut = await scriptedRunner([{ text: "and then", stopReason: "length" }]);
  await cut.say("tell");
  assert.is((await cut.run()).stopReason, "length");
  let ran = 0;
  const put = declared("put", "write", () => {
    ran++;
    return text("ok");
  });
  const call = { name: "put", arguments: { at: "x" } };
  const { run, say, messages } = await scriptedRunner([{ calls: [call], stopReason: "length" }, { text: "shorter" }], {
    tools: [put],
  });
  await say("go");
  assert.is((await run()).status, "ok");
  assert.is(ran, 0);
  assert.match(textOf((await messages())[2] ?? missing), /^skipped: your answer reached its longest length/);
});

test("a run that says nothing after a tool failed says that", async () => {
  const fails = reader("look", () => {
    throw new Failure("failed", "the disk is full");
  });
  const call = { name: "look", arguments: { at: "x" } };
  const { run, say } = await scriptedRunner([{ calls: [call] }, {}], { tools: [fails] });
  await say("go");
  assert.equal((await run()).payloads, [{ text: "⚠️ look: the disk is full" }]);
});

const missing: Message = { role: "user", content: [], timestamp: 0 };

async function resultOf(work: () => ToolResult): Promise<Message> {
  const call = { name: "look", arguments: { at: "x" } };
  const { run, say, messages } = await scriptedRunner([{ calls: [call] }, { text: "ok" }], {
    tools: [reader("look", work)],
  });
  await say("go");
  await run();
  return (await messages())[2] ?? missing;
}

type Work = (params: { readonly at: string }, context: ToolContext) => ToolResult | Promise<ToolResult>;

function reader(name: string, work: Work = () => text("same")): Tool {
  return declared(name, "read", work);
}

function declared(name: string, effect: Tool["effect"], work: Work): Tool {
  const params = v.object({ at: v.string("at must be a text") });
  const declaration = { name, effect, params, description: `Does ${name}.`, summary: name };
  return tool({ ...declaration, run: async (given, context) => work(given, context) });
}

function text(text: string): ToolResult {
  return { content: [{ type: "text", text }] };
}

test.run();
