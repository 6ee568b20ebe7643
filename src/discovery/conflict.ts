import { nameKey } from "../host/dns-name.ts";
import type { DnsRecord } from "../host/dns.ts";
import type { Clock } from "../host/host.ts";
import { recordKey, setKey } from "./record.ts";

/** What this machine may have said: records of ours, now or until recently, and its addresses under any name. */
export interface Said {
  add(records: readonly DnsRecord[]): void;
  has(record: DnsRecord): boolean;
}

/** Records remembered: what was said before an update may still be on its way back to us. */
const maxSaid = 256;

/** Another program of this machine, such as Avahi, announces the same host name with all of the machine's addresses. */
export function rememberSaid(isOurAddress: (address: string) => boolean): Said {
  const keys = new Set<string>();
  return {
    add(records) {
      for (const record of records) {
        keys.delete(recordKey(record));
        keys.add(recordKey(record));
      }
      for (const key of keys) {
        if (keys.size <= maxSaid) break;
        keys.delete(key);
      }
    },
    has: (record) =>
      record.type === "A" || record.type === "AAAA" ? isOurAddress(record.data) : keys.has(recordKey(record)),
  };
}

/** The names of ours that an answer claims for somebody else, as `nameKey` spells them (RFC 6762 9). */
export function conflictsOf(answers: readonly DnsRecord[], own: readonly DnsRecord[], said: Said): ReadonlySet<string> {
  const names = new Set(own.filter(({ flush }) => flush).map(({ name }) => nameKey(name)));
  const sets = new Set(own.map(setKey));
  const conflicting = answers.filter((record) => {
    if (record.ttl === 0 || !names.has(nameKey(record.name)) || said.has(record)) return false;
    // An address of either family under our host name belongs to another host.
    return record.type === "A" || record.type === "AAAA" || sets.has(setKey(record));
  });
  return new Set(conflicting.filter(({ type }) => type !== "NSEC").map(({ name }) => nameKey(name)));
}

const manyConflicts = 15;
const withinMs = 10_000;
const slowMs = 5000;

/** How long to wait before the next probe: after 15 conflicts within ten seconds five more (RFC 6762 8.1). */
export function slowDown(clock: Pick<Clock, "monotonic">): () => number {
  const times: number[] = [];
  return () => {
    const now = clock.monotonic();
    times.push(now);
    if (times.length > manyConflicts) times.shift();
    return times.length === manyConflicts && now - (times[0] ?? now) < withinMs ? slowMs : 0;
  };
}
