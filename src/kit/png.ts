import { crc32 } from "./crc32.ts";

/**
 * A PNG picture (W3C PNG 3rd edition) in black and white: `rows` of squares, true is black, each `scale` pixels wide.
 * Its pixels are not compressed: such pictures are small.
 */
export function monochromePng(rows: readonly (readonly boolean[])[], scale: number): Uint8Array {
  const size = { width: (rows[0]?.length ?? 0) * scale, height: rows.length * scale };
  const header = [...uint32(size.width), ...uint32(size.height), 1, 0, 0, 0, 0];
  const lines = rows.flatMap((row) => {
    const line = packed(row, scale);
    return Array.from({ length: scale }, () => line).flat();
  });
  return Uint8Array.from([
    ...signature,
    ...chunk("IHDR", header),
    ...chunk("IDAT", stored(lines)),
    ...chunk("IEND", []),
  ]);
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** One line of pixels, eight to a byte, a set bit for white; before it the filter, which is none. */
function packed(row: readonly boolean[], scale: number): readonly number[] {
  const line = [0, ...Array.from({ length: Math.ceil((row.length * scale) / 8) }, () => 0)];
  for (let x = 0; x < row.length * scale; x++)
    if (!row[Math.floor(x / scale)]) line[1 + (x >> 3)] = (line[1 + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
  return line;
}

/** A zlib stream of stored blocks (RFC 1950, RFC 1951 3.2.4). */
function stored(bytes: readonly number[]): readonly number[] {
  const blocks: number[] = [];
  for (let at = 0; at < bytes.length; at += 0xffff) {
    const block = bytes.slice(at, at + 0xffff);
    const last = at + 0xffff >= bytes.length ? 1 : 0;
    const { length } = block;
    blocks.push(last, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff, ...block);
  }
  return [0x78, 0x01, ...blocks, ...uint32(adler32(bytes))];
}

function adler32(bytes: readonly number[]): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

function chunk(name: string, body: readonly number[]): readonly number[] {
  const named = [...new TextEncoder().encode(name), ...body];
  return [...uint32(body.length), ...named, ...uint32(crc32(Uint8Array.from(named)))];
}

function uint32(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
