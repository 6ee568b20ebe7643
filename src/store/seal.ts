import { crc32 } from "../kit/crc32.ts";
import type { Line } from "./lines.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";

/**
 * A record as one line of JSON that ends with `,"c":"<crc>"}`: the CRC-32 of the UTF-8 bytes before that, in lower-case
 * hex. Programs that do not know the field read past it. The record has at least one property.
 */
export function seal(record: JsonObject): string {
  const body = JSON.stringify(record).slice(0, -1);
  return `${body},"c":"${hex(crc32(new TextEncoder().encode(body)))}"}`;
}

export interface Unsealed {
  /** Without the checksum. */
  readonly record: JsonObject;
  /** False for a line without a checksum: another program wrote it. */
  readonly sealed: boolean;
}

/** What `seal` made a line of; undefined when the line is damaged. A line without a checksum needs only be JSON. */
export function unseal({ bytes, text }: Pick<Line, "bytes" | "text">): Unsealed | undefined {
  const sealed = isSealed(bytes);
  if (sealed === undefined) return undefined;
  const record = parseJson(sealed ? `${text.slice(0, -SUFFIX)}}` : text);
  return isObject(record) ? { record, sealed } : undefined;
}

/**
 * The record with its checksum in it, as `c`; undefined when the line is damaged. For whoever takes what he knows out of
 * very many records: to cut the checksum off first takes longer than all the rest of the parsing.
 */
export function recordWithSeal({ bytes, text }: Pick<Line, "bytes" | "text">): JsonObject | undefined {
  const record = isSealed(bytes) === undefined ? undefined : parseJson(text);
  return isObject(record) ? record : undefined;
}

/** Whether a line has a checksum; undefined when that is not the line's own. */
function isSealed(line: Uint8Array): boolean | undefined {
  const body = line.length - SUFFIX;
  if (!isSuffix(line, body)) return false;
  return hexAt(line, body + HEX_AT) === crc32(line.subarray(0, body)) ? true : undefined;
}

/** The record of a line that `seal` made, and whose checksum was judged before. */
export function judgedRecord(text: string): JsonObject | undefined {
  const record = parseJson(`${text.slice(0, -SUFFIX)}}`);
  return isObject(record) ? record : undefined;
}

/** `,"c":"` and `"}` in ASCII. */
const before = [0x2c, 0x22, 0x63, 0x22, 0x3a, 0x22] as const;
const after = [0x22, 0x7d] as const;
const HEX_AT = before.length;
const SUFFIX = before.length + 8 + after.length;

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function isSuffix(line: Uint8Array, at: number): boolean {
  if (at <= 0) return false;
  for (let index = 0; index < HEX_AT; index++) if (line[at + index] !== before[index]) return false;
  return line[at + HEX_AT + 8] === after[0] && line[at + HEX_AT + 9] === after[1];
}

/** Eight hex digits as a number; NaN when they are none. */
function hexAt(line: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 8; index++) {
    const code = line[index] ?? 0;
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}
