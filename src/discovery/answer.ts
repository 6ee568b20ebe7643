import { nameKey } from "../host/dns-name.ts";
import type { DnsQuestion, DnsRecord } from "../host/dns.ts";
import { recordKey } from "./record.ts";

/** Our records that answer a question: those of its name and type, else that there are none (RFC 6762 6.1). */
export function answersTo(question: DnsQuestion, own: readonly DnsRecord[]): readonly DnsRecord[] {
  const asked = nameKey(question.name);
  const named = own.filter(({ name }) => nameKey(name) === asked);
  const found = named.filter(({ type }) => type === question.type || (question.type === "ANY" && type !== "NSEC"));
  return found.length > 0 ? found : named.filter(({ type }) => type === "NSEC");
}

/** What the asker will want to know next (RFC 6763 12): of an instance its place and text, of a place its addresses. */
export function additionalsTo(answers: readonly DnsRecord[], own: readonly DnsRecord[]): readonly DnsRecord[] {
  const given = new Set(answers.map(recordKey));
  const chosen = new Set<DnsRecord>();
  const add = (of: string): void => {
    for (const record of own) {
      if (!record.flush || chosen.has(record) || given.has(recordKey(record)) || nameKey(record.name) !== nameKey(of))
        continue;
      chosen.add(record);
      follow(record);
    }
  };
  const follow = (record: DnsRecord): void => {
    if (record.type === "PTR") add(record.data);
    if (record.type === "SRV") add(record.data.target);
    if (record.type === "A" || record.type === "AAAA") add(record.name);
  };
  answers.forEach(follow);
  return [...chosen];
}

/** The keys of our records that the asker already knows, for at least half of their time (RFC 6762 7.1). */
export function knownOf(known: readonly DnsRecord[], own: readonly DnsRecord[]): ReadonlySet<string> {
  const ttls = new Map(known.map((record) => [recordKey(record), record.ttl]));
  return new Set(own.filter((record) => (ttls.get(recordKey(record)) ?? 0) >= record.ttl / 2).map(recordKey));
}
