import { Failure } from "../kit/error.ts";

/** Bytes that the platform's cryptography takes as they are. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The DER tags (ITU-T X.690 8) that certificates and keys are made of. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: tag, length, and the parts one after the other as its content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concat(parts);
  return concat([Uint8Array.of(tag, ...lengthOf(content.length)), content]);
}

export function sequence(...parts: readonly Uint8Array[]): Bytes {
  return der(tags.sequence, ...parts);
}

/** A number that is not negative, from its bytes with the highest first. */
export function integer(bytes: Uint8Array): Bytes {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  // A leading one bit would make it negative.
  return der(tags.integer, Uint8Array.from((shortest[0] ?? 0) > 127 ? [0, ...shortest] : shortest));
}

/** An object identifier such as `2.5.29.17`. */
export function objectId(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return der(tags.objectId, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Whole bytes as bits. */
export function bitString(bytes: Uint8Array): Bytes {
  return der(tags.bitString, Uint8Array.of(0), bytes);
}

/** An element that was read. */
export interface Element {
  readonly tag: number;
  readonly content: Bytes;
  /** Tag and length included. */
  readonly whole: Bytes;
}

/** The elements that these bytes are made of, one after the other. Throws a Failure when they are not DER. */
export function readElements(bytes: Bytes): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes.subarray(at));
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function readElement(bytes: Bytes): Element {
  const [tag, short] = bytes;
  if (tag === undefined || short === undefined) throw malformed();
  const extra = short < 128 ? 0 : short - 128;
  // Four bytes of length are more than any file that is read; zero of them is BER's open end, which DER forbids.
  if (extra > 4 || short === 128 || bytes.length < 2 + extra) throw malformed();
  const length = extra === 0 ? short : bytes.subarray(2, 2 + extra).reduce((sum, byte) => sum * 256 + byte, 0);
  const end = 2 + extra + length;
  if (end > bytes.length) throw malformed();
  return { tag, content: bytes.subarray(2 + extra, end), whole: bytes.subarray(0, end) };
}

function malformed(): Failure {
  return new Failure("invalid-request", "not DER: an element is cut off or has an impossible length");
}

function lengthOf(length: number): readonly number[] {
  if (length < 128) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [128 + bytes.length, ...bytes];
}

function base128(value: number): readonly number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return digits;
}

function concat(parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
