import type { Clock } from "../host/host.ts";

/**
 * Makes a function that tells whether the machine slept since it was last called, which is done more often than every
 * `withinMs`. In sleep the monotonic clock stands still on some systems and goes on on others: the wall clock always does.
 */
export function noticeSleep(clock: Pick<Clock, "now" | "monotonic">, withinMs: number): () => boolean {
  let [wall, steady] = [clock.now(), clock.monotonic()];
  return () => {
    const passedMs = Math.max(clock.now() - wall, clock.monotonic() - steady);
    [wall, steady] = [clock.now(), clock.monotonic()];
    return passedMs > withinMs;
  };
}
