import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let settlers: Omit<Deferred<T>, "promise"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settlers = { resolve, reject };
  });
  // Nobody may be waiting yet, or any more, when it fails.
  promise.catch(() => undefined);
  return { promise, resolve: (value) => settlers?.resolve(value), reject: (error) => settlers?.reject(error) };
}

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is waited for, to end the sentence `gateway timeout after 10ms waiting for …`. */
  readonly what: string;
}

/** What `work` comes to, unless it takes too long or is interrupted; leaves neither timer nor listener behind. */
export function inTime<T>(work: Promise<T>, { clock, timeoutMs, signal, what }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const interrupted = () => reject(new Failure("aborted", `interrupted while waiting for ${what}`));
    if (signal?.aborted) return interrupted();
    signal?.addEventListener("abort", interrupted, { once: true });
    const cancel = clock.after(timeoutMs, () =>
      reject(new Failure("timeout", `gateway timeout after ${timeoutMs}ms waiting for ${what}`)),
    );
    const release = () => {
      cancel();
      signal?.removeEventListener("abort", interrupted);
    };
    work.finally(release).then(resolve, reject);
  });
}
