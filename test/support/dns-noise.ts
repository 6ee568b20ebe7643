import { encodeMessage } from "../../src/host/dns-encode.ts";
import { instanceName, type Names } from "../../src/discovery/names.ts";
import type { DnsMessage } from "../../src/host/dns.ts";
import { empty } from "./scripted-wire.ts";

/** Pseudo-random numbers below 1, the same for the same seed (xorshift32). */
export function seeded(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const type = "_openclaw-gw._tcp.local";
const vm: Names = { instance: "vm", hostname: "vm" };

/** A message such as gateways send, about names that an advertiser in a test has. */
export const honest: DnsMessage = messageAbout(vm);

function messageAbout({ instance, hostname }: Names): DnsMessage {
  const [service, host] = [instanceName(instance, "_openclaw-gw._tcp"), `${hostname}.local`];
  return {
    ...empty,
    isResponse: true,
    authoritative: true,
    questions: [{ name: type, type: "PTR", unicastResponse: false }],
    answers: [
      { name: type, type: "PTR", ttl: 4500, flush: false, data: service },
      {
        name: service,
        type: "SRV",
        ttl: 120,
        flush: true,
        data: { priority: 0, weight: 0, port: 1, target: host },
      },
      { name: service, type: "TXT", ttl: 4500, flush: true, data: [new TextEncoder().encode("role=gateway")] },
    ],
    additionals: [
      { name: host, type: "A", ttl: 120, flush: true, data: "192.0.2.1" },
      { name: host, type: "AAAA", ttl: 120, flush: true, data: "fe80::1" },
      { name: host, type: "NSEC", ttl: 120, flush: true, data: { next: host, types: ["A", "AAAA"] } },
    ],
  };
}

/** What somebody may send who wants to do harm, each with a name. */
export function attacks(): Readonly<Record<string, Uint8Array<ArrayBuffer>>> {
  return {
    nothing: new Uint8Array(0),
    "a header that promises 65,535 of everything": joined(header(65_535, 65_535, 65_535, 65_535)),
    "a pointer to itself": joined(header(1), [0xc0, 12], question),
    "two pointers in a circle": joined(header(1), [0xc0, 14, 0xc0, 12], question),
    "a pointer forward": joined(header(1), [0xc0, 40], question, filled(40, 0)),
    "a pointer into the header": joined(header(1), [0xc0, 0], question),
    "a name of 65,000 bytes": joined(header(1), endless(65_000), [0], question),
    "a name of 8,000 bytes": joined(header(1), endless(8000), [0], question),
    "a name without an end": joined(header(1), endless(700)),
    "a label of 64 bytes": joined(header(1), [64], filled(64, 97), [0], question),
    "a chain of 4,000 pointers, followed by 60 names": pointerChain(),
    "300 questions of one long name": joined(header(300), longName, question, ...repeat(299, [0xc0, 12, ...question])),
    "a record longer than the message": joined(header(0, 1), [0, 0, 16, 0, 1, 0, 0, 0, 9, 255, 255, 1]),
    "a TXT string longer than its record": joined(
      header(0, 1),
      [0, 0, 16, 0, 1, 0, 0, 0, 9, 0, 2, 200, 1],
      endless(300),
    ),
    "an SRV record without a target": joined(header(0, 1), [0, 0, 33, 0, 1, 0, 0, 0, 9, 0, 6, 0, 0, 0, 0, 0, 1]),
    "an address of three bytes": joined(header(0, 1), [0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 3, 1, 2, 3]),
    "a bitmap of types without an end": joined(header(0, 1), [0, 0, 47, 0, 1, 0, 0, 0, 9, 0, 3, 0, 0, 255]),
    "a datagram of 65,000 zeros": new Uint8Array(65_000),
  };
}

/** An honest message about names that somebody has, with some bytes changed, cut off or put in. */
export function damaged(random: () => number, names: Names = vm): Uint8Array<ArrayBuffer> {
  const bytes = [...encodeMessage(messageAbout(names))];
  const at = (): number => Math.floor(random() * bytes.length);
  for (let changes = 1 + Math.floor(random() * 8); changes > 0; changes--) {
    const what = random();
    if (what < 0.6) bytes[at()] = Math.floor(random() * 256);
    else if (what < 0.75) bytes[at()] = 0xc0;
    else if (what < 0.9) bytes.splice(at(), 1 + Math.floor(random() * 12));
    else bytes.splice(at(), 0, ...Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
    if (bytes.length === 0) break;
  }
  return Uint8Array.from(bytes);
}

const question = [0, 12, 0, 1];
const longName = [...endless(250), 0];

function header(...counts: readonly number[]): number[] {
  return [0, 0, 0, 0, ...[0, 1, 2, 3].flatMap((at) => [(counts[at] ?? 0) >> 8, (counts[at] ?? 0) & 255])];
}

/** Labels of 62 bytes, without the end of a name. */
function endless(length: number): number[] {
  return Array.from({ length }, (_, at) => (at % 63 === 0 ? Math.min(62, length - at - 1) : 97));
}

/** Each pointer leads to the one before it: without a bound on steps every name costs thousands of them. */
function pointerChain(): Uint8Array<ArrayBuffer> {
  const record = [0, 255, 0, 1, 0, 0, 0, 9];
  const chain = Array.from({ length: 4000 }, (_, at) => (at === 0 ? 0 : 0xc000 | (22 + 2 * (at - 1)))).flatMap(bytesOf);
  const names = repeat(60, [...bytesOf(0xc000 | (22 + 2 * 3999)), ...record, 0, 0]);
  return joined(header(0, 61), [0], record, bytesOf(chain.length), chain, ...names);
}

function filled(length: number, value: number): number[] {
  return Array.from({ length }, () => value);
}

function bytesOf(value: number): number[] {
  return [value >> 8, value & 255];
}

function repeat(times: number, bytes: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: times }, () => bytes);
}

function joined(...parts: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flat());
}
