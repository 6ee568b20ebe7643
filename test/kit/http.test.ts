import { test } from "uvu";
import * as assert from "uvu/assert";
import { problemIn, retryAfter } from "../../src/kit/http.ts";

const now = Date.UTC(2026, 10, 21, 12);

function waitOf(headers: Record<string, string>, status = 429): number | undefined {
  return retryAfter(new Headers(headers), { status, now });
}

test("retry-after is seconds or a date, and never more than an hour", () => {
  assert.is(waitOf({ "retry-after": "7" }), 7000);
  assert.is(waitOf({ "retry-after": "0.5" }), 500);
  assert.is(waitOf({ "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT" }), 30_000);
  assert.is(waitOf({ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }), 0);
  assert.is(waitOf({ "retry-after": "86400" }), 3_600_000);
  assert.is(waitOf({ "retry-after": "soon" }), undefined);
  assert.is(waitOf({ "retry-after": "7", "retry-after-ms": "6543" }), 6543);
});

test("the limit that ran out says when it opens again, however it is written", () => {
  assert.is(waitOf({ "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0.5s" }), 360_500);
  assert.is(waitOf({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms" }), 20);
  assert.is(waitOf({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 5000) }), 5000);
  assert.is(waitOf({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 5) }), 5000);
  const anthropic = {
    "anthropic-ratelimit-tokens-remaining": "0",
    "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:09Z",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:59Z",
  };
  assert.is(waitOf(anthropic), 9000);
  assert.is(waitOf(anthropic, 500), undefined);
});

test("finds the error in the shapes that it comes in", () => {
  const { types, message, retryAfterMs } = problemIn([
    { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "slow", details: [{ retryDelay: "1.5s" }] } },
  ]);
  assert.equal([types, message, retryAfterMs], [["429", "RESOURCE_EXHAUSTED"], "slow", 1500]);
  assert.equal(problemIn({ error: "model not found" }).message, "model not found");
  assert.equal(problemIn({ message: "Unauthorized" }).message, "Unauthorized");
  assert.equal(problemIn({ detail: "Not Found" }).message, "Not Found");
  assert.equal(problemIn("upstream connect error").message, "upstream connect error");
  assert.equal(problemIn("<html><title>502 Bad Gateway</title>...").message, "502 Bad Gateway");
  assert.equal(problemIn({ error: { message: 7, details: "x" } }), { types: [], message: "", retryAfterMs: undefined });
  assert.equal(problemIn(null).types, []);
});

test.run();
