import { Failure } from "../kit/error.ts";
import { stopped } from "../kit/stream.ts";
import type { ChannelContext, Self } from "./channel.ts";
import { keepConnected } from "./channel-connection.ts";

/** The state of an account that has no connection of its own, as its network calls us. */
export interface Presence {
  /** Aborted when the account ends, by the gateway or by `close`. */
  readonly signal: AbortSignal;
  /** Passes on what `work` gives; what we sign in with being refused there means that only a person can help. */
  watch<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Says that the account is there once the network has told who we are, however often it must be asked. */
export function presence(context: ChannelContext, whoami: (signal: AbortSignal) => Promise<Self>): Presence {
  const { clock, log, random } = context;
  const status: ChannelContext["status"] = (state) => context.status(state);
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  let lose: ((error: Failure) => void) | undefined;
  const running = keepConnected({ clock, log, random, status, signal }, async (attempt) => {
    const self = await whoami(signal);
    await new Promise((_, reject) => {
      lose = reject;
      signal.addEventListener("abort", () => reject(stopped(signal)), { once: true });
      if (signal.aborted) reject(stopped(signal));
      else attempt.ready(self);
    });
  });
  return {
    signal,
    watch: (work) =>
      work.catch((error: unknown) => {
        if (error instanceof Failure && error.code === "unauthorized") lose?.(error);
        throw error;
      }),
    async close() {
      ending.abort();
      await running;
    },
  };
}
