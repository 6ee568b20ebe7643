import { inflateSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../src/kit/crc32.ts";
import { monochromePng } from "../../src/kit/png.ts";

interface Chunk {
  readonly name: string;
  readonly body: Uint8Array;
}

/** The chunks of a picture, each with a right checksum. */
function chunksOf(png: Uint8Array): readonly Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  assert.equal([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    const named = png.subarray(at + 4, at + 8 + length);
    assert.is(view.getUint32(at + 8 + length), crc32(named));
    chunks.push({ name: new TextDecoder().decode(named.subarray(0, 4)), body: named.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

test("a picture has its size, its pixels and its end", () => {
  const [header, pixels, end, ...more] = chunksOf(
    monochromePng(
      [
        [true, false, true],
        [false, false, true],
      ],
      3,
    ),
  );
  assert.equal([header?.name, pixels?.name, end?.name, more.length], ["IHDR", "IDAT", "IEND", 0]);
  assert.equal([...(header?.body ?? [])], [0, 0, 0, 9, 0, 0, 0, 6, 1, 0, 0, 0, 0]);
  const [upper, lower] = [
    [0, 0b00011100, 0],
    [0, 0b11111100, 0],
  ];
  const lines = [upper, upper, upper, lower, lower, lower].flat();
  assert.equal([...inflateSync(pixels?.body ?? new Uint8Array())], lines);
});

test("a large picture is several blocks of one stream", () => {
  const row = Array.from({ length: 100 }, (_, at) => at % 2 === 0);
  const [, pixels] = chunksOf(
    monochromePng(
      Array.from({ length: 100 }, () => row),
      10,
    ),
  );
  const lines = inflateSync(pixels?.body ?? new Uint8Array());
  assert.is(lines.length, 1000 * 126);
  assert.is(lines.subarray(-126).toString("hex"), lines.subarray(0, 126).toString("hex"));
});

test.run();
