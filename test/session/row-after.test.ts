import { test } from "uvu";
import * as assert from "uvu/assert";
import { noUsage, type Usage } from "../../src/session/message.ts";
import { rowAfter } from "../../src/session/row-after.ts";
import { newRow } from "../../src/session/row.ts";
import type { Entry, NewEntry } from "../../src/session/transcript.ts";
import { aside, assistant, main, user } from "./fixture.ts";

const row = newRow(main, { agentId: "main" }, 10);
const entry = (content: NewEntry): Entry => ({ ...content, id: "00000001", parentId: null, seq: 1, timestamp: "x" });
const usage: Usage = {
  ...noUsage,
  input: 100,
  output: 20,
  cacheRead: 30,
  totalTokens: 150,
  cost: { ...noUsage.cost, total: 0.5 },
};

test("the first words of the first question are the title, on one line, cut at a word", () => {
  const long = `What   is\n\n the ${"very ".repeat(30)}answer`;
  const { derivedTitle = "" } = rowAfter(row, entry(user(long)));
  assert.match(derivedTitle, /^What is the very .* very…$/);
  assert.ok(derivedTitle.length <= 60);
  assert.is(rowAfter({ ...row, derivedTitle: "kept" }, entry(user("other"))).derivedTitle, undefined);
  assert.is(rowAfter(row, entry(aside("/status"))).derivedTitle, undefined);
  assert.match(rowAfter(row, entry(user("🦞".repeat(100)))).derivedTitle ?? "", /^(🦞)+…$/u);
});

test("a question moves the session on in time, and never back", () => {
  const after = rowAfter(row, entry(user("hi", 99)));
  assert.equal([after.updatedAt, after.lastInteractionAt, after.lastMessagePreview], [99, 99, "hi"]);
  assert.is(rowAfter(row, entry(user("hi", 3))).updatedAt, 10);
});

test("an answer adds what it used, and says how full the context is", () => {
  const before = { ...row, inputTokens: 1, outputTokens: 2, estimatedCostUsd: 0.25 };
  const after = rowAfter(before, entry(assistant("yes", { usage, timestamp: 50 })));
  assert.equal(
    [after.inputTokens, after.outputTokens, after.totalTokens, after.estimatedCostUsd],
    [101, 22, 150, 0.75],
  );
  assert.equal([after.modelProvider, after.model, after.updatedAt], ["clawlet", "echo", 50]);
  const cut = rowAfter({ ...row, totalTokens: 77 }, entry(assistant("", { stopReason: "aborted" })));
  assert.is("totalTokens" in cut, false);
  assert.is("lastMessagePreview" in cut, false);
});

test("what the gateway itself wrote says nothing of a model", () => {
  const after = rowAfter(row, entry(assistant("Thinking off.", { stopReason: "injected", model: "gateway" })));
  assert.is(after.model, undefined);
  assert.is(after.lastMessagePreview, "Thinking off.");
});

test("a compaction is counted, and leaves the size of the context open", () => {
  const compaction = { type: "compaction", summary: "s", firstKeptEntryId: "x", tokensBefore: 9 } as const;
  assert.equal(rowAfter({ ...row, totalTokens: 9 }, entry(compaction)), { compactionCount: 1, totalTokens: 0 });
  assert.equal(rowAfter(row, entry({ type: "model_change", provider: "p", modelId: "m" })), {});
});

test.run();
