import * as v from "valibot";
import type { Inbound } from "./channel.ts";

/** What `imsg` told of: a message and its place in the database, or only the place where nothing is to be answered. */
export interface ImessageNews {
  readonly row: number;
  readonly message?: Inbound | undefined;
}

const maybeText = v.nullish(v.string());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const shape = v.looseObject({
  message: v.looseObject({
    id: whole,
    chat_id: whole,
    guid: v.pipe(v.string(), v.minLength(1)),
    sender: maybeText,
    is_from_me: v.nullish(v.boolean()),
    is_reaction: v.nullish(v.boolean()),
    text: maybeText,
    created_at: maybeText,
    chat_name: maybeText,
    is_group: v.nullish(v.boolean()),
    reply_to_guid: maybeText,
    attachments: v.nullish(
      v.array(v.looseObject({ transfer_name: maybeText, mime_type: maybeText, total_bytes: v.nullish(v.number()) })),
    ),
  }),
});

/** Reads the parameters of its `message`; undefined when they cannot be read. */
export function readImessage(params: unknown, now: number): ImessageNews | undefined {
  const read = v.safeParse(shape, params);
  if (!read.success) return undefined;
  const {
    id: row,
    chat_id,
    guid,
    sender,
    is_from_me,
    is_reaction,
    created_at,
    chat_name,
    is_group,
    reply_to_guid,
    ...said
  } = read.output.message;
  const from = (sender ?? "").trim();
  // The files lie on the Mac, where only the people of it may look: they are named, and not fetched.
  const files = (said.attachments ?? []).map((file) => `[file: ${file.transfer_name ?? file.mime_type ?? "unnamed"}]`);
  // Messages puts this character where a file stands in the text.
  const text = [(said.text ?? "").replaceAll("\uFFFC", "").trim(), ...files].filter((part) => part !== "").join("\n");
  if (is_from_me === true || is_reaction === true || from === "" || text === "") return { row };
  const moment = Date.parse(created_at ?? "");
  const chat = String(chat_id);
  return {
    row,
    message: {
      id: guid,
      peer:
        is_group === true ? { kind: "group", id: chat, name: chat_name || undefined } : { kind: "direct", id: from },
      sender: { id: from },
      text,
      // There is no way to name somebody that we could see: words by which the agent is called have to do.
      mentioned: is_group !== true,
      ...(reply_to_guid ? { quoted: { id: reply_to_guid } } : {}),
      to: { to: `chat_id:${chat}` },
      at: Number.isNaN(moment) ? now : moment,
    },
  };
}
