import type { Clock } from "../host/host.ts";

/** Remembers the outcome of requests by idempotency key, so that a repeated one is answered and not done again. */
export interface Dedupe {
  /** The outcome of this key's first `work` within the window, running it when there is none yet. */
  once(key: string, work: () => Promise<string>): Promise<string>;
}

/** Five minutes and a thousand keys, as the protocol has it (protocol.md 1.3). Failures are remembered too. */
export function createDedupe(clock: Pick<Clock, "monotonic">, windowMs = 300_000, capacity = 1000): Dedupe {
  const outcomes = new Map<string, { readonly at: number; readonly result: Promise<string> }>();
  return {
    once(key, work) {
      const now = clock.monotonic();
      const known = outcomes.get(key);
      if (known && now - known.at < windowMs) return known.result;
      const result = work();
      outcomes.delete(key);
      outcomes.set(key, { at: now, result });
      for (const [oldest, outcome] of outcomes) {
        if (outcomes.size <= capacity && now - outcome.at < windowMs) break;
        outcomes.delete(oldest);
      }
      return result;
    },
  };
}
