import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256Hex } from "../../src/kit/ids.ts";
import { createSha256 } from "../../src/kit/sha256.ts";

test("the standard's example", () => {
  const hash = createSha256();
  hash.update(new TextEncoder().encode("abc"));
  assert.is(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("in pieces of any size it gives what the platform gives at once, at every length around a block", async () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => (index * 167 + 41) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    const hash = createSha256();
    for (let at = 0; at < length; at += 37) hash.update(bytes.subarray(at, Math.min(at + 37, length)));
    assert.is(hash.hex(), await sha256Hex(bytes.slice(0, length)), String(length));
  }
});

test.run();
