import type { Sent } from "../channels/channel.ts";
import type { Clock } from "../host/host.ts";
import { createBackoff } from "../kit/backoff.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import type { Logger } from "../kit/log.ts";
import type { Media } from "../session/media.ts";
import type { Logs } from "../store/log.ts";
import type { OpenAccount } from "./networks.ts";
import { openOutboxLog, type Ended, type Planned } from "./outbox-log.ts";
import { createSteps, type Step } from "./outbox-step.ts";
import type { Reply } from "./reply.ts";

/**
 * Messages on their way out. What is planned is on the disk until the network has taken it or never will: it goes on
 * after a crash where it was.
 */
export interface Outbox {
  /** Resolves when it is on the disk. The same `id` again changes nothing. */
  plan(delivery: Delivery): Promise<void>;
  /** Resolves when all of it was sent; rejects when it was given up, or with `timeout` when the signal is faster. */
  sent(id: string, signal: AbortSignal): Promise<readonly Sent[]>;
  /** An account is open again: what waits for it is tried now. */
  ready(channel: string, accountId: string): void;
  /** Deliveries that have not ended. */
  readonly waiting: number;
  close(): Promise<void>;
}

export interface Delivery {
  readonly id: string;
  readonly to: Reply;
  /** Markdown of any length. */
  readonly text: string;
  /** The message that it quotes, whatever the account's `replyToMode` says: whoever wrote it asked for that. */
  readonly quotes?: string | undefined;
  /** Files that go with it. */
  readonly media?: readonly StoredMedia[] | undefined;
  /** The session that it is said in, for what is told of it. */
  readonly sessionKey?: string | undefined;
}

/** A file that is kept in `App.media`. */
export interface StoredMedia {
  readonly key: string;
  readonly mimeType: string;
  readonly fileName: string;
}

export interface OpenOutbox extends Outbox {
  /** Begins to send, first of all what was left undone. Until then everything is only written down. */
  start(): void;
  /** Reads everything again, as another process wrote it until now, and begins to send. */
  takeOver(): Promise<void>;
}

export interface OutboxOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: Logs;
  /** At least 0 and less than 1. */
  readonly random: () => number;
  readonly media: Pick<Media, "load">;
  /** The account that a message goes by; rejects as `Networks.open` does. Not asked before `start`. */
  account(channel: string, accountId: string): Promise<OpenAccount>;
  /** Tells the session of a delivery, which has one, that it was not sent or not all of it, and why. */
  undelivered(delivery: Delivery & { readonly sessionKey: string }, why: string): Promise<void>;
}

/** Deliveries and letters of all of them on their way: each is kept in memory until it has ended. */
const maxWaiting = 1000;
const maxWaitingLetters = 16 * 1024 * 1024;
const maxLetters = 200_000;
const maxWaitMs = 3600_000;
/** How long the end of the gateway waits for what is being sent. */
const closeMs = 3000;

/** What waits for one chat: one delivery at a time, in the order they were planned. */
interface Lane {
  readonly key: string;
  readonly to: Reply;
  readonly waiting: string[];
  /** Ends the wait for the account. */
  wake: (() => void) | undefined;
}

export async function openOutbox(options: OutboxOptions): Promise<OpenOutbox> {
  const { clock, log, random } = options;
  const book = await openOutboxLog(options);
  const events = createEvents<Record<string, Ended>>((error) =>
    log.error("a listener of the outbox failed", { error: String(error) }),
  );
  const lanes = new Map<string, Lane>();
  const planning = new Map<string, Promise<void>>();
  const working = new Set<Promise<void>>();
  /** Begins nothing more; what is being sent may end. */
  const stopping = new AbortController();
  /** Lets go of what is being sent. */
  const cutting = new AbortController();
  const next = createSteps({ ...options, book, recorded, stopping: stopping.signal, cutting: cutting.signal });
  let started = false;

  function enqueue({ delivery }: Planned): void {
    const { channel, accountId, target } = delivery.to;
    const key = JSON.stringify([channel, accountId, target.to, target.thread]);
    const lane = lanes.get(key);
    if (lane) return void lane.waiting.push(delivery.id);
    const fresh: Lane = { key, to: delivery.to, waiting: [delivery.id], wake: undefined };
    lanes.set(key, fresh);
    const work = empty(fresh)
      .catch((error: unknown) => log.error("a chat's messages are not sent", { channel, error: String(error) }))
      .finally(() => working.delete(work));
    working.add(work);
  }

  async function empty(lane: Lane): Promise<void> {
    try {
      for (let [id] = lane.waiting; id !== undefined; [id] = lane.waiting) {
        await deliver(lane, id);
        if (stopping.signal.aborted) return;
        lane.waiting.shift();
      }
    } finally {
      // At once, so that nothing is put into a lane that nobody empties any more.
      lanes.delete(lane.key);
    }
  }

  /** One delivery, to its end. */
  async function deliver(lane: Lane, id: string): Promise<void> {
    const backoff = createBackoff({ firstMs: 2000, maxMs: 300_000, random });
    for (let planned = book.get(id); planned && !stopping.signal.aborted; planned = book.get(id)) {
      const step = await next(planned);
      if (step.kind === "stop") return;
      if (step.kind === "over") await end(planned, step.failure);
      if (step.kind === "on") backoff.reset();
      if (step.kind === "wait") {
        // Only who waits for the account is woken by it: a network that asked for a pause gets it.
        await pause(Math.min(step.ms ?? backoff.next(), maxWaitMs), step.ms === undefined ? lane : undefined);
      }
    }
  }

  /** Writes a line, again until it is on the disk: without it a part could be sent any number of times. */
  async function recorded(write: () => Promise<void>): Promise<Step> {
    const backoff = createBackoff({ firstMs: 1000, maxMs: 60_000, random });
    for (;;) {
      try {
        await write();
        return { kind: "on" };
      } catch (error) {
        log.error("the record of messages on their way out cannot be written", { error: String(error) });
        if (stopping.signal.aborted) return { kind: "stop" };
        await pause(backoff.next());
      }
    }
  }

  async function end({ delivery, parts, sent }: Planned, thrown?: Failure): Promise<void> {
    const { id, to, sessionKey } = delivery;
    const failure = thrown?.shown();
    if (failure) {
      const { code, message: error } = failure;
      log.warn("a message was not sent", { channel: to.channel, account: to.accountId, delivery: id, code, error });
      const some = sent.length === 0 ? "" : ` (${sent.length} of ${parts?.length} parts arrived)`;
      if (sessionKey !== undefined) {
        await options
          .undelivered({ ...delivery, sessionKey }, failure.message + some)
          .catch((why: unknown) => log.error("a session was not told of it", { delivery: id, error: String(why) }));
      }
    }
    await recorded(() => book.end(id, failure && { code: failure.code, message: failure.message }));
    const over = book.ended(id);
    if (over) events.emit(id, over);
  }

  function pause(ms: number, lane?: Lane): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        stopping.signal.removeEventListener("abort", go);
        if (lane) lane.wake = undefined;
        resolve();
      };
      const cancel = clock.after(ms, go);
      if (lane) lane.wake = go;
      stopping.signal.addEventListener("abort", go, { once: true });
      if (stopping.signal.aborted) go();
    });
  }

  async function plan(delivery: Delivery): Promise<void> {
    const { id, text } = delivery;
    if (book.get(id) || book.ended(id)) return;
    const known = planning.get(id);
    if (known) return known;
    if (stopping.signal.aborted) throw new Failure("unavailable", "the gateway is stopping: send it when it is back");
    const { count, letters } = book.load();
    if (text.length > maxLetters) {
      throw new Failure("invalid-request", `a message of ${text.length} characters is too long: ${maxLetters} at most`);
    }
    if (count + planning.size >= maxWaiting || letters + text.length > maxWaitingLetters) {
      throw new Failure("rate-limited", `${count} messages wait to be sent already, over all chats: try later`);
    }
    const writing = book.plan(delivery);
    planning.set(id, writing);
    try {
      await writing;
    } finally {
      planning.delete(id);
    }
    const planned = book.get(id);
    if (planned && started) enqueue(planned);
  }

  function start(): void {
    started = true;
    for (const planned of book.pending()) enqueue(planned);
  }

  return {
    plan,
    start,
    async takeOver() {
      await book.reload();
      start();
    },
    async sent(id, signal) {
      const known = book.ended(id);
      if (known) return sentOf(known);
      if (!book.get(id)) throw new Failure("not-found", `there is no delivery ${id}`);
      return new Promise((resolve, reject) => {
        const off = events.on(id, (ended) => {
          signal.removeEventListener("abort", late);
          off();
          try {
            resolve(sentOf(ended));
          } catch (error) {
            reject(error);
          }
        });
        const late = (): void => {
          off();
          reject(new Failure("timeout", "it is not sent yet, and will be when the network takes it"));
        };
        signal.addEventListener("abort", late, { once: true });
        if (signal.aborted) late();
      });
    },
    ready(channel, accountId) {
      for (const { to, wake } of lanes.values()) if (to.channel === channel && to.accountId === accountId) wake?.();
    },
    get waiting() {
      return book.load().count;
    },
    async close() {
      stopping.abort();
      const late = clock.after(closeMs, () =>
        cutting.abort(new Failure("unavailable", "the gateway is stopping; it is sent when it is back")),
      );
      await Promise.all(working);
      late();
      await book.close();
    },
  };
}

function sentOf({ sent, failure }: Ended): readonly Sent[] {
  if (failure) throw new Failure(failure.code, failure.message);
  return sent.map((id) => ({ id }));
}
