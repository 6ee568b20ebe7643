/** How long to wait before the next attempt: longer each time, never the same for many at once. */
export interface Backoff {
  /** Milliseconds until the next attempt. */
  next(): number;
  /** It worked: the next wait is the shortest again. */
  reset(): void;
}

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** At least 0 and less than 1. */
  readonly random: () => number;
}

/** Waits that double from the first to the longest, each shortened by up to a fifth. */
export function createBackoff({ firstMs, maxMs, random }: BackoffOptions): Backoff {
  let attempt = 0;
  return {
    next() {
      const ms = Math.min(firstMs * 2 ** Math.min(attempt++, 30), maxMs);
      return Math.round(ms * (1 - random() / 5));
    },
    reset: () => void (attempt = 0),
  };
}
