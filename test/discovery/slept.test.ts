import { test } from "uvu";
import * as assert from "uvu/assert";
import { noticeSleep } from "../../src/discovery/slept.ts";

const hour = 3_600_000;
const rows: readonly (readonly [string, { wall: number; steady: number }, boolean])[] = [
  ["a moment", { wall: 5000, steady: 5000 }, false],
  ["a sleep in which the monotonic clock stood still", { wall: hour, steady: 5000 }, true],
  ["a sleep in which it went on", { wall: hour, steady: hour }, true],
  ["a clock that is set forward a little", { wall: 8000, steady: 5000 }, false],
  ["a clock that is set back", { wall: -hour, steady: 5000 }, false],
  ["a sleep while the clock is set back", { wall: -hour, steady: hour }, true],
];

for (const [what, { wall, steady }, expected] of rows)
  test(`${what} is ${expected ? "a" : "no"} sleep, once`, () => {
    let [now, monotonic] = [1_000_000, 0];
    const slept = noticeSleep({ now: () => now, monotonic: () => monotonic }, 10_000);
    [now, monotonic] = [now + wall, monotonic + steady];
    assert.is(slept(), expected);
    [now, monotonic] = [now + 5000, monotonic + 5000];
    assert.is(slept(), false);
  });

test.run();
