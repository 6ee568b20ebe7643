import { Failure } from "../kit/error.ts";
import type { Sent } from "./channel.ts";
import { createRecent } from "./channel-recent.ts";

/** Messages that a network takes only in several of its own: what was sent is not sent again when the rest is. */
export interface Parts {
  /** Sends the pieces of the message of this key in order, from where it broke off; resolves with the first. */
  send(key: string, pieces: readonly (() => Promise<Sent>)[]): Promise<Sent>;
}

const REMEMBERED = 200;

export function createParts(): Parts {
  const begun = createRecent<readonly Sent[]>(REMEMBERED);
  return {
    async send(key, pieces) {
      let sent = begun.get(key) ?? [];
      for (const piece of pieces.slice(sent.length)) {
        sent = [...sent, await piece()];
        begun.set(key, sent);
      }
      const [first] = sent;
      if (!first) throw new Failure("invalid-request", "the message is empty: there is nothing to send");
      begun.set(key, undefined);
      return first;
    },
  };
}
