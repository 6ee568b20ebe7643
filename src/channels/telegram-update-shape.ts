import * as v from "valibot";

/** What Telegram tells of: a message, a post of a channel, a button that was pressed. Other kinds are never asked for. */
export type Update = v.InferOutput<typeof updateSchema>;
export type TelegramMessage = v.InferOutput<typeof messageSchema>;

const text = v.optional(v.string());
const whole = v.pipe(v.number(), v.integer());

export type User = v.InferOutput<typeof userSchema>;
export type TelegramFile = v.InferOutput<typeof fileSchema>;

const userSchema = v.looseObject({
  id: whole,
  is_bot: v.optional(v.boolean()),
  first_name: text,
  last_name: text,
  username: text,
});
const chatSchema = v.looseObject({
  id: whole,
  type: v.picklist(["private", "group", "supergroup", "channel"]),
  title: text,
  is_forum: v.optional(v.boolean()),
});
const entitySchema = v.looseObject({ type: v.string(), offset: whole, length: whole, user: v.optional(userSchema) });
const fileSchema = v.looseObject({
  file_id: v.string(),
  file_size: v.optional(v.number()),
  mime_type: text,
  file_name: text,
});
const originSchema = v.looseObject({
  sender_user: v.optional(userSchema),
  sender_user_name: text,
  sender_chat: v.optional(chatSchema),
  chat: v.optional(chatSchema),
});

const messageEntries = {
  message_id: whole,
  message_thread_id: v.optional(whole),
  is_topic_message: v.optional(v.boolean()),
  is_automatic_forward: v.optional(v.boolean()),
  date: whole,
  chat: chatSchema,
  from: v.optional(userSchema),
  sender_chat: v.optional(chatSchema),
  text,
  caption: text,
  entities: v.optional(v.array(entitySchema), []),
  caption_entities: v.optional(v.array(entitySchema), []),
  media_group_id: text,
  forward_origin: v.optional(originSchema),
  photo: v.optional(v.array(fileSchema)),
  document: v.optional(fileSchema),
  voice: v.optional(fileSchema),
  audio: v.optional(fileSchema),
  video: v.optional(fileSchema),
  video_note: v.optional(fileSchema),
  animation: v.optional(fileSchema),
  sticker: v.optional(v.looseObject({ emoji: text })),
  location: v.optional(
    v.looseObject({ latitude: v.number(), longitude: v.number(), horizontal_accuracy: v.optional(v.number()) }),
  ),
  venue: v.optional(v.looseObject({ title: text, address: text })),
  quote: v.optional(v.looseObject({ text: v.string() })),
};

const messageSchema = v.looseObject({
  ...messageEntries,
  reply_to_message: v.optional(v.looseObject({ ...messageEntries, forum_topic_created: v.optional(v.unknown()) })),
});

const updateSchema = v.looseObject({
  update_id: whole,
  message: v.optional(messageSchema),
  channel_post: v.optional(messageSchema),
  callback_query: v.optional(
    v.looseObject({
      id: v.string(),
      from: userSchema,
      data: text,
      message: v.optional(
        v.looseObject({
          message_id: whole,
          message_thread_id: v.optional(whole),
          is_topic_message: v.optional(v.boolean()),
          chat: chatSchema,
        }),
      ),
    }),
  ),
});

/** The number that tells an update from all others of this bot, however little else of it can be understood. */
export function updateId(given: unknown): number | undefined {
  const found = v.safeParse(v.looseObject({ update_id: whole }), given);
  return found.success ? found.output.update_id : undefined;
}

/** An update as far as it concerns us; the reason when it does not have the shape that it should have. */
export function readUpdate(given: unknown): Update | string {
  const found = v.safeParse(updateSchema, given);
  if (found.success) return found.output;
  const [issue] = found.issues;
  return `${v.getDotPath(issue) ?? "update"}: ${issue.message}`;
}
