import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../src/kit/crc32.ts";

test("the check value of the standard, and known texts", () => {
  const of = (text: string) => crc32(new TextEncoder().encode(text)).toString(16);
  assert.is(of("123456789"), "cbf43926");
  assert.is(of(""), "0");
  assert.is(of("a"), "e8b7be43");
  assert.is(of("The quick brown fox jumps over the lazy dog"), "414fa339");
});

test("eight bytes at a time give what one at a time gives, at every length and offset", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => (index * 167 + 41) & 0xff);
  for (let start = 0; start < 16; start++)
    for (let end = start; end <= bytes.length; end++)
      assert.is(crc32(bytes.subarray(start, end)), bitwise(bytes.subarray(start, end)), `${start} to ${end}`);
});

function bitwise(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test.run();
