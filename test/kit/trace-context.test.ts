import { test } from "uvu";
import * as assert from "uvu/assert";
import { childOf, formatTraceparent, parseTraceparent } from "../../src/kit/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

test("a traceparent says trace, span and whether it is recorded (W3C Trace Context 3.2)", () => {
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-01`), { traceId, spanId, sampled: true });
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`), { traceId, spanId, sampled: false });
  assert.is(formatTraceparent({ traceId, spanId, sampled: true }), `00-${traceId}-${spanId}-01`);
});

test("a later version may say more, and is read as far as it is known", () => {
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-03-what-comes`), { traceId, spanId, sampled: true });
});

test("what is not a traceparent is as if none had come", () => {
  const wrong = [
    undefined,
    7,
    {},
    "",
    "00",
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId}-${spanId}-01\n`,
    `cc-${traceId}-${spanId}-01-${"x".repeat(1000)}`,
  ];
  for (const value of wrong) assert.is(parseTraceparent(value), undefined, JSON.stringify(value));
});

test("a child stays in its parent's trace and is recorded as that is; without a parent it begins one", () => {
  const parent = { traceId, spanId, sampled: false };
  const child = childOf(parent, () => true);
  assert.is(child.traceId, traceId);
  assert.is.not(child.spanId, spanId);
  assert.is(child.sampled, false);
  const root = childOf(undefined, () => true);
  assert.equal(parseTraceparent(formatTraceparent(root)), root);
});

test.run();
