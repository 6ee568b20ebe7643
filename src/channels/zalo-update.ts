import * as v from "valibot";
import type { ChannelContext, Inbound } from "./channel.ts";
import type { ZaloApi } from "./zalo-api.ts";

/** The message in an update; undefined when it is none of a person in a direct conversation, or cannot be read. */
export function readUpdate(
  update: unknown,
  { context, api }: { readonly context: Pick<ChannelContext, "log">; readonly api: Pick<ZaloApi, "fetch"> },
): Inbound | undefined {
  const event = v.safeParse(eventShape, update);
  if (!event.success || !event.output.event_name.startsWith("message.")) return undefined;
  const parsed = v.safeParse(messageShape, event.output.message);
  if (!parsed.success) {
    context.log.warn("a message that cannot be read was skipped", { at: v.getDotPath(parsed.issues[0]) });
    return undefined;
  }
  const {
    message_id: id,
    from,
    chat,
    date,
    text,
    caption,
    sticker,
    photo_url: photo = parsed.output.photo,
  } = parsed.output;
  if (chat.chat_type !== "PRIVATE") return undefined;
  const name = from.display_name ?? from.name;
  const words = text ?? caption ?? (sticker === undefined ? "" : "<sticker>");
  if (words === "" && photo === undefined) return undefined;
  return {
    id,
    peer: { kind: "direct", id: from.id, name },
    sender: { id: from.id, name, isBot: from.is_bot },
    text: words,
    attachments:
      photo === undefined ? [] : [{ kind: "image", mimeType: undefined, load: (options) => api.fetch(photo, options) }],
    mentioned: true,
    to: { to: chat.id },
    // Seconds in older updates, milliseconds in newer ones.
    at: date > 1e11 ? date : date * 1000,
  };
}

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const text = v.optional(v.string());

const eventShape = v.looseObject({ event_name: v.string(), message: v.unknown() });

const messageShape = v.looseObject({
  message_id: id,
  from: v.looseObject({ id, name: text, display_name: text, is_bot: v.optional(v.boolean()) }),
  chat: v.looseObject({ id, chat_type: v.string() }),
  date: v.pipe(v.number(), v.minValue(0)),
  text,
  caption: text,
  sticker: v.optional(v.unknown()),
  photo: v.optional(v.pipe(v.string(), v.url())),
  photo_url: v.optional(v.pipe(v.string(), v.url())),
});
