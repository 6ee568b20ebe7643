import type { Self } from "./channel.ts";
import type { TelegramMessage, User } from "./telegram-update-shape.ts";

/** What a message says, and whether it says it to us. */
export interface Words {
  readonly text: string;
  /** It names us. */
  readonly mentioned: boolean;
  /** It begins with a command that names us. */
  readonly command: boolean;
}

/** Text or caption, without our name where it only calls us, and what stands for things that are not text. */
export function wordsOf(message: TelegramMessage, self: Self & { readonly username: string }): Words {
  const isCaption = message.text === undefined;
  const raw = message.text ?? message.caption ?? "";
  const entities = isCaption ? message.caption_entities : message.entities;
  const name = `@${self.username}`.toLowerCase();
  let [kept, mentioned, command] = [raw, false, false];
  // From the end: what is cut moves nothing that is still to be looked at.
  for (const { type, offset, length, user } of entities.toReversed()) {
    const part = raw.slice(offset, offset + length).toLowerCase();
    const isUs =
      self.username !== "" && (type === "mention" ? part === name : type === "bot_command" && part.endsWith(name));
    if (type === "text_mention" && String(user?.id) === self.id) mentioned = true;
    if (!isUs) continue;
    mentioned = true;
    command ||= type === "bot_command" && offset === 0;
    if (type === "bot_command") kept = without(kept, offset + length - name.length, name.length);
    else if (offset === 0) kept = without(kept, 0, length).trimStart();
  }
  return { text: [kept, ...thingsIn(message)].filter((part) => part !== "").join("\n"), mentioned, command };
}

function without(from: string, offset: number, length: number): string {
  return from.slice(0, offset) + from.slice(offset + length);
}

function thingsIn({ sticker, location, venue }: TelegramMessage): readonly string[] {
  const things: string[] = [];
  if (sticker) things.push(`<sticker${sticker.emoji === undefined ? "" : ` ${sticker.emoji}`}>`);
  if (location) {
    const { latitude, longitude, horizontal_accuracy: accuracy } = location;
    const called = [venue?.title, venue?.address].filter((part) => part !== undefined && part !== "").join(", ");
    const within = accuracy === undefined ? "" : ` ±${Math.round(accuracy)}m`;
    things.push(`📍 ${latitude}, ${longitude}${within}${called === "" ? "" : ` (${called})`}`);
  }
  return things;
}

/** Says of what was passed on who wrote it first. */
export function forwarded({ forward_origin: origin }: TelegramMessage, said: string): string {
  if (!origin) return said;
  const { sender_user: user, sender_user_name: hidden, sender_chat, chat } = origin;
  const from = (user ? nameOf(user) : undefined) ?? hidden ?? sender_chat?.title ?? chat?.title ?? "somebody";
  return `[Forwarded from ${from}]\n${said}`;
}

/** A person's name, for people. */
export function nameOf({ first_name, last_name, username }: User): string | undefined {
  const name = [first_name, last_name].filter((part) => part !== undefined && part !== "").join(" ");
  return name === "" ? username : name;
}
