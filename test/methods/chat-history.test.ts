import { test } from "uvu";
import * as assert from "uvu/assert";
import { publicMessage } from "../../src/session/public-message.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { failureOf, talkingApp, type Answer, type TalkingApp } from "../support/doubles.ts";
import { checkParams } from "../support/official.ts";

const sessionKey = "agent:main:main";
const texts = ({ messages }: Answer): string[] => messages.map((each: Answer) => each.content[0].text);

/** A conversation of so many messages, `m1` the oldest. */
async function talk(count: number): Promise<TalkingApp & { readonly ids: readonly string[] }> {
  const world = await talkingApp();
  const { sessions } = world.app;
  const row = await sessions.ensure(sessionKey, { agentId: "main" });
  const entries = await sessions.transcript(row).append(
    Array.from({ length: count }, (_, index) => ({
      type: "message" as const,
      message: { role: "user" as const, content: [{ type: "text" as const, text: `m${index + 1}` }], timestamp: index },
    })),
  );
  return { ...world, ids: entries.map(({ id }) => id) };
}

test("a session in which nothing was said has an empty history and a row all the same", async () => {
  const { call, app } = await talkingApp();
  const answer = await call("chat.history", { sessionKey: "main" });
  assert.equal([answer.messages, answer.sessionId, answer.totalMessages], [[], undefined, 0]);
  assert.equal(answer.pendingInputs, { items: [], total: 0 });
  const { key, kind, classification, hasActiveRun, model } = answer.sessionInfo;
  assert.equal([key, kind, classification, hasActiveRun, model], [sessionKey, "direct", "main", false, "m1"]);
  assert.equal(
    [answer.defaults.modelProvider, answer.defaults.contextTokens, answer.thinkingLevel],
    ["mock", 100_000, "off"],
  );
  assert.is(app.sessions.size, 0);
});

test("pages go back from the newest message, each with where the next one begins", async () => {
  const { call } = await talk(5);
  const newest = await call("chat.history", { sessionKey, limit: 2 });
  assert.equal([texts(newest), newest.hasMore, newest.nextOffset, newest.totalMessages], [["m4", "m5"], true, 2, 5]);
  const older = await call("chat.history", { sessionKey, limit: 2, offset: 2 });
  assert.equal([texts(older), older.nextOffset, older.deltaCursor], [["m2", "m3"], 4, undefined]);
  const oldest = await call("chat.history", { sessionKey, limit: 2, offset: 4 });
  assert.equal([texts(oldest), oldest.hasMore, oldest.nextOffset], [["m1"], false, undefined]);
});

test("chat.startup answers what chat.history answers", async () => {
  const { call } = await talk(3);
  const params = { sessionKey, limit: 80 };
  checkParams("chat.startup", params);
  assert.equal(await call("chat.startup", params), await call("chat.history", params));
});

test("a page around a message has it in its middle, however far back", async () => {
  const { call, ids } = await talk(101);
  const around = await call("chat.history", { sessionKey, limit: 3, messageId: ids[50] });
  assert.equal([texts(around), around.deltaCursor], [["m50", "m51", "m52"], undefined]);
  const first = await call("chat.history", { sessionKey, limit: 3, messageId: ids[0] });
  assert.is(texts(first)[0], "m1");
  const last = await call("chat.history", { sessionKey, limit: 3, messageId: ids[100] });
  assert.equal(texts(last), ["m99", "m100", "m101"]);
  const unknown = await failureOf(call("chat.history", { sessionKey, messageId: "00000000" }));
  assert.match(unknown, "not-found: there is no message");
  const foreign = { sessionKey, messageId: ids[0], sessionId: "../../other" };
  assert.match(await failureOf(call("chat.history", foreign)), "not-found: agent:main:main has no conversation");
});

test("from a cursor on only what came since is told, and nothing when nothing came", async () => {
  const { call, app } = await talk(3);
  const { deltaCursor } = await call("chat.history", { sessionKey });
  const none = await call("chat.history", { sessionKey, cursor: deltaCursor });
  assert.equal([none.kind, none.messages, none.deltaCursor], ["delta", [], deltaCursor]);
  await app.turns.inject({ sessionKey, text: "m4" });
  const some = await call("chat.history", { sessionKey, cursor: deltaCursor });
  assert.equal([some.kind, texts(some)], ["delta", ["m4"]]);
  const after = await call("chat.history", { sessionKey, cursor: some.deltaCursor });
  assert.equal(after.messages, []);
  // Told once more, to a client that did not hear the answer.
  assert.equal(texts(await call("chat.history", { sessionKey, cursor: deltaCursor })), ["m4"]);
});

test("a cursor from before a rewind or a reset, or from anywhere else, means: load it anew", async () => {
  const { call, ids } = await talk(3);
  const { deltaCursor: cursor } = await call("chat.history", { sessionKey });
  for (const wrong of ["", "x", "AAAA", btoa("[1]"), btoa('[1,"../x",null,0]'), "A".repeat(10_000)]) {
    assert.equal(await call("chat.history", { sessionKey, cursor: wrong }), { kind: "reset" }, wrong.slice(0, 20));
  }
  await call("sessions.rewind", { sessionKey, entryId: ids[2] });
  assert.equal(await call("chat.history", { sessionKey, cursor }), { kind: "reset" });
  const { deltaCursor: next } = await call("chat.history", { sessionKey });
  await call("sessions.reset", { key: sessionKey });
  assert.equal(await call("chat.history", { sessionKey, cursor: next }), { kind: "reset" });
  assert.equal(await call("chat.history", { sessionKey: "nobody", cursor: next }), { kind: "reset" });
});

test("a cursor of an empty conversation leads to its first message", async () => {
  const { call, app } = await talk(0);
  const { deltaCursor } = await call("chat.history", { sessionKey });
  await app.turns.inject({ sessionKey, text: "first" });
  assert.equal(texts(await call("chat.history", { sessionKey, cursor: deltaCursor })), ["first"]);
});

test("what runs and what waits is told beside the messages", async () => {
  const { call, settle } = await talkingApp();
  const say = (key: string) => ({ sessionKey, message: key, idempotencyKey: key, queueMode: "followup" });
  await call("chat.send", say("one"));
  await settle();
  for (const key of ["two", "three"]) await call("chat.send", say(key));
  const answer = await call("chat.history", { sessionKey, inputRunIds: ["one", "two", "nobody"] });
  const { runId, text, events } = answer.inFlightRun;
  assert.equal([runId, text, events], ["one", "", []]);
  const { items, total } = answer.pendingInputs;
  assert.equal(
    [total, items.map((each: Answer) => [each.runId, each.state])],
    [
      2,
      [
        ["two", "queued"],
        ["three", "queued"],
      ],
    ],
  );
  assert.equal(items[0].message.content, [{ type: "text", text: "two" }]);
  assert.equal(answer.inputReceipts, [
    { runId: "one", state: "consumed", consumedByEventId: answer.messages[0].__openclaw.id },
    { runId: "two", state: "pending" },
  ]);
  const earlier = await call("chat.history", { sessionKey, pendingBefore: 2 });
  assert.equal(
    earlier.pendingInputs.items.map((each: Answer) => each.runId),
    ["two"],
  );
  const { hasActiveRun, activeRunIds, status } = answer.sessionInfo;
  assert.equal([hasActiveRun, activeRunIds, status], [true, ["one", "two", "three"], "running"]);
});

test("threat H texts are cut to what was asked for, and a page to what a client takes", async () => {
  const { call, app } = await talk(0);
  for (let n = 0; n < 4; n++) await app.turns.inject({ sessionKey, text: `${n}${"x".repeat(50_000)}` });
  const cut = await call("chat.history", { sessionKey, maxChars: 10 });
  assert.is(texts(cut)[0], `0${"x".repeat(9)}\n…(truncated)…`);
  const small = await call("chat.history", { sessionKey, maxBytes: 30_000 });
  assert.equal(small.messages.length, 2);
  assert.equal([small.hasMore, small.nextOffset], [true, 2]);
  const one = await call("chat.history", { sessionKey, maxBytes: 1 });
  assert.is(one.messages.length, 1);
});

test("chat.message.get has one message in full, and says why there is none", async () => {
  const { call, app } = await talk(1);
  const { messageId } = await app.turns.inject({ sessionKey, text: "x".repeat(50_000) });
  const params = { sessionKey, messageId };
  const { ok, message } = await call("chat.message.get", params);
  assert.equal([ok, message.content[0].text.length], [true, 50_000]);
  assert.equal(await call("chat.message.get", { sessionKey, messageId: "nobody" }), {
    ok: false,
    unavailableReason: "not_found",
  });
  const elsewhere = { sessionKey: "elsewhere", messageId };
  assert.is((await call("chat.message.get", elsewhere)).unavailableReason, "not_found");
});

const place = { id: "0000000a", parentId: null, seq: 7, timestamp: "2026-11-21T00:00:00.000Z" };
const mark = { id: "0000000a", seq: 7, recordTimestampMs: Date.UTC(2026, 10, 21) };

test("threat G proofs of providers and bytes of pictures stay here", () => {
  const entry: Entry = {
    ...place,
    type: "message",
    message: {
      role: "assistant",
      api: "x",
      provider: "p",
      model: "m",
      stopReason: "toolUse",
      timestamp: 1,
      usage: {} as never,
      content: [
        { type: "thinking", thinking: "hm", thinkingSignature: "SECRET" },
        { type: "thinking", thinking: "SECRET", redacted: true, thinkingSignature: "SECRET" },
        { type: "text", text: "so", textSignature: "SECRET" },
        { type: "toolCall", id: "c", name: "t", arguments: { a: "b".repeat(100) }, thoughtSignature: "SECRET" },
      ],
    },
  };
  const shown = publicMessage(entry, 20);
  assert.not.match(JSON.stringify(shown), "SECRET");
  const { content }: Answer = shown;
  assert.equal(content[3].arguments, { a: `${"b".repeat(20)}\n…(truncated)…` });
  const picture: Entry = {
    ...place,
    type: "message",
    message: {
      role: "toolResult",
      toolCallId: "c",
      toolName: "t",
      isError: false,
      timestamp: 1,
      content: [{ type: "image", mimeType: "image/png", media: "SECRET", data: "SECRET" }],
      details: { long: "x".repeat(100) },
    },
  };
  assert.equal(publicMessage(picture, 20), {
    role: "toolResult",
    toolCallId: "c",
    toolName: "t",
    isError: false,
    timestamp: 1,
    content: [{ type: "image", mimeType: "image/png", omitted: true }],
    __openclaw: mark,
  });
});

test("a compaction is a mark in the conversation; other records are not shown", () => {
  const compaction: Entry = { ...place, type: "compaction", summary: "s", firstKeptEntryId: "1", tokensBefore: 9 };
  assert.equal(publicMessage(compaction), {
    role: "system",
    content: [{ type: "text", text: "Compaction" }],
    timestamp: mark.recordTimestampMs,
    __openclaw: { ...mark, kind: "compaction" },
  });
  assert.is(publicMessage({ ...place, type: "custom", customType: "x", data: {} }), undefined);
});

test("threat H a message of many long parts is shown as a note", () => {
  const content = Array.from({ length: 100 }, () => ({ type: "text" as const, text: "x".repeat(20_000) }));
  const shown = publicMessage({ ...place, type: "message", message: { role: "user", content, timestamp: 1 } });
  assert.ok(JSON.stringify(shown).length < 400);
  assert.equal([shown?.__openclaw["truncated"], shown?.__openclaw["reason"]], [true, "oversized"]);
});

test.run();
