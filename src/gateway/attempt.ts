import type { Limiter } from "./limiter.ts";
import { limiterKey, type Locality } from "./locality.ts";
import { rateLimited } from "./refusals.ts";

export interface AttemptContext {
  readonly limiter: Limiter;
  readonly settings: { readonly exemptLoopback: boolean };
}

/** Who tries, as far as the server itself knows. */
export interface Attempter {
  readonly from: Locality;
  readonly origin: string | undefined;
}

/**
 * Judges one attempt to prove who is calling. Every door has its attempts judged here, so that all of them together get
 * as many as one (threat I): it is counted before it is judged, and given back by `proved`. Rejects when there were too
 * many.
 */
export function attempt<T>(
  { limiter, settings }: AttemptContext,
  { from, origin }: Attempter,
  judge: (proved: () => void) => Promise<T>,
): Promise<T> {
  const key = limiterKey(from.address);
  return limiter.inTurn(key, () => {
    // A page of a stranger reaches loopback too, and a proxy's client may say that it is there.
    const limited = !(settings.exemptLoopback && from.local && origin === undefined);
    if (!limited) return judge(() => undefined);
    const waitMs = limiter.take(key);
    if (waitMs > 0) return Promise.reject(rateLimited(waitMs));
    return judge(() => limiter.restore(key));
  });
}
