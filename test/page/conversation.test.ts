import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  emptyConversation,
  trimmed,
  withAccepted,
  withEvent,
  withHistory,
  withOlder,
  withSending,
  type Conversation,
  type Said,
} from "../../src/page/conversation.ts";
import { gistOf, turnsOf } from "../../src/page/turns.ts";

const key = "agent:main:main";

function said(id: string, role: string, text: string, more: object = {}, place: object = {}): Said {
  return { role, content: [{ type: "text", text }], timestamp: 1, ...more, __openclaw: { id, seq: 1, ...place } };
}

function loaded(...messages: readonly Said[]): Conversation {
  return withHistory(emptyConversation(key), { messages, hasMore: false, sessionInfo: { key, sessionId: "s1" } });
}

function chat(state: string, more: object = {}) {
  return { sessionKey: key, runId: "r", state, ...more };
}

test("an answer grows by its pieces and is in the transcript at the end, once", () => {
  let now = loaded();
  now = withEvent(now, "agent", { sessionKey: key, runId: "r", stream: "lifecycle", data: { phase: "start" } });
  assert.equal(now.live, { runId: "r", text: "", thinking: "" });
  now = withEvent(now, "agent", { sessionKey: key, runId: "r", stream: "thinking", data: { text: "hm" } });
  now = withEvent(now, "chat", chat("delta", { message: said("", "assistant", "Hel") }));
  now = withEvent(now, "chat", chat("delta", { message: said("", "assistant", "Hello") }));
  assert.equal(now.live, { runId: "r", text: "Hello", thinking: "hm" });
  const written = { sessionKey: key, message: said("2", "assistant", "Hello", {}, { runId: "r" }) };
  now = withEvent(now, "session.message", written);
  now = withEvent(now, "session.message", written);
  assert.equal([now.live?.text, now.messages?.length], ["", 1]);
  now = withEvent(now, "chat", chat("final"));
  assert.is(now.live, undefined);
});

test("what is about another conversation changes nothing", () => {
  const now = loaded();
  const elsewhere = {
    sessionKey: "agent:main:other",
    runId: "r",
    state: "delta",
    message: said("1", "assistant", "x"),
  };
  assert.is(withEvent(now, "chat", elsewhere), now);
  assert.is(withEvent(now, "session.message", elsewhere), now);
  for (const odd of [undefined, null, 7, "text", [], { sessionKey: key }, { sessionKey: key, message: { role: 3 } }])
    assert.equal(withEvent(now, "session.message", odd), now);
});

test("a message of one's own is shown at once, and once it is in the transcript only there", () => {
  let now = withSending(loaded(), { id: "m1", text: "hi", pictures: [], state: "sending" });
  now = withAccepted(now, "m1", "started");
  assert.equal(
    now.sending.map(({ state }) => state),
    ["waiting"],
  );
  now = withEvent(now, "session.message", {
    sessionKey: key,
    message: said("1", "user", "hi", {}, { idempotencyKey: "m1:user" }),
  });
  assert.equal([now.sending.length, now.messages?.length], [0, 1]);
  // The answer to the call comes late: nothing comes back by it.
  assert.equal(withAccepted(now, "m1", "started").sending, []);
});

test("a message that was put together with others goes when its run ends", () => {
  let now = withSending(loaded(), { id: "m2", text: "more", pictures: [], state: "waiting" });
  now = withEvent(now, "chat", { sessionKey: key, runId: "m2", state: "final" });
  assert.equal(now.sending, []);
});

test("after a reconnect the newest page is joined to what was loaded, and what waits is the gateway's word", () => {
  let now = loaded(said("1", "user", "a"), said("2", "assistant", "b"), said("3", "user", "c"));
  now = withSending(now, { id: "unsent", text: "later", pictures: [], state: "sending" });
  now = withSending(now, { id: "gone", text: "done", pictures: [], state: "waiting" });
  now = withHistory(now, {
    messages: [said("3", "user", "c"), said("4", "assistant", "d")],
    hasMore: true,
    sessionInfo: { key, sessionId: "s1" },
    pendingInputs: { items: [{ runId: "queued", message: said("", "user", "wait") }] },
    inFlightRun: { runId: "r", text: "so far" },
  });
  assert.equal(
    now.messages?.map((each) => (each["__openclaw"] as { id: string }).id),
    ["1", "2", "3", "4"],
  );
  assert.equal(now.hasMore, false, "what is older was all there");
  assert.equal(
    now.sending.map(({ id, state }) => [id, state]),
    [
      ["unsent", "sending"],
      ["queued", "waiting"],
    ],
  );
  assert.equal(now.live, { runId: "r", text: "so far", thinking: "" });
});

test("a page that does not meet what was loaded, or another session, replaces it", () => {
  const old = loaded(said("1", "user", "a"));
  const far = withHistory(old, { messages: [said("9", "user", "z")], hasMore: true, sessionInfo: { sessionId: "s1" } });
  assert.equal([far.messages?.length, far.hasMore], [1, true]);
  const anew = withHistory(loaded(said("1", "user", "a"), said("2", "user", "b")), {
    messages: [said("2", "user", "b")],
    hasMore: false,
    sessionInfo: { sessionId: "s2" },
  });
  assert.is(anew.messages?.length, 1);
});

test("older messages come in front, each once; an empty page is the beginning", () => {
  const now = withOlder(loaded(said("2", "user", "b")), {
    messages: [said("1", "user", "a"), said("2", "user", "b")],
    hasMore: true,
  });
  assert.equal([now.messages?.length, now.hasMore], [2, true]);
  assert.is(withOlder(now, { messages: [], hasMore: true }).hasMore, false);
  const kept = trimmed(now, 1);
  assert.equal([kept.messages?.length, kept.hasMore], [1, true]);
});

test("a run that failed says why, unless the transcript does", () => {
  const failed = withEvent(loaded(), "chat", chat("error", { errorMessage: "no credit" }));
  assert.is(failed.trouble, "no credit");
  const written = loaded(said("1", "assistant", "", { errorMessage: "no credit" }, { runId: "r" }));
  assert.is(withEvent(written, "chat", chat("error", { errorMessage: "no credit" })).trouble, undefined);
});

test("turns: what the assistant did between two messages is one, with each result at its call", () => {
  const call = { type: "toolCall", id: "t1", name: "read", arguments: { path: "a.md" } };
  const messages: readonly Said[] = [
    said("1", "user", "look"),
    { ...said("2", "assistant", ""), content: [{ type: "thinking", thinking: "hm" }, call] },
    { ...said("3", "toolResult", "content of a"), toolCallId: "t1", toolName: "read", isError: false },
    said("4", "assistant", "Here it is"),
    said("5", "system", "Compaction", {}, { kind: "compaction" }),
  ];
  const turns = turnsOf(messages);
  assert.equal(
    turns.map(({ kind, id }) => [kind, id]),
    [
      ["user", "1"],
      ["assistant", "2"],
      ["note", "5"],
    ],
  );
  const answer = turns[1];
  assert.equal(answer?.kind === "assistant" && answer.parts, [
    { kind: "thinking", text: "hm" },
    { kind: "tool", id: "t1", name: "read", args: { path: "a.md" }, result: { text: "content of a", isError: false } },
    { kind: "text", text: "Here it is" },
  ]);
});

test("turns: a tool that still runs has no result, and a result without its call stands for itself", () => {
  const call = { type: "toolCall", id: "t1", name: "exec", arguments: { command: "ls" } };
  const [running] = turnsOf([{ ...said("2", "assistant", ""), content: [call] }]);
  assert.is(running?.kind === "assistant" && running.parts[0]?.kind === "tool" && running.parts[0].result, undefined);
  const [orphan] = turnsOf([{ ...said("3", "toolResult", "text"), toolCallId: "t9", toolName: "exec", isError: true }]);
  assert.equal(orphan?.kind === "assistant" && orphan.parts, [
    { kind: "tool", id: "t9", name: "exec", args: {}, result: { text: "text", isError: true } },
  ]);
  assert.is(gistOf({ timeout: 5, command: "ls -l" }), "ls -l");
  assert.is(gistOf({ list: [1] }), "");
});

test.run();
