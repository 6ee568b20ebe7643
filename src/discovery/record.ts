import { dataBytes } from "../host/dns-encode.ts";
import { nameKey } from "../host/dns-name.ts";
import { numberOf, type DnsRecord } from "../host/dns.ts";

/** The same for records that say the same: name, type and data, whatever their TTL and flush bit. */
export function recordKey(record: DnsRecord): string {
  return `${setKey(record)} ${dataKey(record)}`;
}

/** The same for all records of one name and type: a set that a flush bit replaces as a whole (RFC 6762 10.2). */
export function setKey({ name, type }: Pick<DnsRecord, "name" | "type">): string {
  return `${nameKey(name)} ${type}`;
}

/**
 * Which of two hosts that probe for one name at the same time has the later records and wins (RFC 6762 8.2): positive
 * when `ours` are. Sorted by type and data, the first that differ decide; of equal beginnings the longer list wins.
 */
export function compareProposals(ours: readonly DnsRecord[], theirs: readonly DnsRecord[]): number {
  const [mine, other] = [ours, theirs].map((records) => records.map(proposalOf).sort(compareNumbers));
  for (const [at, proposal] of (mine ?? []).entries()) {
    const rival = other?.[at];
    if (!rival) return 1;
    const order = compareNumbers(proposal, rival);
    if (order !== 0) return order;
  }
  return (mine?.length ?? 0) - (other?.length ?? 0);
}

function dataKey(record: DnsRecord): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.data;
    case "PTR":
      return nameKey(record.data);
    case "SRV": {
      const { priority, weight, port, target } = record.data;
      return `${priority} ${weight} ${port} ${nameKey(target)}`;
    }
    default:
      return dataBytes(record).join(".");
  }
}

function proposalOf(record: DnsRecord): readonly number[] {
  return [numberOf(record.type), ...dataBytes(record)];
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  if (at < 0) return a.length - b.length;
  return (a[at] ?? 0) - (b[at] ?? -1);
}
