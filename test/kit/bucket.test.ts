import { test } from "uvu";
import * as assert from "uvu/assert";
import { createBucket } from "../../src/kit/bucket.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const signal = new AbortController().signal;

test("so many at once, and then one at a time, in order", async () => {
  const clock = createFakeClock();
  const bucket = createBucket(clock, { size: 3, everyMs: 100 });
  const done: number[] = [];
  for (let each = 0; each < 6; each++) void bucket.take(signal).then(() => done.push(each));
  await clock.advance(0);
  assert.equal(done, [0, 1, 2]);
  await clock.advance(100);
  assert.equal(done, [0, 1, 2, 3]);
  await clock.advance(200);
  assert.equal(done, [0, 1, 2, 3, 4, 5]);
});

test("what was not taken is kept, up to the size", async () => {
  const clock = createFakeClock();
  const bucket = createBucket(clock, { size: 2, everyMs: 100 });
  await clock.advance(100_000);
  const done: number[] = [];
  for (let each = 0; each < 4; each++) void bucket.take(signal).then(() => done.push(each));
  await clock.advance(50);
  assert.equal(done, [0, 1]);
  await clock.advance(150);
  assert.equal(done, [0, 1, 2, 3]);
});

test("who gives up waits no longer, and leaves no timer", async () => {
  const clock = createFakeClock();
  const bucket = createBucket(clock, { size: 1, everyMs: 100 });
  await bucket.take(signal);
  const leaving = new AbortController();
  const waiting = bucket.take(leaving.signal).then(
    () => "taken",
    () => "left",
  );
  leaving.abort();
  assert.is(await waiting, "left");
  assert.is(clock.armed, 0);
});

test.run();
