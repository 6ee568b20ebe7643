import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";

/** A token that is asked for with what we sign in with, and asked for again before it runs out. */
export interface AccessToken {
  /** Does something with a token. When it is refused as `unauthorized`, once more with a new one. */
  use<T>(work: (token: string) => Promise<T>): Promise<T>;
}

export interface GrantedToken {
  readonly token: string;
  readonly goodForMs: number;
}

const EARLY_MS = 5 * 60_000;

/** Keeps what `grant` gives as long as it is good. Whoever wants one while it is asked for waits for the same answer. */
export function createAccessToken(clock: Pick<Clock, "monotonic">, grant: () => Promise<GrantedToken>): AccessToken {
  let held: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const { token, goodForMs } = await grant();
    held = { token, until: clock.monotonic() + goodForMs - Math.min(EARLY_MS, goodForMs / 2) };
    return token;
  }
  function current(): Promise<string> {
    if (held && clock.monotonic() < held.until) return Promise.resolve(held.token);
    return (asking ??= renew().finally(() => (asking = undefined)));
  }

  return {
    async use(work) {
      const token = await current();
      try {
        return await work(token);
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== "unauthorized") throw error;
        if (held?.token === token) held = undefined;
        return work(await current());
      }
    },
  };
}
