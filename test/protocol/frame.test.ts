import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { encodeError, encodeResult, eventHead, eventTail, parseFrame } from "../../src/protocol/frame.ts";
import { negotiate } from "../../src/protocol/version.ts";
import { allows, intersect, type Scope } from "../../src/protocol/scope.ts";
import { signedText } from "../../src/protocol/signature.ts";

// Texts as recorded from the reference gateway.
const invalid: readonly (readonly [text: string, id: string, reason: string])[] = [
  ['{"type":"req","id":"","method":"health"}', "", "at /id: must not have fewer than 1 characters"],
  ['{"type":"req","id":"a","method":5}', "a", "at /method: must be string"],
  ['{"type":"event","method":"x"}', "invalid", "must have required property 'id'; at /type: must be equal to constant"],
  ['{"type":"req","id":"b","method":"health","extra":1}', "b", "at root: unexpected property 'extra'"],
];

for (const [text, id, reason] of invalid) {
  test(`a bad frame says what is wrong: ${reason}`, () => {
    assert.equal(parseFrame(text), { kind: "invalid", id, reason });
  });
}

test("text that is not JSON and JSON that is not a frame are told apart", () => {
  assert.is(parseFrame("{").kind, "not-json");
  for (const text of ["[]", "1", '"x"', "null", "{}"]) assert.is(parseFrame(text).kind, "invalid", text);
});

test("a request keeps its id and parameters, and may carry a trace and a profile", () => {
  const text = '{"type":"req","id":"1:x","method":"health","params":[1],"traceparent":"00","expectedProfileId":"p"}';
  assert.equal(parseFrame(text), { kind: "request", id: "1:x", method: "health", params: [1], traceparent: "00" });
});

test("errors carry details, retry and code in v4, and only what v3 clients know in v3", () => {
  const failure = new Failure("forbidden", "missing scope: operator.read", { details: { code: "MISSING_SCOPE" } });
  assert.equal(JSON.parse(encodeError("1", failure, 4)).error, {
    code: "FORBIDDEN",
    message: "missing scope: operator.read",
    details: { code: "MISSING_SCOPE" },
  });
  assert.equal(JSON.parse(encodeError("1", failure, 3)).error, {
    code: "INVALID_REQUEST",
    message: "missing scope: operator.read",
  });
  const busy = new Failure("unavailable", "busy", { retryAfterMs: 12.6 });
  assert.equal(JSON.parse(encodeError("1", busy, 4)).error, {
    code: "UNAVAILABLE",
    message: "busy",
    retryable: true,
    retryAfterMs: 13,
  });
});

test("hostile ids stay inside their string", () => {
  const id = '","ok":false,"x":"\u2028';
  assert.is(JSON.parse(encodeResult(id, "null")).id, id);
});

test("an event is its head, its number and its tail", () => {
  const text = `${eventHead("health", { ok: true })},"seq":2${eventTail({ presence: 1, health: 3 })}`;
  assert.equal(JSON.parse(text), {
    type: "event",
    event: "health",
    payload: { ok: true },
    seq: 2,
    stateVersion: { presence: 1, health: 3 },
  });
});

test("the newest dialect in a client's range is spoken", () => {
  const ranges = [
    [4, 4, 4],
    [3, 4, 4],
    [1, 4, 4],
    [3, 5, 4],
    [3, 3, 3],
    [2, 3, 3],
    [5, 6, undefined],
    [1, 2, undefined],
  ] as const;
  for (const [min, max, spoken] of ranges) assert.is(negotiate(min, max), spoken, `${min}..${max}`);
});

test("admin implies all, write implies read and talk, and nothing else implies anything", () => {
  const holds = (granted: string, scope: Scope) => allows(new Set([granted]), scope);
  assert.ok(holds("operator.admin", "operator.talk.secrets"));
  assert.ok(holds("operator.write", "operator.read"));
  assert.ok(holds("operator.write", "operator.talk"));
  assert.not.ok(holds("operator.write", "operator.talk.secrets"));
  assert.not.ok(holds("operator.pairing", "operator.read"));
  assert.not.ok(holds("operator.read", "operator.write"));
});

test("threat C: what is granted is never more than what is held", () => {
  assert.equal(intersect(["operator.admin", "operator.read", "operator.read"], ["operator.write"]), ["operator.read"]);
  assert.equal(intersect(["operator.admin"], ["operator.read"]), []);
});

test("the signed text binds what its version binds", () => {
  const parts = {
    deviceId: "d",
    clientId: "cli",
    clientMode: "cli",
    role: "operator",
    scopes: ["b", "a"],
    signedAt: 5,
    token: "t",
    nonce: "n",
    platform: " Linux ",
    deviceFamily: "PHONE",
  };
  assert.is(signedText(1, parts), "v1|d|cli|cli|operator|b,a|5|t");
  assert.is(signedText(2, parts), "v2|d|cli|cli|operator|b,a|5|t|n");
  assert.is(signedText(3, parts), "v3|d|cli|cli|operator|b,a|5|t|n|linux|phone");
});

test.run();
