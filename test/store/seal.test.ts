import { test } from "uvu";
import * as assert from "uvu/assert";
import { recordWithSeal, seal, unseal } from "../../src/store/seal.ts";

const stored = (line: string | Uint8Array) => {
  const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
  return { bytes, text: new TextDecoder().decode(bytes) };
};
const open = (line: string | Uint8Array) => unseal(stored(line));

test("a record comes back as it was, and reads as JSON for whoever does not know the checksum", () => {
  const record = { type: "message", text: 'é "quoted" \\ \n 🦞 \ud800', list: [1, null, { c: "00000000" }] };
  const line = seal(record);
  assert.match(line, /,"c":"[0-9a-f]{8}"\}$/);
  const { c, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.type(c, "string");
  assert.equal(rest, record);
  assert.equal(open(line), { record, sealed: true });
});

test("a line with any byte changed is damaged, but for one that no longer has a checksum", () => {
  const line = new TextEncoder().encode(seal({ type: "x", text: "some words é" }));
  for (let at = 0; at < line.length; at++)
    for (const flip of [1, 32, 128]) {
      const changed = line.map((byte, index) => (index === at ? byte ^ flip : byte));
      const read = open(changed);
      if (read) assert.is(read.sealed, false, `byte ${at}`);
    }
});

test("a line of another program needs only be an object", () => {
  assert.equal(open('{"a":1}'), { record: { a: 1 }, sealed: false });
  for (const line of ["[1]", "1", "null", '"text"', '{"a":', "", "}"]) assert.is(open(line), undefined, line);
});

test("a record with its seal is judged like one without, and holds the checksum beside what was written", () => {
  const record = { type: "message", c: "mine", text: "some words é" };
  const line = seal(record);
  assert.equal(recordWithSeal(stored(line)), { ...record, c: line.slice(-10, -2) });
  assert.equal(recordWithSeal(stored('{"a":1}')), { a: 1 });
  for (const damaged of [line.replace("some", "same"), "[1]", ""])
    assert.is(recordWithSeal(stored(damaged)), undefined, damaged);
});

test.run();
