import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { Target } from "./channel.ts";
import { withIds } from "./channel-people.ts";
import { commonSettings, type Policy, policyOf } from "./channel-policy.ts";

const text = v.string("a text in quotes");

export const imessageSettings = v.looseObject({
  ...commonSettings,
  cliPath: v.pipe(
    v.optional(text, "imsg"),
    v.description("The program imsg, or one that runs it on another Mac, such as a script with ssh in it."),
  ),
  dbPath: v.pipe(v.optional(text), v.description("The database of Messages, where it is not in its usual place.")),
  service: v.pipe(
    v.optional(v.picklist(["auto", "imessage", "sms"]), "auto"),
    v.description("What messages are sent by."),
  ),
  region: v.pipe(v.optional(text), v.description("Where phone numbers without a country belong, such as US.")),
});

export type ImessageSettings = v.InferOutput<typeof imessageSettings>;

/** Phone numbers and addresses however they were written, as they stand in messages. */
export function imessagePolicy(settings: ImessageSettings): Policy {
  const room = (id: string): string => id.replace(/^(imessage:)?(chat_id|chat|group):/i, "");
  return withIds(policyOf(settings), { person: personOf, room });
}

/** A phone number without what is between its digits, and an address as it is. */
function personOf(written: string): string {
  const id = written.trim().replace(/^(imessage|sms|user|auto):/i, "");
  const number = id.replaceAll(/[\s().-]/g, "");
  return /^\+?\d+$/.test(number) ? number : id;
}

export function imessageTarget(written: string): Target {
  const id = written.trim().replace(/^imessage:/i, "");
  const [, chat] = /^(?:chat_id|chat|group):(\d{1,15})$/i.exec(id) ?? [];
  if (chat !== undefined) return { to: `chat_id:${chat}` };
  const person = personOf(id);
  if (/^\+?\d{3,17}$/.test(person) || /^[^\s@:]{1,64}@[^\s@:]{1,190}$/.test(person)) return { to: person };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 64))} is no recipient in iMessage: write +15551234567, me@example.com or chat_id:42`,
  );
}
