import { createBackoff } from "../kit/backoff.ts";
import { Failure } from "../kit/error.ts";
import { stopped } from "../kit/stream.ts";
import type { ChannelContext, Self } from "./channel.ts";

/** One connection to a network, from its beginning to its end. */
export interface Attempt {
  /** Aborted when the account is to end. */
  readonly signal: AbortSignal;
  /** From now on messages come. */
  ready(self?: Self): void;
}

const FIRST_MS = 1000;
const MAX_MS = 120_000;
/** A connection that stood this long was a good one: the next attempt after it need not wait. */
const GOOD_MS = 30_000;

/**
 * Keeps an account connected: `attempt` resolves or rejects when a connection is over, and is called again after a wait
 * that grows. Says how it fares. What only a person can help (`unauthorized`, `forbidden`, `config`) is not tried again.
 * Resolves when the account is to end, or cannot go on.
 */
export async function keepConnected(
  { clock, log, random, signal, status }: Pick<ChannelContext, "clock" | "log" | "random" | "signal" | "status">,
  attempt: (attempt: Attempt) => Promise<void>,
): Promise<void> {
  const backoff = createBackoff({ firstMs: FIRST_MS, maxMs: MAX_MS, random });
  let reason: string | undefined;
  while (!signal.aborted) {
    status({ state: "connecting", reason });
    let readyAt: number | undefined;
    let waitMs: number | undefined;
    try {
      await attempt({
        signal,
        ready(self) {
          readyAt = clock.monotonic();
          status({ state: "ready", self });
        },
      });
      reason = "the network ended the connection";
    } catch (error) {
      if (signal.aborted) return;
      const failure = Failure.from(error);
      reason = failure.message;
      if (hopeless.has(failure.code)) {
        log.error("the account cannot be connected", { error: reason });
        return status({ state: "failed", reason });
      }
      waitMs = failure.retryAfterMs;
    }
    if (signal.aborted) return;
    if (readyAt !== undefined && clock.monotonic() - readyAt >= GOOD_MS) backoff.reset();
    const ms = Math.max(waitMs ?? 0, backoff.next());
    log.warn("not connected", { reason, nextAttemptInMs: ms });
    status({ state: "connecting", reason });
    await clock.sleep(ms, signal).catch((error: unknown) => {
      // Ended while it waited: the loop sees it.
      if (!signal.aborted) throw error;
    });
  }
}

const hopeless: ReadonlySet<string> = new Set(["unauthorized", "forbidden", "config"]);

/** Waits like `clock.sleep`; rejects with `aborted`, a Failure, when the account ends. */
export async function pause({ clock, signal }: Pick<ChannelContext, "clock" | "signal">, ms: number): Promise<void> {
  await clock.sleep(ms, signal).catch((error: unknown) => {
    throw signal.aborted ? stopped(signal) : error;
  });
}

/** Resolves when the account is to end: for attempts that have nothing else to wait for. */
export async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
