/** SHA-256 (FIPS 180-4) of bytes that come piece by piece, which the platform's own `digest` cannot take. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The hash of everything so far in lower-case hex; nothing may be added after it. */
  hex(): string;
}

export function createSha256(): Sha256 {
  const state = Int32Array.from(START);
  const schedule = new Int32Array(64);
  const block = new Uint8Array(BLOCK);
  let filled = 0;
  let length = 0;

  function update(bytes: Uint8Array): void {
    length += bytes.length;
    let at = 0;
    if (filled > 0) {
      at = Math.min(BLOCK - filled, bytes.length);
      block.set(bytes.subarray(0, at), filled);
      filled += at;
      if (filled < BLOCK) return;
      compress(state, schedule, block, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) compress(state, schedule, bytes, at);
    filled = bytes.length - at;
    block.set(bytes.subarray(at));
  }

  return {
    update,
    hex() {
      // A one bit, zeros, and the length in bits fill the last block.
      const padding = new Uint8Array((filled < 56 ? BLOCK : 2 * BLOCK) - filled);
      const bits = length * 8;
      padding[0] = 0x80;
      const view = new DataView(padding.buffer);
      view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
      view.setUint32(padding.length - 4, bits % 2 ** 32);
      update(padding);
      return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

const BLOCK = 64;
// prettier-ignore
const START = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const;
// prettier-ignore
const ROUNDS = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);

function compress(state: Int32Array, w: Int32Array, bytes: Uint8Array, at: number): void {
  const of = (words: Int32Array, index: number): number => words[index] ?? 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK);
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(i * 4);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [of(w, i - 15), of(w, i - 2)];
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    w[i] = of(w, i - 16) + s0 + of(w, i - 7) + s1;
  }
  let [a, b, c, d] = [of(state, 0), of(state, 1), of(state, 2), of(state, 3)];
  let [e, f, g, h] = [of(state, 4), of(state, 5), of(state, 6), of(state, 7)];
  for (let i = 0; i < 64; i++) {
    const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + of(ROUNDS, i) + of(w, i);
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = of(state, index) + value;
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
