import { toBase64Url } from "../kit/ids.ts";

/**
 * A Bloom filter of what stands in a block: which runs of three characters inside words, and which names. It may say yes
 * to what is not there, and never no to what is. Its size is a power of two, so that it can be folded to half: small
 * where there is little in it.
 */
export type Filter = Uint8Array;

/** The filter of these folded texts and names. */
export function filterOf(texts: Iterable<string>, names: Iterable<string>): Filter {
  const filter = new Uint8Array(MAX_BYTES);
  for (const text of texts) for (const hash of trigramsOf(text)) set(filter, hash);
  for (const name of names) set(filter, nameHash(name));
  return shrink(filter);
}

/** What a filter is asked about folded words: nothing for words shorter than three characters. */
export function wordHashes(words: readonly string[]): readonly number[] {
  return [...new Set(words.flatMap((word) => [...trigramsOf(word)]))];
}

/** What a filter is asked about a name. */
export function nameHash(name: string): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return mix(hash);
}

export function mayHold(filter: Filter, hashes: readonly number[]): boolean {
  return hashes.every((hash) => {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(filter, hash, probe);
      if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  });
}

export function filterText(filter: Filter): string {
  return toBase64Url(filter);
}

/** The filter of `filterText`; undefined when the text is none. */
export function parseFilter(text: string): Filter | undefined {
  const filter = bytesOf(text);
  if (filter.length < MIN_BYTES || filter.length > MAX_BYTES) return undefined;
  return (filter.length & (filter.length - 1)) === 0 ? filter : undefined;
}

const MIN_BYTES = 64;
const MAX_BYTES = 8192;
const PROBES = 3;

/** Base64url decoded by a plain loop: a large index has thousands of filters, read when it is first searched. */
function bytesOf(text: string): Filter {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
    return bytes;
  } catch {
    return new Uint8Array(0); // not base64: too short to be a filter, which is all that matters
  }
}

/** No trigram goes over a space, a quote or a backslash: words have none of them. */
function* trigramsOf(text: string): Generator<number> {
  let [first, second] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const third = text.charCodeAt(at);
    if (third <= 32 || third === 34 || third === 92) {
      [first, second] = [0, 0];
      continue;
    }
    if (first !== 0)
      yield mix(Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35));
    first = second;
    second = third;
  }
}

function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 15);
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  mixed ^= mixed >>> 12;
  mixed = Math.imul(mixed, 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function set(filter: Filter, hash: number): void {
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(filter, hash, probe);
    filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }
}

/** Two hashes make all the probes (Kirsch and Mitzenmacher); a smaller filter takes the same bits, less the highest. */
function bitOf(filter: Filter, hash: number, probe: number): number {
  return ((hash & 0xffff) + probe * ((hash >>> 16) | 1)) & (filter.length * 8 - 1);
}

/** Folds the filter to half for as long as half of its bits or more stay free. */
function shrink(filter: Filter): Filter {
  const half = filter.length / 2;
  if (half < MIN_BYTES) return filter.slice();
  const smaller = filter.slice(0, half);
  let ones = 0;
  for (let at = 0; at < half; at++) {
    const byte = (smaller[at] ?? 0) | (filter[at + half] ?? 0);
    smaller[at] = byte;
    for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  }
  return ones > half * 4 ? filter.slice() : shrink(smaller);
}
