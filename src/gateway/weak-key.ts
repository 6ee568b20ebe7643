import { fromBase64 } from "../kit/ids.ts";

/**
 * Whether an Ed25519 public key is one of the few points of small order. Signatures under these need no private key, and
 * runtimes differ in whether they verify (RFC 8032 5.1.7 leaves it open), so such a device would be anybody's.
 */
export function isWeakKey(publicKey: string): boolean {
  const key = fromBase64(publicKey) ?? new Uint8Array();
  // The highest bit is the sign of x: both points of a y are equally weak.
  const y = Array.from(key, (byte, index) => (index === 31 ? byte & 127 : byte).toString(16).padStart(2, "0")).join("");
  return weak.has(y);
}

/** y of the points whose order divides 8, little-endian, with the spellings of 0 and 1 that exceed the field. */
const weak: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);
