/**
 * A DNS message (RFC 1035) as multicast DNS uses it (RFC 6762 18), with plain values. Names are text without the last
 * dot, a dot or backslash inside a label escaped (dns-name.ts). Records of other classes than IN are left out.
 */
export interface DnsMessage {
  /** 0 in multicast; a legacy unicast answer repeats its query's (RFC 6762 6.7). */
  readonly id: number;
  readonly isResponse: boolean;
  readonly authoritative: boolean;
  /** In a query: more known answers follow in another message (RFC 6762 7.2). */
  readonly truncated: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: DnsType;
  /** The QU bit: the answer may come by unicast (RFC 6762 5.4). */
  readonly unicastResponse: boolean;
}

/** A record; `flush` says that it replaces all others of its name and type (RFC 6762 10.2). */
export type DnsRecord = DnsData & {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
  readonly flush: boolean;
};

export type DnsData =
  | { readonly type: "A" | "AAAA" | "PTR"; readonly data: string }
  | { readonly type: "SRV"; readonly data: SrvData }
  | { readonly type: "TXT"; readonly data: readonly Uint8Array[] }
  | { readonly type: "NSEC"; readonly data: NsecData }
  | { readonly type: OtherType; readonly data: Uint8Array };

export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** Which types a name has (RFC 6762 6.1); in multicast DNS `next` is the name itself. */
export interface NsecData {
  readonly next: string;
  readonly types: readonly DnsType[];
}

export type DnsType = keyof typeof typeNumbers | OtherType;

/** A type by its number alone, written as RFC 3597 has it. */
export type OtherType = `TYPE${number}`;

/** More than this is no multicast DNS message (RFC 6762 17). */
export const maxMessageBytes = 9000;

export const typeNumbers = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, NSEC: 47, ANY: 255 } as const;

/** The type of this number, by name where it has one here. */
export function typeOf(number: number): DnsType {
  for (const [name, known] of Object.entries(typeNumbers))
    if (known === number) return name as keyof typeof typeNumbers; // the table's own keys
  return `TYPE${number}`;
}

/** The number of a type. */
export function numberOf(type: DnsType): number {
  for (const [name, known] of Object.entries(typeNumbers)) if (name === type) return known;
  return Number(type.slice("TYPE".length));
}
