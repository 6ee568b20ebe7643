import { test } from "uvu";
import * as assert from "uvu/assert";
import { keyOf, writtenOf } from "../../src/flow/written.ts";
import { noUsage, type StopReason } from "../../src/session/message.ts";
import type { Entry } from "../../src/session/transcript.ts";

let seq = 0;

function entry(content: object): Entry {
  seq++;
  return { type: "message", id: `e${seq}`, parentId: null, seq, timestamp: "", ...content } as Entry;
}

function user(runId: string, more: object = {}): Entry {
  return entry({ runId, message: { role: "user", content: [], timestamp: 0, idempotencyKey: keyOf(runId) }, ...more });
}

function assistant(runId: string, stopReason: StopReason, more: object = {}): Entry {
  const message = { role: "assistant", content: [], api: "", provider: "", model: "", usage: noUsage, stopReason };
  return entry({ runId, message: { ...message, timestamp: 0 }, ...more });
}

test("a message that is not there was not written", () => {
  assert.is(writtenOf("a", []), "nothing");
  assert.is(writtenOf("a", [user("b"), assistant("b", "stop")]), "nothing");
});

test("a message without an answer was cut off, steps on the way notwithstanding", () => {
  assert.is(writtenOf("a", [user("a")]), "message");
  assert.is(writtenOf("a", [user("a"), assistant("a", "toolUse")]), "message");
});

test("any last word after it is its answer, failures and stops too", () => {
  for (const reason of ["stop", "length", "error", "aborted"] as const) {
    assert.is(writtenOf("a", [user("a"), user("b"), assistant("b", reason)]), "answer", reason);
  }
});

test("an answer from before it is not its answer", () => {
  assert.is(writtenOf("b", [user("a"), assistant("a", "stop"), user("b")]), "message");
});

test("what was injected, and the answer to a command in between, are no answers", () => {
  const between = [assistant("x", "injected"), user("c", { aside: true }), assistant("c", "injected", { aside: true })];
  assert.is(writtenOf("a", [user("a"), ...between]), "message");
  assert.is(writtenOf("c", [user("a"), ...between]), "answer");
});

test.run();
