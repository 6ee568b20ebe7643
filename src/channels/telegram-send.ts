import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { ChannelContext, Outbound, OutboundMedia, SendOptions, Sent, Target } from "./channel.ts";
import { createParts } from "./channel-parts.ts";
import type { TelegramApi } from "./telegram-api.ts";
import { telegramHtml } from "./telegram-send-html.ts";

export interface Sending {
  readonly api: TelegramApi;
  readonly context: ChannelContext;
  readonly linkPreview: boolean;
}

export interface TelegramSender {
  send(to: Target, message: Outbound, options: SendOptions): Promise<Sent>;
  edit(to: Target, id: string, text: string): Promise<void>;
}

/** Most characters that go with a file. */
const MAX_CAPTION = 1024;
/** Most files of one message. */
const MAX_MEDIA = 10;

export function telegramSender({ api, context, linkPreview }: Sending): TelegramSender {
  const parts = createParts();
  const preview = { link_preview_options: { is_disabled: !linkPreview } };

  /** Calls with the text as HTML, and as it is when Telegram cannot read that; follows a group that has moved. */
  async function write(method: string, call: Written): Promise<unknown> {
    const { chat, field, text, signal } = call;
    const inFormat = (format?: "HTML"): Body =>
      call.body({
        chat_id: chat,
        [field]: format ? telegramHtml(text) : text,
        ...(format ? { parse_mode: format } : {}),
      });
    try {
      return await api.call(method, inFormat("HTML"), { signal });
    } catch (error) {
      const failure = Failure.from(error);
      const is = movedTo(failure);
      if (is !== undefined && call.hasMoved !== true) {
        const advice = "a group has become a supergroup: write its new id in the configuration";
        context.log.warn(advice, { was: chat, is });
        return write(method, { ...call, chat: is, hasMoved: true });
      }
      if (!unreadable.test(failure.message)) throw failure;
      context.log.warn("Telegram cannot read the marks of a message, which is sent without them");
      return api.call(method, inFormat(), { signal });
    }
  }

  async function sendText(to: Target, message: Outbound, { signal }: SendOptions): Promise<Sent> {
    const body: Written["body"] = (fields) => ({ ...placeOf(to, message), ...preview, ...fields });
    return sentOf(await write("sendMessage", { chat: to.to, field: "text", text: message.text, body, signal }));
  }

  async function sendFiles(to: Target, message: Outbound, { signal }: SendOptions): Promise<Sent> {
    const { text, media = [] } = message;
    const kinds = media.map(kindOf);
    const isAlbum = media.length > 1;
    // Pictures and films go together; anything else as documents, which may be of any kind.
    const kind = (index: number): MediaKind =>
      isAlbum && !kinds.every((each) => each.type === "photo" || each.type === "video")
        ? asDocument
        : (kinds[index] ?? asDocument);
    const method = isAlbum ? "sendMediaGroup" : kind(0).method;
    const body: Written["body"] = ({ caption, parse_mode, ...fields }) => {
      const form = formOf({ ...placeOf(to, message), ...fields });
      const described = caption === "" ? {} : { caption, ...(parse_mode === undefined ? {} : { parse_mode }) };
      if (!isAlbum) for (const [key, value] of Object.entries(described)) form.set(key, String(value));
      const album = media.map((_, index) => ({
        type: kind(index).type,
        media: `attach://file${index}`,
        ...(index === 0 ? described : {}),
      }));
      if (isAlbum) form.set("media", JSON.stringify(album));
      for (const [index, file] of media.entries())
        form.set(isAlbum ? `file${index}` : kind(index).type, blobOf(file), file.fileName);
      return form;
    };
    return sentOf(await write(method, { chat: to.to, field: "caption", text, body, signal }));
  }

  return {
    async send(to, message, options) {
      const { text, media = [] } = message;
      if (media.length > MAX_MEDIA)
        throw new Failure("invalid-request", `Telegram takes ${MAX_MEDIA} files with a message, not ${media.length}`);
      if (media.length > 0 && text.length <= MAX_CAPTION) return sendFiles(to, message, options);
      const files = (): Promise<Sent> => sendFiles(to, { ...message, text: "" }, options);
      const words = (): Promise<Sent> => sendText(to, message, options);
      return media.length === 0 ? words() : parts.send(options.key, [files, words]);
    },
    async edit(to, id, text) {
      const body: Written["body"] = (fields) => ({ message_id: Number(id), ...preview, ...fields });
      const call: Written = { chat: to.to, field: "text", text, body, signal: context.signal };
      await write("editMessageText", call).catch((error: unknown) => {
        const failure = Failure.from(error);
        // It says that already.
        if (!failure.message.includes("message is not modified")) throw failure;
      });
    },
  };
}

/** What Telegram says of HTML where the Markdown may do: in rare cases what is shown of it is longer, or nothing. */
const unreadable = /can't parse|message text is empty|(?:message|caption) is too long/i;

type Body = Parameters<TelegramApi["call"]>[1];

interface Written {
  readonly chat: string;
  readonly field: "text" | "caption";
  readonly text: string;
  /** The body of the request with these fields. */
  readonly body: (fields: Readonly<Record<string, unknown>>) => Body;
  readonly signal: AbortSignal;
  /** It goes where Telegram said that the chat has moved to. */
  readonly hasMoved?: true;
}

/** The id that a group has since it became a supergroup. */
function movedTo({ details }: Failure): string | undefined {
  const found = v.safeParse(v.object({ movedTo: v.number() }), details);
  return found.success ? String(found.output.movedTo) : undefined;
}

/** The topic, and the message that is answered. A forum's topic 1 is where a message without a topic goes. */
function placeOf({ thread }: Target, { replyTo }: Pick<Outbound, "replyTo">): Readonly<Record<string, unknown>> {
  return {
    ...(thread === undefined || thread === "1" ? {} : { message_thread_id: Number(thread) }),
    ...(replyTo !== undefined && /^\d+$/.test(replyTo)
      ? { reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true } }
      : {}),
  };
}

function formOf(fields: Readonly<Record<string, unknown>>): FormData {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields))
    form.set(key, typeof value === "string" ? value : JSON.stringify(value));
  return form;
}

interface MediaKind {
  readonly method: string;
  readonly type: string;
}

const asDocument: MediaKind = { method: "sendDocument", type: "document" };

/** How Telegram shows a file best. */
function kindOf({ mimeType, data }: OutboundMedia): MediaKind {
  const kind = mimeType.split(";")[0]?.trim().toLowerCase() ?? "";
  const type = shown.get(kind);
  if (type === undefined || (type === "photo" && data.byteLength > MAX_PHOTO)) return asDocument;
  return { method: `send${type.charAt(0).toUpperCase()}${type.slice(1)}`, type };
}

const MAX_PHOTO = 10 * 1024 * 1024;
const shown: ReadonlyMap<string, string> = new Map([
  ["image/jpeg", "photo"],
  ["image/png", "photo"],
  ["image/webp", "photo"],
  ["image/gif", "animation"],
  ["audio/ogg", "voice"],
  ["audio/opus", "voice"],
  ["audio/mpeg", "audio"],
  ["audio/mp4", "audio"],
  ["audio/x-m4a", "audio"],
  ["video/mp4", "video"],
]);

function blobOf({ data, mimeType }: OutboundMedia): Blob {
  return new Blob([new Uint8Array(data)], { type: mimeType });
}

const sentSchema = v.looseObject({ message_id: v.number() });

/** The id of what was sent, of an album that of its first message. */
function sentOf(answer: unknown): Sent {
  const sent = v.safeParse(sentSchema, Array.isArray(answer) ? answer[0] : answer);
  if (!sent.success) throw new Failure("timeout", "Telegram does not say which message it has sent");
  return { id: String(sent.output.message_id) };
}
