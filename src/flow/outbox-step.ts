import { limited, orAborted } from "../agent/interrupt.ts";
import type { Outbound } from "../channels/channel.ts";
import { Failure, type Code } from "../kit/error.ts";
import { fromBase64 } from "../kit/ids.ts";
import { outboundOf, partKey, partsOf, type Part } from "./deliver.ts";
import type { OpenAccount } from "./networks.ts";
import type { OutboxLog, Planned } from "./outbox-log.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Reply } from "./reply.ts";
import { createSlots, type Slots } from "./slots.ts";

/** What became of one step of a delivery. */
export type Step =
  | { readonly kind: "on" }
  /** The gateway ends: it goes on at the next start. */
  | { readonly kind: "stop" }
  | { readonly kind: "over"; readonly failure?: Failure }
  | { readonly kind: "wait"; readonly ms?: number | undefined };

export interface StepOptions extends Pick<OutboxOptions, "clock" | "log" | "media" | "account"> {
  readonly book: OutboxLog;
  /** Writes a line, however often it takes: `on` when it is on the disk, `stop` when the gateway ends before that. */
  readonly recorded: (write: () => Promise<void>) => Promise<Step>;
  /** Nothing more is begun. */
  readonly stopping: AbortSignal;
  /** What is being sent is let go of. */
  readonly cutting: AbortSignal;
}

/** What could not be sent for so long is of no use any more. */
const maxAgeMs = 24 * 3600_000;
/** Tries of one part while the network can be reached. */
const maxTries = 5;
const tryMs = 60_000;
const tryWithFilesMs = 180_000;
const probeMs = 15_000;
/** Messages that are on their way to one account's network at once. */
const sideBySide = 4;

/** The way to bring a delivery one step further: it is cut into parts, or its next part is tried. Never rejects. */
export function createSteps(options: StepOptions): (planned: Planned) => Promise<Step> {
  const { clock, log, book, recorded, stopping, cutting } = options;
  const slots = new Map<string, Slots>();

  async function next(planned: Planned): Promise<Step> {
    const { delivery, plannedAt, parts, sent, tries } = planned;
    const { id, to } = delivery;
    if (clock.now() - plannedAt >= maxAgeMs) return over("timeout", "it could not be sent for a day");
    if (tries >= maxTries) return over("timeout", "it was tried too often, and nobody knows whether it arrived");
    let account: OpenAccount;
    try {
      account = await options.account(to.channel, to.accountId);
    } catch (thrown) {
      const failure = Failure.from(thrown);
      return failure.retryable ? { kind: "wait" } : { kind: "over", failure };
    }
    if (!parts) return recorded(() => book.cut(id, partsOf(delivery, account)));
    const part = parts[sent.length];
    if (!part) return { kind: "over" };
    const release = await slotsOf(to).take();
    try {
      return stopping.aborted ? { kind: "stop" } : await tryPart(planned, part, account);
    } finally {
      release();
    }
  }

  async function tryPart({ delivery, sent, tries }: Planned, part: Part, account: OpenAccount): Promise<Step> {
    const { id, to } = delivery;
    const begun = await recorded(() => book.trying(id));
    if (begun.kind !== "on") return begun;
    const ms = part.media ? tryWithFilesMs : tryMs;
    try {
      // Whoever finds this part in the log as tried sends it again under the same key: networks that know keys show it
      // once, and on the others a part that is shown twice is better than one that is lost.
      const key = partKey(id, sent.length);
      const message = outboundOf(part, await filesOf(part));
      const taken = await within(ms, (signal) => account.channel.send(to.target, message, { key, signal }));
      return await recorded(() => book.sent(id, taken.id));
    } catch (thrown) {
      if (cutting.aborted) return { kind: "stop" };
      const failure = Failure.from(thrown);
      if (failure.code === "rate-limited") {
        const { retryAfterMs: wait } = failure;
        const noted = await recorded(() => book.discount(id));
        return noted.kind === "on" ? { kind: "wait", ms: wait } : noted;
      }
      if (failure.code !== "unavailable" && failure.code !== "timeout") return { kind: "over", failure };
      // A network that is not there at all says nothing against the message: it may come back in the morning.
      if (!(await isThere(account))) {
        const noted = await recorded(() => book.discount(id));
        return noted.kind === "on" ? { kind: "wait" } : noted;
      }
      return tries + 1 >= maxTries ? { kind: "over", failure } : { kind: "wait" };
    }
  }

  async function filesOf({ media }: Part): Promise<Outbound["media"]> {
    if (!media) return undefined;
    return Promise.all(
      media.map(async ({ key, mimeType, fileName }) => {
        const kept = await options.media.load(key);
        const data = kept === undefined ? undefined : fromBase64(kept);
        if (!data) throw new Failure("not-found", `the file ${fileName} is not kept any more`);
        return { data, mimeType, fileName };
      }),
    );
  }

  async function isThere({ channel }: OpenAccount): Promise<boolean> {
    const probe = channel.probe?.bind(channel);
    if (!probe) return true;
    try {
      await within(probeMs, (signal) => probe(signal));
      return true;
    } catch (error) {
      log.debug("a network does not answer", { error: Failure.from(error).message });
      return false;
    }
  }

  async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const expired = (): Failure => new Failure("timeout", `the network took longer than ${ms / 1000} seconds`);
    const limit = limited(clock, cutting, { ms, expired });
    try {
      return await orAborted(work(limit.signal), limit.signal);
    } finally {
      limit.dispose();
    }
  }

  function slotsOf({ channel, accountId }: Reply): Slots {
    const key = JSON.stringify([channel, accountId]);
    const found = slots.get(key) ?? createSlots(() => sideBySide);
    slots.set(key, found);
    return found;
  }

  return next;
}

function over(code: Code, message: string): Step {
  return { kind: "over", failure: new Failure(code, message) };
}
