import type { DnsMessage, DnsRecord } from "../host/dns.ts";
import type { Clock } from "../host/host.ts";
import type { DnsPeer, MulticastSocket } from "../host/multicast.ts";
import { additionalsTo, answersTo, knownOf } from "./answer.ts";
import { response, responses } from "./packets.ts";
import { recordKey } from "./record.ts";

/** Answers questions on one interface, and says to everybody what there is to say, none of it too often. */
export interface Responder {
  query(message: DnsMessage, from: DnsPeer): void;
  /** Says these records now, or a second after they were last said. */
  say(records: readonly DnsRecord[]): void;
  /** Another host said these: what we were about to say of them is said (RFC 6762 7.4). */
  heard(records: readonly DnsRecord[]): void;
  /** Drops what was to be said. */
  stop(): void;
}

interface Planned {
  readonly record: DnsRecord;
  readonly due: number;
  /** Whoever asked alone, and may yet say that it knows the answer (RFC 6762 7.2). */
  readonly asker: string | undefined;
}

export const mdnsPort = 5353;
/** How soon a record may be multicast again, and how soon to defend it against a probe (RFC 6762 6). */
const againMs = 1000;
const defendMs = 250;
/** Questions of one message that are looked at; an honest one has a dozen. */
const maxQuestions = 64;
/** A resolver that is no multicast one must not cache for longer (RFC 6762 6.7). */
const legacyTtl = 10;

export function createResponder(
  clock: Pick<Clock, "monotonic" | "after">,
  socket: Pick<MulticastSocket, "send">,
  { own, random }: { readonly own: () => readonly DnsRecord[]; readonly random: () => number },
): Responder {
  const planned = new Map<string, Planned>();
  /** When each of our records was last multicast. */
  const said = new Map<string, number>();
  let cancel: (() => void) | undefined;

  function plan(records: readonly DnsRecord[], delayMs: number, apartMs: number, asker?: string): void {
    const now = clock.monotonic();
    for (const record of records) {
      const key = recordKey(record);
      const due = Math.max(now + delayMs, (said.get(key) ?? -Infinity) + apartMs);
      const before = planned.get(key);
      planned.set(key, {
        record,
        due: Math.min(due, before?.due ?? due),
        asker: !before || before.asker === asker ? asker : undefined,
      });
    }
    flush();
  }

  function flush(): void {
    cancel?.();
    const now = clock.monotonic();
    const ours = new Set(own().map(recordKey)); // what was planned may not be true any more
    for (const key of planned.keys()) if (!ours.has(key)) planned.delete(key);
    const due = [...planned].filter(([, plan]) => plan.due <= now);
    for (const [key] of due) planned.delete(key);
    const answers = due.map(([, { record }]) => record);
    const fresh = additionalsTo(answers, own()).filter(
      (record) => now >= (said.get(recordKey(record)) ?? -Infinity) + againMs,
    );
    for (const message of responses(answers, fresh)) {
      socket.send(message);
      for (const record of [...message.answers, ...message.additionals]) said.set(recordKey(record), now);
    }
    for (const key of said.keys()) if (!ours.has(key)) said.delete(key);
    const next = Math.min(...[...planned.values()].map((plan) => plan.due));
    cancel = planned.size > 0 ? clock.after(next - now, flush) : undefined;
  }

  /** Whether everybody has heard the record in the last quarter of its time (RFC 6762 5.4). */
  function isFresh(record: DnsRecord): boolean {
    return clock.monotonic() - (said.get(recordKey(record)) ?? -Infinity) < (record.ttl * 1000) / 4;
  }

  return {
    query(message, from) {
      const known = knownOf(message.answers, own());
      for (const [key, { asker }] of planned) if (asker === from.address && known.has(key)) planned.delete(key);
      const wanted = message.questions.slice(0, maxQuestions).map((question) => ({
        unicast: question.unicastResponse,
        records: answersTo(question, own()).filter((record) => !known.has(recordKey(record))),
      }));
      if (from.port !== mdnsPort) {
        const answers = wanted.flatMap(({ records }) => records);
        if (answers.length > 0) socket.send(legacyAnswer(message, answers, own()), from);
        return;
      }
      const direct = wanted.flatMap(({ unicast, records }) => (unicast ? records.filter(isFresh) : []));
      for (const each of responses(unique(direct), additionalsTo(direct, own()))) socket.send(each, from);
      const others = wanted.flatMap(({ unicast, records }) =>
        unicast ? records.filter((record) => !isFresh(record)) : records,
      );
      if (others.length === 0) return;
      const isProbe = message.authorities.length > 0;
      const isOurs = others.every(({ flush }) => flush);
      if (message.truncated) plan(others, 400 + 100 * random(), againMs, from.address);
      else plan(others, isOurs ? 0 : 20 + 100 * random(), isProbe && isOurs ? defendMs : againMs);
    },
    say: (records) => plan(records, 0, againMs),
    heard(records) {
      const ttls = new Map(records.map((record) => [recordKey(record), record.ttl]));
      for (const [key, { record }] of planned) if ((ttls.get(key) ?? 0) >= record.ttl) planned.delete(key);
    },
    stop() {
      cancel?.();
      planned.clear();
    },
  };
}

/** An answer as a plain DNS client expects it: with its id and question, and without what only multicast knows. */
function legacyAnswer(query: DnsMessage, answers: readonly DnsRecord[], own: readonly DnsRecord[]): DnsMessage {
  const plain = (records: readonly DnsRecord[]): readonly DnsRecord[] =>
    unique(records).map((record) => ({ ...record, ttl: Math.min(record.ttl, legacyTtl), flush: false }));
  const questions = query.questions.slice(0, maxQuestions).map((question) => ({ ...question, unicastResponse: false }));
  return {
    ...response,
    id: query.id,
    questions,
    answers: plain(answers),
    additionals: plain(additionalsTo(answers, own)),
  };
}

function unique(records: readonly DnsRecord[]): readonly DnsRecord[] {
  return [...new Map(records.map((record) => [recordKey(record), record])).values()];
}
