import type { DnsRecord } from "../host/dns.ts";
import type { Clock } from "../host/host.ts";
import { recordKey, setKey } from "./record.ts";

/** What was heard on one interface, each record for as long as it says (RFC 6762 10). */
export interface Cache {
  /** Takes in the records of one answer; those beyond the cap are not kept. */
  add(records: readonly DnsRecord[]): void;
  /** What is known of one name and type now. */
  get(name: string, type: DnsRecord["type"]): readonly DnsRecord[];
  /** The same, of what will be known for at least half of its time, with the seconds left (RFC 6762 7.1). */
  known(name: string, type: DnsRecord["type"]): readonly DnsRecord[];
}

interface Entry {
  readonly record: DnsRecord;
  readonly since: number;
  /** In the clock's milliseconds. */
  until: number;
}

const maxRecords = 1000;
/** After a goodbye or a flush a record lives for one second more, so that whoever else has it can say so (RFC 6762 10). */
const graceMs = 1000;

export function createCache(clock: Pick<Clock, "monotonic">): Cache {
  const sets = new Map<string, Map<string, Entry>>();
  let size = 0;

  function put(record: DnsRecord, now: number): void {
    const key = setKey(record);
    const entries = sets.get(key) ?? new Map<string, Entry>();
    const known = entries.get(recordKey(record));
    if (record.ttl === 0) {
      if (known) known.until = Math.min(known.until, now + graceMs);
      return;
    }
    if (!known && size >= maxRecords) {
      forget(now);
      if (size >= maxRecords) return;
    }
    if (!known) size++;
    sets.set(key, entries);
    entries.set(recordKey(record), { record, since: now, until: now + record.ttl * 1000 });
  }

  function forget(now: number): void {
    for (const [key, entries] of sets) {
      for (const [each, { until }] of entries) if (until <= now && entries.delete(each)) size--;
      if (entries.size === 0) sets.delete(key);
    }
  }

  function live(name: string, type: DnsRecord["type"]): readonly Entry[] {
    const now = clock.monotonic();
    return [...(sets.get(setKey({ name, type }))?.values() ?? [])].filter(({ until }) => until > now);
  }

  return {
    add(records) {
      const now = clock.monotonic();
      for (const record of records) put(record, now);
      for (const key of new Set(records.filter(({ flush, ttl }) => flush && ttl > 0).map(setKey)))
        for (const entry of sets.get(key)?.values() ?? [])
          if (entry.since < now - graceMs) entry.until = Math.min(entry.until, now + graceMs);
    },
    get: (name, type) => live(name, type).map(({ record }) => record),
    known(name, type) {
      const now = clock.monotonic();
      return live(name, type).flatMap(({ record, until }) => {
        const left = Math.floor((until - now) / 1000);
        return left >= record.ttl / 2 ? [{ ...record, ttl: left }] : [];
      });
    },
  };
}
