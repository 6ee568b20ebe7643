import * as v from "valibot";

/** Where the answer to a message goes: made when the message comes, written down with it, and never changed. */
export const replySchema = v.object({
  channel: v.string(),
  accountId: v.string(),
  target: v.object({ to: v.string(), thread: v.optional(v.string()) }),
  /** The message that it answers. */
  replyTo: v.optional(v.string()),
});

export type Reply = v.InferOutput<typeof replySchema>;
