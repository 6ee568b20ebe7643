import { dataBytes } from "../host/dns-encode.ts";
import type { DnsMessage, DnsRecord } from "../host/dns.ts";
import { utf8Length } from "../kit/text.ts";

/** What an Ethernet frame carries without being cut into fragments, of which any lost one loses all (RFC 6762 17). */
const maxBytes = 1400;

/** A question to the group, or several. */
export function query(parts: Partial<DnsMessage>): DnsMessage {
  return { ...nothing, isResponse: false, authoritative: false, ...parts };
}

/** Answers to the group, in as many messages as they need; additional records only as far as they fit. */
export function responses(
  answers: readonly DnsRecord[],
  additionals: readonly DnsRecord[] = [],
): readonly DnsMessage[] {
  const messages = pack(answers).map((each) => ({ ...response, answers: each }));
  const last = messages.at(-1);
  if (!last) return [];
  let left = maxBytes - sum(last.answers);
  const fitting = additionals.filter((record) => {
    const fits = sizeOf(record) <= left;
    if (fits) left -= sizeOf(record);
    return fits;
  });
  return [...messages.slice(0, -1), { ...last, additionals: fitting }];
}

const nothing = { id: 0, truncated: false, questions: [], answers: [], authorities: [], additionals: [] } as const;

/** An answer with nothing in it. */
export const response: DnsMessage = { ...nothing, isResponse: true, authoritative: true };

/** The records in groups that fit in a packet; one that is larger than that goes alone. */
export function pack(records: readonly DnsRecord[]): readonly (readonly DnsRecord[])[] {
  const groups: DnsRecord[][] = [];
  let left = 0;
  for (const record of records) {
    const size = sizeOf(record);
    if (size > left) {
      groups.push([]);
      left = maxBytes;
    }
    groups.at(-1)?.push(record);
    left -= size;
  }
  return groups;
}

function sum(records: readonly DnsRecord[]): number {
  return records.reduce((total, record) => total + sizeOf(record), 0);
}

/** At most: compression makes it less. */
function sizeOf(record: DnsRecord): number {
  return utf8Length(record.name) + 12 + dataBytes(record).length;
}
