import { test } from "uvu";
import * as assert from "uvu/assert";
import { createBackoff } from "../../src/kit/backoff.ts";

test("waits double up to the longest, and begin anew after a success", () => {
  const backoff = createBackoff({ firstMs: 1000, maxMs: 10_000, random: () => 0 });
  assert.equal(
    Array.from({ length: 6 }, () => backoff.next()),
    [1000, 2000, 4000, 8000, 10_000, 10_000],
  );
  backoff.reset();
  assert.is(backoff.next(), 1000);
});

test("each wait is shortened by a fifth at most, so that many do not come at once", () => {
  const shortest = createBackoff({ firstMs: 1000, maxMs: 10_000, random: () => 0.999_999 });
  assert.is(shortest.next(), 800);
  const half = createBackoff({ firstMs: 1000, maxMs: 10_000, random: () => 0.5 });
  assert.is(half.next(), 900);
});

test("a thousand failures wait as long as the longest, never for ever", () => {
  const backoff = createBackoff({ firstMs: 1000, maxMs: 120_000, random: () => 0 });
  for (let attempt = 0; attempt < 1000; attempt++) backoff.next();
  assert.is(backoff.next(), 120_000);
});

test.run();
