import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";

/** A signal with an end of its own; whoever made it disposes of it. */
export interface Limit {
  readonly signal: AbortSignal;
  dispose(): void;
}

/** A signal that aborts with `parent`, or after `ms` with the Failure that `expired` makes. */
export function limited(clock: Clock, parent: AbortSignal, options: { ms: number; expired: () => Failure }): Limit {
  const controller = new AbortController();
  const stop = (): void => controller.abort(parent.reason);
  if (parent.aborted) stop();
  else parent.addEventListener("abort", stop, { once: true });
  const cancel = clock.after(options.ms, () => controller.abort(options.expired()));
  return {
    signal: controller.signal,
    dispose() {
      cancel();
      parent.removeEventListener("abort", stop);
    },
  };
}

/** Settles as `work` does, or rejects as soon as the signal aborts; `work` is then left to itself. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortFailure(signal));
    const settled = (): void => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(settled);
  });
}

/** Why a signal aborted: the Failure it was aborted with, else `aborted`. */
export function abortFailure({ reason }: AbortSignal): Failure {
  return reason instanceof Failure ? reason : new Failure("aborted", "the run was stopped", { cause: reason });
}
