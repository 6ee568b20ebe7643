import { test } from "uvu";
import * as assert from "uvu/assert";
import { createSlots } from "../../src/flow/slots.ts";

test("so many at once, the others in the order they came", async () => {
  const slots = createSlots(() => 2);
  const order: number[] = [];
  const taken = await Promise.all([slots.take(), slots.take()]);
  const later = [3, 4].map((n) => slots.take().then((release) => (order.push(n), release)));
  assert.is(slots.used, 2);
  taken[0]?.();
  const third = await later[0];
  assert.equal(order, [3]);
  third?.();
  await later[1];
  assert.equal(order, [3, 4]);
  assert.is(slots.used, 2);
});

test("giving a place back twice frees one", async () => {
  const slots = createSlots(() => 1);
  const release = await slots.take();
  release();
  release();
  assert.is(slots.used, 0);
});

test("a limit that was raised counts from the next place that is free", async () => {
  let limit = 1;
  const slots = createSlots(() => limit);
  const release = await slots.take();
  const waiting = [slots.take(), slots.take()];
  limit = 5;
  release();
  await Promise.all(waiting);
  assert.is(slots.used, 2);
});

test.run();
