import { nameKey } from "../host/dns-name.ts";
import type { DnsMessage, DnsQuestion, DnsRecord } from "../host/dns.ts";
import type { Clock } from "../host/host.ts";
import type { MulticastSocket } from "../host/multicast.ts";
import { query } from "./packets.ts";
import { compareProposals } from "./record.ts";

/** Asks whether anybody has the names that we want for ourselves (RFC 6762 8.1). */
export interface Probe {
  /** Whether anybody can have answered it yet. */
  readonly asked: boolean;
  /** Another host's probe: when it wants one of our names and wins it, we ask again later (RFC 6762 8.2). */
  rival(message: DnsMessage): void;
  cancel(): void;
}

const apartMs = 250;
const times = 3;
const lostMs = 1000;

export interface ProbeOptions {
  /** Our records whose names must be ours alone. */
  readonly records: readonly DnsRecord[];
  readonly delayMs: number;
  readonly random: () => number;
  /** Whether another's record is one that we or our machine may have said: that is no rival. */
  readonly isOurs: (record: DnsRecord) => boolean;
  /** Nobody has answered. */
  readonly done: () => void;
}

export function startProbe(
  clock: Pick<Clock, "after">,
  socket: Pick<MulticastSocket, "send">,
  { records, delayMs, random, isOurs, done }: ProbeOptions,
): Probe {
  const names = [...new Map(records.map(({ name }) => [nameKey(name), name])).values()];
  // Not asked for by unicast: the port is shared, and the machine would give the answer to any one of those who share
  // it (RFC 6762 15.1), so that we might never hear of a conflict.
  const questions = names.map((name): DnsQuestion => ({ name, type: "ANY", unicastResponse: false }));
  let asked = false;
  let cancel = clock.after(delayMs + apartMs * random(), () => ask(1));

  function ask(time: number): void {
    asked = true;
    socket.send(query({ questions, authorities: records.map((record) => ({ ...record, flush: false })) }));
    cancel = clock.after(apartMs, time < times ? () => ask(time + 1) : done);
  }

  return {
    get asked() {
      return asked;
    },
    rival({ authorities }) {
      const lost = names.some((name) => {
        const of = (from: readonly DnsRecord[]) => from.filter((record) => nameKey(record.name) === nameKey(name));
        const theirs = of(authorities);
        return !theirs.every(isOurs) && compareProposals(of(records), theirs) < 0;
      });
      if (!lost) return;
      cancel();
      cancel = clock.after(lostMs, () => ask(1));
    },
    cancel: () => cancel(),
  };
}
