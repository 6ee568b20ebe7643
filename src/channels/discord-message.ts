import * as v from "valibot";
import type { Attachment, Inbound, Self, Sender } from "./channel.ts";

/** A message as the Gateway tells of it. */
export type DiscordMessage = v.InferOutput<typeof messageSchema>;

const text = v.nullish(v.string());
const id = v.pipe(v.string(), v.regex(/^\d{1,20}$/));

const userSchema = v.looseObject({ id, username: text, global_name: text, bot: v.optional(v.boolean()) });
const fileSchema = v.looseObject({
  url: v.pipe(v.string(), v.url()),
  filename: text,
  content_type: text,
  size: v.optional(v.number()),
});
const saidEntries = {
  content: v.optional(v.string(), ""),
  attachments: v.optional(v.array(fileSchema), []),
  sticker_items: v.optional(v.array(v.looseObject({ name: v.string() })), []),
};

const messageSchema = v.looseObject({
  ...saidEntries,
  id,
  channel_id: id,
  guild_id: v.optional(id),
  type: v.number(),
  author: userSchema,
  member: v.optional(v.looseObject({ nick: text })),
  webhook_id: v.optional(v.string()),
  timestamp: v.string(),
  mentions: v.optional(v.array(userSchema), []),
  message_reference: v.optional(v.looseObject({ message_id: v.optional(id) })),
  referenced_message: v.nullish(v.looseObject({ id, author: userSchema, content: v.optional(v.string(), "") })),
  message_snapshots: v.optional(v.array(v.looseObject({ message: v.looseObject(saidEntries) })), []),
});

/** What a person writes, be it an answer. Other types tell of things that happened. */
const written = new Set([0, 19]);

/** The message; undefined for what nobody wrote, and the reason when it does not have the shape that it should have. */
export function readMessage(data: unknown): DiscordMessage | string | undefined {
  const found = v.safeParse(messageSchema, data);
  if (found.success) return written.has(found.output.type) ? found.output : undefined;
  const [issue] = found.issues;
  return `${v.getDotPath(issue) ?? "message"}: ${issue.message}`;
}

/** A channel, as far as it matters where a message was written. */
export interface Place {
  readonly name?: string | undefined;
  /** The channel that this thread is in. */
  readonly parent?: { readonly id: string; readonly name?: string | undefined } | undefined;
}

export interface Reading {
  readonly self: Self;
  /** Where it was written; undefined in private. */
  readonly place: Place | undefined;
  readonly load: (url: string) => Attachment["load"];
}

/** What somebody wrote; undefined when it says nothing. */
export function inboundOf(message: DiscordMessage, { self, place, load }: Reading): Inbound | undefined {
  const { author, referenced_message: answered, channel_id, guild_id } = message;
  const passedOn = message.message_snapshots.map((snapshot) => snapshot.message);
  const said = [wordsOf(message, message, self)]
    .concat(passedOn.map((each) => `[Forwarded]\n${wordsOf(each, message, self)}`))
    .filter((words) => words !== "");
  const files = [message, ...passedOn].flatMap((each) => each.attachments);
  if (said.length === 0 && files.length === 0) return undefined;
  const where = place?.parent ?? { id: channel_id, name: place?.name };
  const thread = place?.parent ? channel_id : undefined;
  return {
    id: message.id,
    peer: place
      ? { kind: "channel", id: where.id, name: where.name === undefined ? undefined : `#${where.name}` }
      : { kind: "direct", id: author.id },
    ...(thread === undefined ? {} : { thread: { kind: "thread", id: thread } }),
    guildId: guild_id,
    sender: senderOf(message, self),
    text: said.join("\n"),
    ...(files.length === 0 ? {} : { attachments: files.map((file) => attachmentOf(file, load)) }),
    mentioned: message.mentions.some((user) => user.id === self.id) || answered?.author.id === self.id,
    ...(answered ? { quoted: { id: answered.id, text: answered.content, sender: nameOf(answered.author) } } : {}),
    to: place ? { to: `channel:${where.id}`, thread } : { to: `user:${author.id}` },
    at: Date.parse(message.timestamp) || 0,
  };
}

function senderOf({ author, member, webhook_id }: DiscordMessage, self: Self): Sender {
  return {
    id: author.id,
    name: member?.nick ?? nameOf(author),
    isBot: author.bot === true || webhook_id !== undefined,
    isSelf: author.id === self.id,
  };
}

function nameOf({ global_name, username }: v.InferOutput<typeof userSchema>): string | undefined {
  return global_name ?? username ?? undefined;
}

type Said = Pick<DiscordMessage, "content" | "sticker_items">;

/** The text with names for ids; our own, which only calls us, is left out. */
function wordsOf(said: Said, { mentions }: Pick<DiscordMessage, "mentions">, self: Self): string {
  const names = new Map(mentions.map((user) => [user.id, nameOf(user)]));
  const content = said.content
    .replaceAll(/<@!?(\d+)> ?/g, (all, id: string) =>
      id === self.id ? "" : `@${names.get(id) ?? id}${all.endsWith(" ") ? " " : ""}`,
    )
    .replaceAll(/<@&\d+>/g, "@role")
    .replaceAll(/<a?(:\w+:)\d+>/g, "$1");
  return [content.trim(), ...said.sticker_items.map(({ name }) => `<sticker ${name}>`)]
    .filter((part) => part !== "")
    .join("\n");
}

function attachmentOf(file: v.InferOutput<typeof fileSchema>, load: Reading["load"]): Attachment {
  const mimeType = file.content_type?.split(";")[0]?.trim();
  const [family = ""] = mimeType?.split("/") ?? [];
  const kind = family === "image" || family === "audio" || family === "video" ? family : "file";
  return { kind, mimeType, fileName: file.filename ?? undefined, size: file.size, load: load(file.url) };
}
