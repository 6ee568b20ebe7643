import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLimiter } from "../../src/gateway/limiter.ts";
import { createWaitingRoom } from "../../src/gateway/waiting-room.ts";

function setUp() {
  let now = 0;
  const limits = { maxAttempts: 10, windowMs: 60_000, lockoutMs: 300_000 };
  const limiter = createLimiter({ monotonic: () => now }, () => limits);
  return { limiter, limits, wait: (ms: number) => void (now += ms) };
}

const fail = (limiter: { take(key: string): number }, key: string, times: number) =>
  Array.from({ length: times }, () => limiter.take(key));

test("ten failures are allowed, the eleventh locks", () => {
  const { limiter } = setUp();
  assert.equal(
    fail(limiter, "a", 10),
    Array.from({ length: 10 }, () => 0),
  );
  assert.is(limiter.take("a"), 300_000);
});

test("a changed limit counts from the next attempt on", () => {
  const { limiter, limits } = setUp();
  fail(limiter, "a", 3);
  limits.maxAttempts = 4;
  limits.lockoutMs = 1000;
  assert.equal(fail(limiter, "a", 2), [0, 1000]);
});

test("the wait counts down and a locked key stays locked however often it asks", () => {
  const { limiter, wait } = setUp();
  fail(limiter, "a", 11);
  wait(100_000);
  assert.is(limiter.take("a"), 200_000);
  wait(200_000);
  assert.is(limiter.take("a"), 0);
});

test("other keys are not affected", () => {
  const { limiter } = setUp();
  fail(limiter, "a", 11);
  assert.is(limiter.take("b"), 0);
});

test("a right secret gives its attempt back", () => {
  const { limiter } = setUp();
  for (let turn = 0; turn < 100; turn++) {
    assert.is(limiter.take("a"), 0);
    limiter.restore("a");
  }
});

test("threat I: attempts made side by side all count before any is judged", () => {
  const { limiter } = setUp();
  const waits = fail(limiter, "a", 50);
  assert.is(waits.filter((ms) => ms === 0).length, 10);
});

test("failures are forgotten after the window", () => {
  const { limiter, wait } = setUp();
  fail(limiter, "a", 10);
  wait(60_000);
  assert.is(limiter.take("a"), 0);
});

test("threat I: a flood of addresses does not free a locked one", () => {
  const { limiter } = setUp();
  fail(limiter, "locked", 11);
  for (let index = 0; index < 20_000; index++) limiter.take(`flood-${index}`);
  assert.ok(limiter.take("locked") > 0);
});

test("threat H: the waiting room is full per address and in all", () => {
  const room = createWaitingRoom(2, 3);
  const leave = room.enter("a");
  assert.ok(leave && room.enter("a"));
  assert.is(room.enter("a"), undefined);
  assert.ok(room.enter("b"));
  assert.is(room.enter("c"), undefined);
  leave();
  leave();
  assert.is(room.size, 2);
  assert.ok(room.enter("a"));
  assert.is(room.enter("a"), undefined);
});

test.run();
