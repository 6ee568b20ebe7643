import { test } from "uvu";
import * as assert from "uvu/assert";
import { restWhenGrown } from "../../src/gateway/resting.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const MB = 1024 * 1024;
const MINUTE = 60_000;

function setUp(first: number) {
  const clock = createFakeClock();
  const memory = { bytes: first, rests: 0 };
  const processes = { memory: () => memory.bytes };
  const host = { clock, processes, rest: () => void memory.rests++ } as unknown as Parameters<typeof restWhenGrown>[0];
  return { clock, memory, stop: restWhenGrown(host) };
}

test("a gateway gives back what its start took, and that is what it grows from", async () => {
  const { clock, memory } = setUp(50 * MB);
  assert.is(memory.rests, 0);
  await clock.advance(2000);
  assert.is(memory.rests, 1);
  memory.bytes = 30 * MB;
  await clock.advance(2000);
  memory.bytes = 45 * MB;
  await clock.advance(5 * MINUTE);
  assert.is(memory.rests, 1);
  memory.bytes = 46 * MB;
  await clock.advance(MINUTE);
  assert.is(memory.rests, 2);
});

test("it rests when a busy time has taken much, and not again while it stays as it is", async () => {
  const { clock, memory } = await begun(50 * MB);
  memory.bytes = 90 * MB;
  await clock.advance(MINUTE);
  assert.is(memory.rests, 1);
  // Much of it was in use: that is what counts from now on.
  memory.bytes = 80 * MB;
  await clock.advance(5000);
  memory.bytes = 95 * MB;
  await clock.advance(10 * MINUTE);
  assert.is(memory.rests, 1);
  memory.bytes = 101 * MB;
  await clock.advance(MINUTE);
  assert.is(memory.rests, 2);
});

test("who has much rests for a part of it, and less than before is what counts", async () => {
  const { clock, memory } = await begun(400 * MB);
  memory.bytes = 490 * MB;
  await clock.advance(MINUTE);
  assert.is(memory.rests, 0);
  memory.bytes = 60 * MB;
  await clock.advance(MINUTE);
  memory.bytes = 80 * MB;
  await clock.advance(MINUTE);
  assert.is(memory.rests, 1);
});

test("it ends with the gateway, and is not there where nobody can be asked", async () => {
  const { clock, memory, stop } = setUp(50 * MB);
  stop();
  memory.bytes = 500 * MB;
  await clock.advance(10 * MINUTE);
  assert.equal([memory.rests, clock.armed], [0, 0]);
  restWhenGrown({ clock });
  assert.is(clock.armed, 0);
  const grown = await begun(50 * MB);
  grown.memory.bytes = 500 * MB;
  await grown.clock.advance(MINUTE);
  grown.stop();
  assert.equal([grown.memory.rests, grown.clock.armed], [1, 0]);
});

/** One that has rested from its start. */
async function begun(bytes: number): Promise<ReturnType<typeof setUp>> {
  const parts = setUp(bytes);
  await parts.clock.advance(MINUTE);
  parts.memory.rests = 0;
  return parts;
}

test.run();
