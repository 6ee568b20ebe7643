import { formatIp } from "../kit/ip.ts";
import type { DnsData, DnsMessage, DnsQuestion, DnsRecord, DnsType } from "./dns.ts";
import { maxMessageBytes, typeOf } from "./dns.ts";
import { labelFrom } from "./dns-name.ts";

/** Questions and records together. 9,000 bytes hold at most 818, a real message a few dozen. */
const maxEntries = 300;
/** Labels and pointers of one name together: a name of 255 bytes has at most 127 labels. */
const maxSteps = 128;
const maxNameBytes = 255;
const headerBytes = 12;
const inClass = 1;
const anyClass = 255;

/**
 * Reads a message that anybody may have sent: undefined when it is malformed, too large, or nothing that multicast DNS
 * answers to (RFC 6762 18.3, 18.11). What it costs is bounded by `maxEntries` names of `maxSteps` steps each.
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < headerBytes || bytes.length > maxMessageBytes) return undefined;
  try {
    return readMessage(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // ours, or a DataView's: something reaches beyond the end
    throw error;
  }
}

interface Name {
  readonly name: string;
  /** Where what follows the name begins. */
  readonly end: number;
}

function readMessage(bytes: Uint8Array): DnsMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  const [opcode, code] = [(flags >> 11) & 15, flags & 15];
  const counts = [4, 6, 8, 10].map((at) => view.getUint16(at));
  const [questionCount = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = counts;
  if (opcode !== 0 || code !== 0 || counts.reduce((sum, count) => sum + count, 0) > maxEntries) return undefined;

  let at = headerBytes;
  const questions: DnsQuestion[] = [];
  for (let left = questionCount; left > 0; left--) {
    const { name, end } = readName(view, at);
    const kind = view.getUint16(end + 2);
    at = end + 4;
    if ((kind & 0x7fff) === inClass || (kind & 0x7fff) === anyClass)
      questions.push({ name, type: typeOf(view.getUint16(end)), unicastResponse: kind > 0x7fff });
  }
  const section = (count: number): DnsRecord[] => {
    const records: DnsRecord[] = [];
    for (let left = count; left > 0; left--) {
      const { name, end } = readName(view, at);
      const kind = view.getUint16(end + 2);
      const start = end + 10;
      at = start + view.getUint16(end + 8);
      if (at > bytes.length) throw new RangeError("a record ends beyond the message");
      if ((kind & 0x7fff) !== inClass) continue;
      const data = readData(view, view.getUint16(end), start, at);
      records.push({ name, ttl: view.getUint32(end + 4), flush: kind > 0x7fff, ...data });
    }
    return records;
  };
  return {
    id: view.getUint16(0),
    isResponse: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    questions,
    answers: section(answerCount),
    authorities: section(authorityCount),
    additionals: section(additionalCount),
  };
}

/** Pointers lead only backwards (RFC 1035 4.1.4), so that none can lead in a circle. */
function readName(view: DataView, start: number): Name {
  const labels: string[] = [];
  let [at, size, end] = [start, 1, -1];
  let limit = start;
  for (let steps = 0; steps < maxSteps; steps++) {
    const length = view.getUint8(at);
    if (length === 0) return { name: labels.join("."), end: end < 0 ? at + 1 : end };
    if (length >= 0xc0) {
      const target = view.getUint16(at) & 0x3fff;
      if (target >= limit || target < headerBytes) throw new RangeError("a pointer that does not lead back");
      if (end < 0) end = at + 2;
      at = limit = target;
      continue;
    }
    size += length + 1;
    if (length > 63 || size > maxNameBytes) throw new RangeError("a name that is too long");
    labels.push(labelFrom(slice(view, at + 1, at + 1 + length)));
    at += length + 1;
  }
  throw new RangeError("a name of too many parts");
}

function readData(view: DataView, number: number, start: number, end: number): DnsData {
  const name = (at: number): string => {
    const read = readName(view, at);
    if (read.end !== end) throw new RangeError("a name that does not fill its record");
    return read.name;
  };
  const type = typeOf(number);
  switch (type) {
    case "A":
    case "AAAA":
      if (end - start !== (type === "A" ? 4 : 16)) throw new RangeError("an address of another length");
      return { type, data: addressText(view, start, end) };
    case "PTR":
      return { type, data: name(start) };
    case "SRV": {
      const [priority, weight, port] = [view.getUint16(start), view.getUint16(start + 2), view.getUint16(start + 4)];
      return { type, data: { priority, weight, port, target: name(start + 6) } };
    }
    case "TXT":
      return { type, data: strings(view, start, end) };
    case "NSEC": {
      const next = readName(view, start);
      return { type, data: { next: next.name, types: bitmap(view, next.end, end) } };
    }
    case "ANY":
      return { type: "TYPE255", data: slice(view, start, end) };
    default:
      return { type, data: slice(view, start, end) };
  }
}

function addressText(view: DataView, start: number, end: number): string {
  if (end - start === 4) return slice(view, start, end).join(".");
  return formatIp({ family: 6, value: (view.getBigUint64(start) << 64n) | view.getBigUint64(start + 8) });
}

function strings(view: DataView, start: number, end: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = start; at < end;) {
    const next = at + 1 + view.getUint8(at);
    if (next > end) throw new RangeError("a string that ends beyond its record");
    found.push(slice(view, at + 1, next));
    at = next;
  }
  return found;
}

/** Of the blocks of types the first, which is the only one in multicast DNS (RFC 6762 6.1). */
function bitmap(view: DataView, start: number, end: number): readonly DnsType[] {
  const [block, length] = [view.getUint8(start), view.getUint8(start + 1)];
  if (length > 32 || start + 2 + length > end) throw new RangeError("a bitmap of types that does not fit");
  if (block !== 0) return [];
  return [...slice(view, start + 2, start + 2 + length)].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => typeOf(8 * at + bit)),
  );
}

/** A copy, so that a record does not keep the whole message in memory. */
function slice(view: DataView, start: number, end: number): Uint8Array {
  if (end > view.byteLength) throw new RangeError("beyond the end of the message");
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(start, end);
}
