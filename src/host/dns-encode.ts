import { Failure } from "../kit/error.ts";
import { parseIp } from "../kit/ip.ts";
import type { DnsData, DnsMessage, DnsRecord } from "./dns.ts";
import { numberOf } from "./dns.ts";
import { labelsOf, nameKey, splitName } from "./dns-name.ts";

const inClass = 1;

/** Writes a message, names compressed (RFC 1035 4.1.4). */
export function encodeMessage(message: DnsMessage): Uint8Array<ArrayBuffer> {
  const { id, isResponse, authoritative, truncated, questions } = message;
  const sections = [message.answers, message.authorities, message.additionals];
  const out: number[] = [];
  const known = new Map<string, number>();
  const name: WriteName = (target, text) => writeCompressed(target, text, known);

  write16(out, id);
  write16(out, (isResponse ? 0x8000 : 0) | (authoritative ? 0x0400 : 0) | (truncated ? 0x0200 : 0));
  for (const { length } of [questions, ...sections]) write16(out, length);
  for (const question of questions) {
    name(out, question.name);
    write16(out, numberOf(question.type));
    write16(out, inClass | (question.unicastResponse ? 0x8000 : 0));
  }
  for (const record of sections.flat()) writeRecord(out, record, name);
  return Uint8Array.from(out);
}

/** What a record says, in the uncompressed form by which two of them are compared (RFC 6762 8.2). */
export function dataBytes(record: DnsData): readonly number[] {
  const out: number[] = [];
  writeData(out, record, writePlain);
  return out;
}

type WriteName = (out: number[], name: string) => void;

function writeRecord(out: number[], record: DnsRecord, name: WriteName): void {
  name(out, record.name);
  write16(out, numberOf(record.type));
  write16(out, inClass | (record.flush ? 0x8000 : 0));
  write16(out, record.ttl >>> 16);
  write16(out, record.ttl & 0xffff);
  write16(out, 0);
  const start = out.length;
  writeData(out, record, name);
  const length = out.length - start;
  out[start - 2] = length >> 8;
  out[start - 1] = length & 255;
}

function writeData(out: number[], record: DnsData, name: WriteName): void {
  switch (record.type) {
    case "A":
    case "AAAA":
      out.push(...addressBytes(record.type, record.data));
      return;
    case "PTR":
      name(out, record.data);
      return;
    case "SRV":
      write16(out, record.data.priority);
      write16(out, record.data.weight);
      write16(out, record.data.port);
      writePlain(out, record.data.target); // RFC 2782 forbids compression, and a legacy querier relies on it
      return;
    case "TXT":
      for (const text of record.data) {
        if (text.length > 255) throw new Failure("internal", `a TXT string has ${text.length} bytes, at most 255 fit`);
        out.push(text.length, ...text);
      }
      return;
    case "NSEC": {
      name(out, record.data.next);
      const numbers = record.data.types.map(numberOf).filter((number) => number < 256);
      const length = Math.floor(Math.max(...numbers, 0) / 8) + 1;
      const bits = Array<number>(length).fill(0);
      for (const number of numbers) bits[number >> 3] = (bits[number >> 3] ?? 0) | (0x80 >> (number & 7));
      out.push(0, length, ...bits);
      return;
    }
    default:
      out.push(...record.data);
  }
}

function addressBytes(type: "A" | "AAAA", address: string): readonly number[] {
  const ip = parseIp(address);
  if (!ip || (type === "A" && ip.family === 6))
    throw new Failure("internal", `${address} is no address of type ${type}`);
  // An address of type AAAA may stand for one of IPv4 (RFC 4291 2.5.5.2), which is how `parseIp` reads it.
  const value = type === "AAAA" && ip.family === 4 ? ip.value | 0xffff_0000_0000n : ip.value;
  const length = type === "A" ? 4 : 16;
  return Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 255n));
}

function writePlain(out: number[], name: string): void {
  for (const label of labelsOf(name)) writeLabel(out, label);
  out.push(0);
}

function writeCompressed(out: number[], name: string, known: Map<string, number>): void {
  const labels = splitName(name);
  for (const [index, label] of labels.entries()) {
    const rest = nameKey(labels.slice(index).join("."));
    const at = known.get(rest);
    if (at !== undefined) {
      write16(out, 0xc000 | at);
      return;
    }
    if (out.length < 0x4000) known.set(rest, out.length);
    for (const bytes of labelsOf(label)) writeLabel(out, bytes);
  }
  out.push(0);
}

function writeLabel(out: number[], label: Uint8Array): void {
  if (label.length > 63) throw new Failure("internal", `a label of a name has ${label.length} bytes, at most 63 fit`);
  out.push(label.length, ...label);
}

function write16(out: number[], value: number): void {
  out.push((value >> 8) & 255, value & 255);
}
