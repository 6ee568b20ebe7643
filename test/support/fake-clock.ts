import type { Clock } from "../../src/host/host.ts";

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Moves both clocks on, runs what falls due in order, and lets the promises that wait on it settle. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or back, as an administrator or NTP does; `monotonic` and timers do not notice. */
  jump(ms: number): void;
  /** Timers that have been armed and neither ran nor were cancelled. */
  readonly armed: number;
}

export const startOfTime = Date.UTC(2026, 10, 21);

export function createFakeClock(start = startOfTime): FakeClock {
  let wall = start;
  let elapsed = 0;
  let order = 0;
  const timers = new Map<number, { readonly due: number; readonly work: () => void }>();

  const after = (ms: number, work: () => void): (() => void) => {
    const id = ++order;
    timers.set(id, { due: elapsed + Math.max(ms, 0), work });
    return () => void timers.delete(id);
  };
  const next = (until: number) =>
    [...timers].filter(([, { due }]) => due <= until).sort(([a, x], [b, y]) => x.due - y.due || a - b)[0];

  return {
    now: () => wall,
    monotonic: () => elapsed,
    after,
    every(ms, work) {
      let cancel = after(ms, tick);
      function tick(): void {
        cancel = after(ms, tick);
        work();
      }
      return () => cancel();
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          cancel();
          reject(new DOMException("The sleep was aborted", "AbortError"));
        };
        const cancel = after(ms, () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        });
        if (signal?.aborted) stop();
        else signal?.addEventListener("abort", stop, { once: true });
      }),
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = next(until); timer; timer = next(until)) {
        const [id, { due, work }] = timer;
        timers.delete(id);
        wall += due - elapsed;
        elapsed = due;
        work();
        await settle();
      }
      wall += until - elapsed;
      elapsed = until;
    },
    jump: (ms) => void (wall += ms),
    get armed() {
      return timers.size;
    },
  };
}

/** Lets every promise that can settle without a timer do so, those that wait for a crypto thread included. */
export async function settle(): Promise<void> {
  do {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  } while (computing.size > 0);
}

/** Calls of the platform's crypto that have not answered yet: how long they take is up to the machine. */
const computing = new Set<symbol>();
const { subtle } = globalThis.crypto;
for (const name of [
  "decrypt",
  "deriveBits",
  "digest",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "verify",
]) {
  const compute: (...args: unknown[]) => Promise<unknown> = Reflect.get(subtle, name);
  const counted = async (...args: unknown[]): Promise<unknown> => {
    const call = Symbol(name);
    computing.add(call);
    try {
      return await compute.apply(subtle, args);
    } finally {
      computing.delete(call);
    }
  };
  Object.defineProperty(subtle, name, { value: counted, configurable: true, writable: true });
}
