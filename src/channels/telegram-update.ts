import { Failure } from "../kit/error.ts";
import type { Attachment, ChannelContext, Inbound } from "./channel.ts";
import type { TelegramApi, TelegramSelf } from "./telegram-api.ts";
import { readUpdate, updateId, type TelegramFile, type TelegramMessage, type Update } from "./telegram-update-shape.ts";
import { forwarded, nameOf, wordsOf } from "./telegram-update-words.ts";

/** What is done with updates, whichever way they come. */
export interface Updates {
  /** The kinds that Telegram is asked for. */
  readonly kinds: readonly string[];
  /** Undefined for what cannot be understood, which the log is told of: it would not be, however often it came. */
  read(given: unknown): Update | undefined;
  /** The number that tells it from all others of this bot, however little else of it can be understood. */
  idOf(given: unknown): number | undefined;
  /** The album that its message is a part of. */
  albumOf(update: Update | undefined): string | undefined;
  /** Takes in the updates of one message; rejects when they must come again. */
  take(updates: readonly Update[], self: TelegramSelf): Promise<void>;
}

export type { Update } from "./telegram-update-shape.ts";

export interface UpdatesOptions {
  readonly context: ChannelContext;
  readonly api: TelegramApi;
  /** Whether a channel's posts count. */
  readonly isListed: (chatId: string) => boolean;
}

export function telegramUpdates({ context, api, isListed }: UpdatesOptions): Updates {
  return {
    kinds: ["message", "channel_post", "callback_query"],
    read(given) {
      const update = readUpdate(given);
      if (typeof update !== "string") return update;
      context.log.warn("an update of Telegram cannot be understood", { updateId: updateId(given), reason: update });
      return undefined;
    },
    idOf: updateId,
    albumOf(update) {
      const message = update?.message ?? update?.channel_post;
      return message?.media_group_id === undefined ? undefined : `${message.chat.id}:${message.media_group_id}`;
    },
    async take(updates, self) {
      const message = inboundOf(updates, { self, api, now: context.clock.now(), isListed });
      if (message) await context.receive(message);
      for (const { callback_query: query } of updates) {
        if (!query) continue;
        // Lets the button go that was pressed. Nothing depends on it.
        api.call("answerCallbackQuery", { callback_query_id: query.id }).catch((error: unknown) => {
          context.log.debug("a button could not be released", { error: Failure.from(error).message });
        });
      }
    },
  };
}

interface Reading extends Pick<UpdatesOptions, "api" | "isListed"> {
  readonly self: TelegramSelf;
  /** In milliseconds since 1970: a button does not say when it was pressed. */
  readonly now: number;
}

/** What somebody wrote, when that is something: the messages of one album are one. Undefined for what says nothing. */
function inboundOf(updates: readonly Update[], reader: Reading): Inbound | undefined {
  const [first] = updates;
  if (first?.callback_query) return pressed(first.callback_query, reader);
  const messages = updates.flatMap(({ message, channel_post }) => message ?? channel_post ?? []);
  const [main] = messages;
  if (!main || main.is_automatic_forward === true) return undefined;
  if (main.chat.type === "channel" && !reader.isListed(String(main.chat.id))) return undefined;
  const sender = senderOf(main, reader.self);
  const said = messages.map((message) => wordsOf(message, reader.self));
  const attachments = messages.flatMap((message) => attachmentsOf(message, reader.api));
  const words = said.map((each) => each.text).filter((each) => each !== "");
  if (!sender || (words.length === 0 && attachments.length === 0)) return undefined;
  const answered = answeredBy(main);
  return {
    id: String(main.message_id),
    ...placeOf(main),
    sender,
    text: forwarded(main, words.join("\n")),
    ...(attachments.length === 0 ? {} : { attachments }),
    mentioned: said.some((each) => each.mentioned) || String(answered?.from?.id) === reader.self.id,
    command: said.some((each) => each.command),
    ...(answered ? { quoted: quotedOf(answered, main.quote?.text) } : {}),
    at: main.date * 1000,
  };
}

type Placed = Pick<TelegramMessage, "chat" | "message_thread_id" | "is_topic_message">;

/** The chat and the topic in it. What is written in no topic of a forum is in its topic 1, "General". */
function placeOf({ chat, message_thread_id, is_topic_message }: Placed): Pick<Inbound, "peer" | "thread" | "to"> {
  const id = String(chat.id);
  const kind = chat.type === "private" ? "direct" : chat.type === "channel" ? "channel" : "group";
  const topic = is_topic_message === true ? message_thread_id : chat.is_forum === true ? 1 : undefined;
  const thread = topic === undefined ? undefined : String(topic);
  return {
    peer: { kind, id, name: chat.title },
    ...(thread === undefined || kind === "direct" ? {} : { thread: { kind: "topic", id: thread } }),
    to: { to: id, thread },
  };
}

/** A group that writes as itself (an anonymous administrator) is a group: its id is no person's. */
function senderOf({ from, sender_chat: chat }: TelegramMessage, self: TelegramSelf): Inbound["sender"] | undefined {
  if (chat) return { id: String(chat.id), name: chat.title };
  if (!from) return undefined;
  return { id: String(from.id), name: nameOf(from), isBot: from.is_bot, isSelf: String(from.id) === self.id };
}

/** The message that is answered. In a topic every message "answers" the one that made the topic. */
function answeredBy({ reply_to_message: answered }: TelegramMessage): TelegramMessage["reply_to_message"] {
  return answered?.forum_topic_created === undefined ? answered : undefined;
}

function quotedOf(
  answered: NonNullable<TelegramMessage["reply_to_message"]>,
  quote: string | undefined,
): NonNullable<Inbound["quoted"]> {
  const sender = answered.from ? nameOf(answered.from) : answered.sender_chat?.title;
  return { id: String(answered.message_id), text: quote ?? answered.text ?? answered.caption, sender };
}

function attachmentsOf(message: TelegramMessage, api: TelegramApi): readonly Attachment[] {
  const { photo, voice, audio, video, video_note, animation } = message;
  // An animation comes as a document as well.
  const document = animation ? undefined : message.document;
  const attach = (kind: Attachment["kind"], file: TelegramFile | undefined, mimeType?: string): readonly Attachment[] =>
    file
      ? [
          {
            kind,
            mimeType: file.mime_type ?? mimeType,
            fileName: file.file_name,
            size: file.file_size,
            load: (options) => api.file(file.file_id, options),
          },
        ]
      : [];
  return [
    ...attach("image", photo?.at(-1), "image/jpeg"),
    ...attach(document?.mime_type?.startsWith("image/") === true ? "image" : "file", document),
    ...attach("audio", voice, "audio/ogg"),
    ...attach("audio", audio, "audio/mpeg"),
    ...attach("video", video ?? video_note ?? animation, "video/mp4"),
  ];
}

/** A button of a message that was pressed reads like a message of whoever pressed it. */
function pressed(query: NonNullable<Update["callback_query"]>, { self, now }: Reading): Inbound | undefined {
  const { id, from, data, message } = query;
  if (data === undefined || !message) return undefined;
  return {
    id: `callback:${id}`,
    ...placeOf(message),
    sender: { id: String(from.id), name: nameOf(from), isBot: from.is_bot, isSelf: String(from.id) === self.id },
    text: `callback_data: ${data}`,
    mentioned: true,
    command: true,
    at: now,
  };
}
