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

const kindOf = (runId: string, since: readonly Entry[]): string => writtenOf(runId, since).kind;

test("a message that is not there was not written", () => {
  assert.is(kindOf("a", []), "nothing");
  assert.is(kindOf("a", [user("b"), assistant("b", "stop")]), "nothing");
});

test("a message without an answer was cut off, steps on the way notwithstanding", () => {
  assert.is(kindOf("a", [user("a")]), "message");
  assert.is(kindOf("a", [user("a"), assistant("a", "toolUse")]), "message");
});

test("any last word after it is its answer, failures and stops too", () => {
  for (const reason of ["stop", "length", "error", "aborted"] as const) {
    assert.is(kindOf("a", [user("a"), user("b"), assistant("b", reason)]), "answer", reason);
  }
});

test("an answer from before it is not its answer", () => {
  assert.is(kindOf("b", [user("a"), assistant("a", "stop"), user("b")]), "message");
});

test("what was injected, and the answer to a command in between, are no answers", () => {
  const between = [assistant("x", "injected"), user("c", { aside: true }), assistant("c", "injected", { aside: true })];
  assert.is(kindOf("a", [user("a"), ...between]), "message");
  assert.is(kindOf("c", [user("a"), ...between]), "answer");
});

test("a message that was kept from the model is answered by nothing that it is given later", () => {
  for (const aside of [true, "overflow"]) {
    assert.is(kindOf("a", [user("a", { aside }), user("b"), assistant("b", "stop")]), "aside", String(aside));
  }
});

test("its words are all that its run said, steps on the way too, without what was silent or somebody else's", () => {
  const said = (runId: string, text: string, stopReason: StopReason = "stop", more: object = {}): Entry => {
    const message = { role: "assistant", content: [{ type: "text", text }], stopReason, timestamp: 0 };
    return entry({ runId, message, ...more });
  };
  const since = [
    said("x", "before"),
    user("a"),
    said("a", "let me look", "toolUse"),
    user("b"),
    said("note", "a note", "injected"),
    said("a", "NO_REPLY", "toolUse"),
    said("a", "done"),
    said("c", "later"),
  ];
  for (const runId of ["a", "b"]) {
    const written = writtenOf(runId, since);
    const known = written.kind === "answer" && [written.runId, written.texts, written.isCommand];
    assert.equal(known, ["a", ["let me look", "done"], false]);
  }
  const reply = writtenOf("c", [user("c", { aside: true }), said("c", "status", "injected", { aside: true })]);
  assert.equal(reply.kind === "answer" && [reply.texts, reply.isCommand], [["status"], true]);
});

test.run();
