import type { Clock } from "../host/host.ts";
import { createLanes } from "../kit/lanes.ts";

export interface LimiterOptions {
  /** Failures within the window before the lock. */
  readonly maxAttempts: number;
  readonly windowMs: number;
  readonly lockoutMs: number;
}

/**
 * Counts failed attempts per key and locks a key out after too many (protocol.md 4.3, threat I). Every door shares one.
 * An attempt is taken before the secret is compared, so that attempts made side by side count too.
 */
export interface Limiter {
  /**
   * Judges the attempts of one key one after the other: many clients of one address that come at once, as after a
   * restart, must not count as failures while they are being judged.
   */
  inTurn<T>(key: string, judge: () => Promise<T>): Promise<T>;
  /** Takes an attempt: the milliseconds to wait when there is none left, else 0. */
  take(key: string): number;
  /** Gives the attempt back: the secret was right. */
  restore(key: string): void;
}

interface Bucket {
  attempts: number;
  since: number;
  lockedUntil: number;
}

/** Keys remembered at once; the oldest is forgotten first. */
const maxKeys = 10_000;

export function createLimiter(
  clock: Pick<Clock, "monotonic">,
  options: () => LimiterOptions,
  lockedOut?: () => void,
): Limiter {
  const buckets = new Map<string, Bucket>();

  function bucketOf(key: string): Bucket {
    const now = clock.monotonic();
    const known = buckets.get(key);
    if (known && (now < known.lockedUntil || (known.lockedUntil === 0 && now - known.since < options().windowMs)))
      return known;
    const fresh = { attempts: 0, since: now, lockedUntil: 0 };
    buckets.delete(key);
    buckets.set(key, fresh);
    if (buckets.size > maxKeys) forgetOldest(now);
    return fresh;
  }

  /** Prefers one that is not locked, so that a flood of addresses cannot free a locked one. */
  function forgetOldest(now: number): void {
    let seen = 0;
    for (const [key, bucket] of buckets) {
      if (bucket.lockedUntil <= now || ++seen > 100) {
        buckets.delete(key);
        return;
      }
    }
  }

  const lanes = createLanes();
  return {
    inTurn: (key, judge) => lanes.run(key, judge),
    take(key) {
      const bucket = bucketOf(key);
      const now = clock.monotonic();
      if (bucket.lockedUntil > now) return bucket.lockedUntil - now;
      const { maxAttempts, lockoutMs } = options();
      if (++bucket.attempts <= maxAttempts) return 0;
      bucket.lockedUntil = now + lockoutMs;
      lockedOut?.();
      return lockoutMs;
    },
    restore(key) {
      const bucket = buckets.get(key);
      if (bucket && bucket.lockedUntil === 0 && bucket.attempts > 0) bucket.attempts--;
    },
  };
}
