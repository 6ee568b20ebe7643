import type { Clock } from "../host/host.ts";

/** Lets so many things happen at once, and then one at a time. */
export interface Bucket {
  /** Resolves when it is the caller's turn; rejects by the signal. */
  take(signal: AbortSignal): Promise<void>;
}

/** A bucket of `size` tokens into which another one falls every `everyMs`. */
export function createBucket(
  clock: Pick<Clock, "monotonic" | "sleep">,
  { size, everyMs }: { readonly size: number; readonly everyMs: number },
): Bucket {
  let tokens = size;
  let countedAt = clock.monotonic();
  return {
    async take(signal) {
      const now = clock.monotonic();
      tokens = Math.min(size, tokens + (now - countedAt) / everyMs) - 1;
      countedAt = now;
      if (tokens < 0) await clock.sleep(-tokens * everyMs, signal);
    },
  };
}
