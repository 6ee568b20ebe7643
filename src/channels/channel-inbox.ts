import { createBackoff } from "../kit/backoff.ts";
import { Failure } from "../kit/error.ts";
import type { ChannelContext, Inbound } from "./channel.ts";
import { pause } from "./channel-connection.ts";

/** Messages of a network that sends each of them once, whether we can take it then or not. */
export interface Inbox {
  /** Takes a message in, after those before it. Resolves when there is room for more. */
  put(message: Inbound): Promise<void>;
}

const ROOM = 100;
const FIRST_MS = 1000;
const MAX_MS = 30_000;

/** Keeps messages in order until they are taken in, over any number of connections. */
export function createInbox(context: Receiving): Inbox {
  let taken = Promise.resolve();
  let waiting = 0;
  const spaces: (() => void)[] = [];
  const take = async (message: Inbound): Promise<void> => {
    await takeIn(context, message).catch((error: unknown) => {
      // It is the account's end, with which all that waits is given up.
      if (!context.signal.aborted) context.log.error("a message is lost", { error: Failure.from(error).message });
    });
    waiting--;
    spaces.shift()?.();
  };
  return {
    put(message) {
      waiting++;
      taken = taken.then(() => take(message));
      return waiting < ROOM ? Promise.resolve() : new Promise((resolve) => void spaces.push(resolve));
    },
  };
}

/** Offers a message until it is taken in. Rejects with `aborted` when the account ends before. */
export async function takeIn(context: Receiving, message: Inbound): Promise<void> {
  const backoff = createBackoff({ firstMs: FIRST_MS, maxMs: MAX_MS, random: context.random });
  for (;;) {
    try {
      context.signal.throwIfAborted();
      return await context.receive(message);
    } catch (error) {
      if (!context.signal.aborted)
        context.log.warn("a message cannot be taken in yet", { error: Failure.from(error).message });
    }
    await pause(context, backoff.next());
  }
}

type Receiving = Pick<ChannelContext, "receive" | "signal" | "clock" | "log" | "random">;
