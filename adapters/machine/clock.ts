import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../src/host/host.ts";

/** The runtimes keep a timer's delay in 31 bits; a longer one fires at once. */
const longest = 2 ** 31 - 1;

/** The real clock. Its timers do not keep the process alive. */
export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, work) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      const next = Math.min(left, longest);
      timer = setTimeout(() => (left > next ? arm(left - next) : work()), next);
      timer.unref();
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
  every(ms, work) {
    const timer = setInterval(work, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  async sleep(ms, signal) {
    await sleep(ms, undefined, signal ? { signal } : {});
  },
};
