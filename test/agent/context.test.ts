import { test } from "uvu";
import * as assert from "uvu/assert";
import { toMessages } from "../../src/agent/context.ts";
import { withPictures } from "../../src/agent/pictures.ts";
import { inOrder } from "../../src/providers/provider-request.ts";
import { noUsage, textOf, type AssistantMessage, type Message } from "../../src/session/message.ts";
import type { Entry, EntryContent } from "../../src/session/transcript.ts";

test("people's messages stay apart, and what is aside stays out", () => {
  const entries = path(said(user("one")), { ...said(user("/status")), aside: true }, said(user("two")));
  assert.equal(toMessages(entries).map(textOf), ["one", "two"]);
});

test("results come directly behind their call, whatever was written in between", () => {
  const entries = path(
    said(user("go")),
    said(answer("", ["a", "b"])),
    said(user("and this")),
    said(result("b")),
    said(result("a")),
  );
  assert.equal(toMessages(entries).map(shape), ["user", "assistant a b", "result a", "result b", "user"]);
});

test("a call without a result gets one that says what is not known", () => {
  const messages = toMessages(path(said(user("go")), said(answer("", ["a"]))));
  assert.equal(messages.map(shape), ["user", "assistant a", "result a"]);
  const [, , lost] = messages;
  assert.ok(lost?.role === "toolResult" && lost.isError);
  assert.match(lost ? textOf(lost) : "", /restarted before the result.*may or may not have taken effect/);
});

test("results without a call are left out", () => {
  assert.equal(toMessages(path(said(user("go")), said(result("x")))).map(shape), ["user"]);
});

test("an id that comes again in a later answer belongs to that one", () => {
  const entries = path(said(user("go")), said(answer("", ["a"])), said(answer("", ["a"])), said(result("a")));
  const messages = toMessages(entries);
  assert.equal(messages.map(shape), ["user", "assistant a", "result a", "assistant a", "result a"]);
  assert.equal(
    messages.map((message) => message.role === "toolResult" && message.isError),
    [false, false, true, false, false],
  );
});

test("of an answer that broke off its text stays, and its calls go", () => {
  const entries = path(
    said(user("go")),
    said({ ...answer("half", ["a"]), stopReason: "aborted" }),
    said(user("again")),
    said({ ...answer("", ["b"]), stopReason: "error" }),
    said(user("and again")),
  );
  assert.equal(toMessages(entries).map(shape), ["user", "assistant", "user", "user"]);
});

test("empty answers and blank messages are left out", () => {
  const entries = path(said(user("go")), said(answer("  ")), said(user("  ")), said(user("on")));
  assert.equal(toMessages(entries).map(textOf), ["go", "on"]);
});

test("the newest summary stands first and says what it is", () => {
  const compaction = (summary: string): EntryContent => ({
    type: "compaction",
    summary,
    firstKeptEntryId: "00000001",
    tokensBefore: 1,
  });
  const messages = toMessages(path(compaction("older"), said(user("kept")), compaction("newer"), said(user("next"))));
  assert.is(messages.length, 3);
  assert.match(messages[0] ? textOf(messages[0]) : "", /summed up[^]*newer/);
  assert.equal(messages.slice(1).map(textOf), ["kept", "next"]);
});

test("an answer stands neither first nor last", () => {
  const entries = path(said({ ...answer("welcome"), stopReason: "injected" }), said(user("hi")), said(answer("hal")));
  assert.equal(toMessages(entries).map(shape), ["user", "assistant", "user", "assistant", "user"]);
});

test("a gateway's own word between a call and its result does not part them", () => {
  const entries = path(
    said(user("go")),
    said(answer("", ["a"])),
    said({ ...answer("note"), stopReason: "injected" }),
    said(result("a")),
  );
  assert.equal(toMessages(entries).slice(0, 3).map(shape), ["user", "assistant a", "result a"]);
});

test("whatever a transcript holds, its messages are in the order that every vendor asks for", () => {
  const random = seeded(7);
  for (let turn = 0; turn < 500; turn++) {
    const kinds = Array.from({ length: random(12) }, () => random(7));
    const entries = path(
      ...kinds.map((kind): EntryContent => {
        const id = "abc"[random(3)] ?? "a";
        if (kind === 0) return said(user("u"));
        if (kind === 1) return said(answer("text"));
        if (kind === 2) return said(answer("", [id, "abc"[random(3)] === id ? "d" : "e"]));
        if (kind === 3) return said(result(id));
        if (kind === 4) return said({ ...answer("cut", [id]), stopReason: "aborted" });
        if (kind === 5) return said({ ...answer("note"), stopReason: "injected" });
        return { ...said(user("aside")), aside: true };
      }),
    );
    const messages = toMessages(entries);
    assert.equal(inOrder(messages), messages, JSON.stringify(kinds));
    assert.ok(messages.length === 0 || (messages[0]?.role === "user" && messages.at(-1)?.role !== "assistant"));
  }
});

test("pictures are loaded from the newest on, and what is not shown is named", async () => {
  const picture = (media: string): Message => ({
    role: "user",
    content: [{ type: "image", mimeType: "image/png", media, fileName: `${media}.png` }],
    timestamp: 0,
  });
  const stored: Readonly<Record<string, string>> = { a: "AAAA", b: "BBBB", c: "CCCC" };
  const media = { load: (name: string) => Promise.resolve(stored[name]) };
  const messages = ["a", "b", "gone", "c"].map(picture);
  const shown = async (limits: { sees: boolean; count: number; size: number }) =>
    (await withPictures(messages, media, limits)).map(({ content: [part] }) =>
      part?.type === "image" ? part.data : part?.type === "text" ? part.text : "",
    );
  assert.equal(await shown({ sees: true, count: 2, size: 100 }), [
    "[Picture a.png (image/png): left out, as there are many newer ones]",
    "BBBB",
    "[Picture gone.png (image/png): it is not stored any more]",
    "CCCC",
  ]);
  assert.equal(
    (await shown({ sees: true, count: 9, size: 7 }))[1],
    "[Picture b.png (image/png): left out, as it is too large]",
  );
  assert.ok((await shown({ sees: false, count: 9, size: 99 })).every((text) => text?.includes("cannot see")));
});

function path(...contents: readonly EntryContent[]): readonly Entry[] {
  return contents.map((content, index) => ({
    ...content,
    id: String(index + 1).padStart(8, "0"),
    parentId: index === 0 ? null : String(index).padStart(8, "0"),
    seq: index + 1,
    timestamp: "2026-11-21T00:00:00.000Z",
  }));
}

function said(message: Message): Extract<EntryContent, { type: "message" }> {
  return { type: "message", message };
}

function user(text: string): Message {
  return { role: "user", content: [{ type: "text", text }], timestamp: 1 };
}

function answer(text: string, calls: readonly string[] = []): AssistantMessage {
  return {
    role: "assistant",
    content: [
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...calls.map((id) => ({ type: "toolCall" as const, id, name: "read", arguments: {} })),
    ],
    api: "echo",
    provider: "test",
    model: "one",
    usage: noUsage,
    stopReason: calls.length > 0 ? "toolUse" : "stop",
    timestamp: 2,
  };
}

function result(toolCallId: string): Message {
  const content = [{ type: "text" as const, text: "ok" }];
  return { role: "toolResult", toolCallId, toolName: "read", content, isError: false, timestamp: 3 };
}

function shape(message: Message): string {
  if (message.role === "user") return "user";
  if (message.role === "toolResult") return `result ${message.toolCallId}`;
  const ids = message.content.flatMap((part) => (part.type === "toolCall" ? [part.id] : []));
  return ["assistant", ...ids].join(" ");
}

/** Whole numbers below `limit`, the same in every run. */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
}

test.run();
