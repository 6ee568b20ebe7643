import type { Clock } from "./host.ts";

/** Timers keep their delay in 31 bits; a longer one fires at once. */
const longest = 2 ** 31 - 1;

/**
 * The clock of any runtime with the web's own timers. They keep a process alive only where the runtime gives no way to
 * let go of them, as Deno.
 */
export const webClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after,
  every(ms, work) {
    const timer = letGo(setInterval(work, ms));
    return () => clearInterval(timer);
  },
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      const abort = (): void => {
        stop();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    }),
};

function after(ms: number, work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (left: number): void => {
    const next = Math.min(left, longest);
    timer = letGo(setTimeout(() => (left > next ? arm(left - next) : work()), next));
  };
  arm(ms);
  return () => clearTimeout(timer);
}

/** A number on the web, an object on Node and Bun. */
function letGo<T>(timer: T): T {
  const { unref } = Object(timer) as { unref?: unknown };
  if (typeof unref === "function") unref.call(timer);
  return timer;
}
