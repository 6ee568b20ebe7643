import { test } from "uvu";
import * as assert from "uvu/assert";
import { nextTurn, type Waiting } from "../../src/flow/next-turn.ts";
import type { QueueMode } from "../../src/session/sessions.ts";

const at = { now: 10_000, debounceMs: 500 };

function waiting(mode: QueueMode, acceptedAt = 0, more: Partial<Waiting> = {}): Waiting {
  return { mode, acceptedAt, queued: true, together: "", ...more };
}

test("nothing waits: there is no turn", () => {
  assert.equal(nextTurn([], at), { kind: "none" });
});

test("a message that meets an idle session is taken at once", () => {
  assert.equal(nextTurn([waiting("collect", 9_999, { queued: false })], at), { kind: "take", count: 1 });
});

test("collected messages wait for a pause after the last of them", () => {
  assert.equal(nextTurn([waiting("collect"), waiting("collect", 9_900)], at), { kind: "wait", ms: 400 });
  assert.equal(nextTurn([waiting("collect"), waiting("steer", 9_500)], at), { kind: "take", count: 2 });
});

test("followups and interruptions are answered one by one, without a pause", () => {
  for (const mode of ["followup", "interrupt"] as const) {
    assert.equal(nextTurn([waiting(mode, 9_999), waiting(mode, 9_999)], at), { kind: "take", count: 1 });
  }
});

test("what another sender wrote, or with another model, is a turn of its own", () => {
  assert.equal(nextTurn([waiting("collect"), waiting("collect", 9_999, { together: "other" })], at), {
    kind: "take",
    count: 1,
  });
  assert.equal(nextTurn([waiting("steer"), waiting("collect"), waiting("followup")], at), { kind: "take", count: 2 });
});

test("a clock that was set back delays by the pause at most", () => {
  assert.equal(nextTurn([waiting("collect", 99_999)], at), { kind: "wait", ms: 500 });
});

test.run();
