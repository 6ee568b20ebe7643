import { Failure } from "../kit/error.ts";

/** A file or folder as an archive names it (POSIX.1-2001 ustar and pax). */
export interface TarEntry {
  readonly kind: "file" | "folder";
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

export const TAR_BLOCK = 512;

/** The blocks in front of a file's bytes; a path that ustar cannot take, or a size, gets a pax header before its own. */
export function tarHeader(path: string, { size, mode, modifiedAt }: TarFacts): Uint8Array<ArrayBuffer> {
  const plain = { size, mode, modifiedAt };
  const records = [
    // eslint-disable-next-line no-control-regex
    ...(/^[\u0000-\u007f]{1,100}$/.test(path) ? [] : [paxRecord("path", path)]),
    ...(size > MAX_OCTAL ? [paxRecord("size", String(size))] : []),
  ];
  if (records.length === 0) return ustar(path, "0", plain);
  const pax = join(records);
  const blocks = [
    ustar("PaxHeader", "x", { size: pax.length, mode: 0o600, modifiedAt }),
    pax,
    new Uint8Array(tarPadding(pax.length)),
    ustar(`long/${path.length}`, "0", { ...plain, size: Math.min(size, MAX_OCTAL) }),
  ];
  return join(blocks);
}

export interface TarFacts {
  readonly size: number;
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** How many zero bytes fill the last block of something of this size. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

/** What one header block says; undefined for a block of zeros, which ends an archive. Throws for a damaged one. */
export function parseHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (numberAt(block, 148, 8) !== sum) throw damaged("a header whose checksum is wrong");
  const prefix = textAt(block, 257, 5) === "ustar" && block[262] === 0 ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    type: textAt(block, 156, 1) || "0",
    size: numberAt(block, 124, 12),
    mode: numberAt(block, 100, 8),
  };
}

export interface TarHeader {
  readonly path: string;
  /** POSIX's letter for what follows: `0` file, `5` folder, `x` pax header, `L` GNU long name, and more. */
  readonly type: string;
  readonly size: number;
  readonly mode: number;
}

/** The records of a pax header: `<length> <key>=<value>` and a line break, each. */
export function parsePax(bytes: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const length = Number(decode(bytes.subarray(at, space)));
    const end = at + length;
    if (space < 0 || !Number.isInteger(length) || length <= 0 || end > bytes.length || bytes[end - 1] !== 10)
      throw damaged("an extended header that makes no sense");
    const record = decode(bytes.subarray(space + 1, end - 1));
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

export function damaged(what: string): Failure {
  return new Failure("failed", `the archive is damaged: it has ${what}; use another copy of it`);
}

/** The largest size that twelve places of octal digits hold. */
const MAX_OCTAL = 0o77777777777;

function ustar(path: string, type: string, { size, mode, modifiedAt }: TarFacts): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(TAR_BLOCK);
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at);
  const octal = (at: number, width: number, value: number): void =>
    put(at, `${value.toString(8).padStart(width - 1, "0")}\0`);
  put(0, path);
  octal(100, 8, mode);
  // Whoever unpacks it owns it: numbers of accounts mean nothing elsewhere.
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, size);
  octal(136, 12, Math.max(0, Math.floor(modifiedAt / 1000)));
  put(148, " ".repeat(8));
  put(156, type);
  put(257, "ustar\u000000");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** The length counts its own digits. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return new TextEncoder().encode(`${length} ${key}=${value}\n`);
}

/** Octal digits, or with the first bit set a number of 255s (GNU). NaN for neither. */
function numberAt(block: Uint8Array, at: number, width: number): number {
  const first = block[at] ?? 0;
  if (first === 0x80) return block.subarray(at + 1, at + width).reduce((value, byte) => value * 256 + byte, 0);
  const text = textAt(block, at, width).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : text === "" ? 0 : Number.NaN;
}

function textAt(block: Uint8Array, at: number, width: number): string {
  const field = block.subarray(at, at + width);
  const end = field.indexOf(0);
  return decode(end < 0 ? field : field.subarray(0, end));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
