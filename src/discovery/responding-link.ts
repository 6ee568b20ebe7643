import { nameKey } from "../host/dns-name.ts";
import type { DnsMessage, DnsRecord } from "../host/dns.ts";
import type { Clock, NetInterface } from "../host/host.ts";
import type { DnsPeer, MulticastSocket } from "../host/multicast.ts";
import { conflictsOf, type Said } from "./conflict.ts";
import { isOnLink } from "./on-link.ts";
import { responses } from "./packets.ts";
import { startProbe, type Probe } from "./probe.ts";
import { recordKey, setKey } from "./record.ts";
import { createResponder, mdnsPort } from "./respond.ts";

/** A service on one interface and family: first it asks for its names, then announces them, then answers for them. */
export interface RespondingLink {
  /** What is to be announced from now on. New names are probed for first, other news is told at once. */
  announce(records: readonly DnsRecord[], change?: Change): void;
  /** Asks for the names anew: somebody else may have them. */
  probe(delayMs: number): void;
  message(message: DnsMessage, from: DnsPeer): void;
  /** Says goodbye for the service and gives the interface up. */
  close(): Promise<void>;
}

export interface Change {
  /** How long to wait before new names are probed for. */
  readonly delayMs?: number;
  /** Names that are another's now, as `nameKey` spells them: what is said about them is not ours to take back. */
  readonly lost?: ReadonlySet<string>;
}

export interface LinkOptions {
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly random: () => number;
  /** Addresses of the interface. */
  readonly addresses: () => readonly NetInterface[];
  readonly said: Said;
  /** Others answer for names of ours; `established` when we had made sure of them. */
  readonly conflict: (names: ReadonlySet<string>, established: boolean) => void;
}

const secondTimeMs = 1000;

export function createRespondingLink(socket: MulticastSocket, options: LinkOptions): RespondingLink {
  const { clock, random, said } = options;
  let own: readonly DnsRecord[] = [];
  /** What others have heard from us and may still believe. */
  let told: readonly DnsRecord[] = [];
  let probing: Probe | undefined;
  let announced = false;
  let cancelSecond: (() => void) | undefined;
  const responder = createResponder(clock, socket, { own: () => own, random });

  function probe(delayMs: number): void {
    quiet();
    announced = false;
    const records = own.filter(({ flush, type }) => flush && type !== "NSEC");
    probing = startProbe(clock, socket, {
      records,
      delayMs,
      random,
      isOurs: (record) => said.has(record),
      done: established,
    });
  }

  function established(): void {
    probing = undefined;
    announced = true;
    tell(own);
  }

  /** Twice, because a packet may be lost (RFC 6762 8.3). */
  function tell(records: readonly DnsRecord[]): void {
    told = own;
    responder.say(records);
    cancelSecond?.();
    cancelSecond = clock.after(secondTimeMs, () => responder.say(own));
  }

  function quiet(): void {
    probing?.cancel();
    probing = undefined;
    cancelSecond?.();
    responder.stop();
  }

  /** Says of these that they are gone (RFC 6762 10.1). Host names and addresses are the machine's, and stay. */
  function goodbye(records: readonly DnsRecord[]): void {
    const gone = records.filter(({ type }) => type === "PTR" || type === "SRV" || type === "TXT");
    for (const each of responses(gone.map((record) => ({ ...record, ttl: 0 })))) socket.send(each);
  }

  function answer(message: DnsMessage, from: DnsPeer): void {
    const records = [...message.answers, ...message.additionals];
    const conflicts = conflictsOf(records, own, said);
    if (conflicts.size > 0) {
      // Whoever has a name says so again when asked: until then nobody can drive us on to the next one.
      if (announced || probing?.asked) options.conflict(conflicts, announced);
      return;
    }
    if (!announced) return;
    // Another host of the same records leaves: ours are not gone (RFC 6762 10.1).
    const leaving = new Set(records.filter(({ ttl }) => ttl === 0).map(recordKey));
    if (leaving.size > 0) responder.say(own.filter((record) => leaving.has(recordKey(record))));
    if (!options.addresses().some(({ address }) => address === from.address)) responder.heard(records);
  }

  return {
    probe,
    announce(records, { delayMs = 0, lost = new Set<string>() } = {}) {
      const before = own;
      const news = missing(records, before);
      if (news.length === 0 && missing(before, records).length === 0) return;
      own = records;
      said.add(records);
      const replaced = new Set(records.filter(({ flush }) => flush).map(setKey));
      goodbye(missing(told, records).filter((each) => !replaced.has(setKey(each)) && !isAbout(each, lost)));
      told = shared(told, records);
      if (!announced || !sameNames(before, records)) probe(delayMs);
      else if (news.length > 0) tell(news);
    },
    message(message, from) {
      if (!isOnLink(from.address, options.addresses())) return;
      if (message.isResponse) {
        if (from.port === mdnsPort) answer(message, from);
      } else if (announced) responder.query(message, from);
      else if (from.port === mdnsPort) probing?.rival(message);
    },
    async close() {
      quiet();
      goodbye(told);
      announced = false;
      own = told = [];
      await socket.close();
    },
  };
}

/** The records of `some` that are not among `others`. */
function missing(some: readonly DnsRecord[], others: readonly DnsRecord[]): readonly DnsRecord[] {
  const keys = new Set(others.map(recordKey));
  return some.filter((record) => !keys.has(recordKey(record)));
}

/** Those that are. */
function shared(some: readonly DnsRecord[], others: readonly DnsRecord[]): readonly DnsRecord[] {
  const keys = new Set(others.map(recordKey));
  return some.filter((record) => keys.has(recordKey(record)));
}

/** Whether a record belongs to one of these names, or leads to it. */
function isAbout(record: DnsRecord, names: ReadonlySet<string>): boolean {
  return names.has(nameKey(record.name)) || (record.type === "PTR" && names.has(nameKey(record.data)));
}

function sameNames(a: readonly DnsRecord[], b: readonly DnsRecord[]): boolean {
  const names = (records: readonly DnsRecord[]) =>
    [...new Set(records.filter(({ flush }) => flush).map(({ name }) => nameKey(name)))].sort().join("\n");
  return names(a) === names(b);
}
