import * as v from "valibot";
import { parseJson } from "../kit/json.ts";

/** A chat of Mattermost: `D` is one person, `G` several, `O` and `P` are channels. */
export const chatShape = v.looseObject({
  id: v.string(),
  type: v.picklist(["D", "G", "O", "P"]),
  team_id: v.optional(v.string()),
  last_post_at: v.optional(v.number()),
});
export type Chat = Pick<v.InferOutput<typeof chatShape>, "id" | "type" | "team_id">;

const id = v.pipe(v.string(), v.regex(/^[a-z0-9]{26}$/));

const fileShape = v.looseObject({
  id,
  name: v.optional(v.string()),
  mime_type: v.optional(v.string()),
  size: v.optional(v.number()),
});

export const postShape = v.looseObject({
  id,
  create_at: v.pipe(v.number(), v.integer(), v.minValue(0)),
  delete_at: v.optional(v.number()),
  user_id: id,
  channel_id: id,
  root_id: v.optional(v.string(), ""),
  message: v.string(),
  type: v.optional(v.string(), ""),
  props: v.optional(
    v.nullable(v.looseObject({ from_bot: v.optional(v.unknown()), from_webhook: v.optional(v.unknown()) })),
  ),
  metadata: v.optional(v.looseObject({ files: v.optional(v.nullable(v.array(fileShape))) })),
});
export type Post = v.InferOutput<typeof postShape>;

/** A frame of the WebSocket; `seq` counts events of this connection. */
const frameShape = v.looseObject({
  event: v.optional(v.string()),
  seq: v.optional(v.number()),
  status: v.optional(v.string()),
  data: v.optional(v.unknown()),
});
export type Frame = v.InferOutput<typeof frameShape>;

export function readFrame(text: string): Frame | undefined {
  const parsed = v.safeParse(frameShape, parseJson(text));
  return parsed.success ? parsed.output : undefined;
}

const postedShape = v.looseObject({
  channel_type: chatShape.entries.type,
  team_id: v.optional(v.string()),
  sender_name: v.optional(v.string()),
  post: v.string(),
});

export interface Posted {
  readonly post: Post;
  readonly chat: Chat;
  readonly senderName?: string | undefined;
}

/** The post of an event `posted`, which comes as text within the JSON; undefined when it cannot be read. */
export function readPosted(data: unknown): Posted | undefined {
  const event = v.safeParse(postedShape, data);
  const post = event.success ? v.safeParse(postShape, parseJson(event.output.post)) : undefined;
  if (!event.success || !post?.success) return undefined;
  const { channel_type: type, team_id: team, sender_name: name } = event.output;
  const chat = { id: post.output.channel_id, type, team_id: team === "" ? undefined : team };
  return { post: post.output, chat, senderName: name?.replace(/^@/, "") };
}
