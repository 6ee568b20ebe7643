import * as v from "valibot";
import { DEFAULT_ACCOUNT } from "../pairing/sender-place.ts";
import type { SessionRow } from "../session/sessions.ts";

/** Where the answer to a message goes: made when the message comes, written down with it, and never changed. */
export const replySchema = v.object({
  channel: v.string(),
  accountId: v.string(),
  target: v.object({ to: v.string(), thread: v.optional(v.string()) }),
  /** The message that it answers. */
  replyTo: v.optional(v.string()),
});

export type Reply = v.InferOutput<typeof replySchema>;

/** The chat that spoke last in a session; undefined where none has. */
export function lastChat({ delivery }: Pick<SessionRow, "delivery">): Reply | undefined {
  if (!delivery || delivery.channel === "webchat") return undefined;
  const { channel, to, accountId = DEFAULT_ACCOUNT, threadId } = delivery;
  return { channel, accountId, target: { to, ...(threadId === undefined ? {} : { thread: threadId }) } };
}
