import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Inbound } from "./channel.ts";
import type { Talk } from "./nextcloud-talk-api.ts";

export interface Reading {
  readonly talk: Talk;
  readonly signal: AbortSignal;
  readonly now: number;
}

/** The message that an activity (ActivityStreams 2.0) brings; undefined for reactions, joins and what bots say. */
export async function noteOf(body: string, { talk, signal, now }: Reading): Promise<Inbound | undefined> {
  const parsed = v.safeParse(activitySchema, parseJson(body));
  if (!parsed.success) throw new Failure("invalid-request", "the body is no activity of Nextcloud Talk");
  if (parsed.output.type !== "Create") return undefined;
  const note = v.safeParse(noteSchema, parsed.output);
  // Messages of the system and polls are no notes of a person. A bot that hears bots would talk to itself.
  if (!note.success || !/^(users|guests|federated_users|emails)\//.test(note.output.actor.id)) return undefined;
  const { actor, object, target } = note.output;
  const isDirect = await talk.isDirect(target.id, signal);
  const quoted = object.inReplyTo?.object?.id;
  return {
    id: object.id,
    peer: { kind: isDirect ? "direct" : "group", id: target.id, name: target.name },
    sender: { id: actor.id, name: actor.name, aliases: aliasesOf(actor.id) },
    text: textOf(object.content),
    mentioned: isBot(object.inReplyTo?.actor?.id),
    ...(quoted === undefined ? {} : { quoted: { id: quoted, sender: object.inReplyTo?.actor?.id } }),
    to: { to: target.id },
    // Talk does not tell when it was written: it tells at once.
    at: now,
  };
}

/** Users of this Nextcloud may be listed by their names there, which nobody can change; guests choose theirs. */
function aliasesOf(actor: string): readonly string[] {
  return actor.startsWith("users/") ? [actor.slice("users/".length)] : [];
}

/** Only bots that are in the room are quoted: mostly ourselves. */
function isBot(actor: string | undefined): boolean {
  return actor?.startsWith("bots/") ?? false;
}

/** The text with what its placeholders, such as `{mention-user1}`, stand for. */
function textOf(content: string): string {
  const parsed = v.safeParse(contentSchema, parseJson(content));
  if (!parsed.success) return content;
  const { message, parameters } = parsed.output;
  return message.replaceAll(/\{([\w-]+)\}/g, (all, key: string) => {
    const parameter = isObject(parameters) && Object.hasOwn(parameters, key) ? parameters[key] : undefined;
    const { type, name } = isObject(parameter) ? parameter : {};
    if (typeof name !== "string") return all;
    return typeof type === "string" && /^(user|guest|call|user-group|federated_user)$/.test(type) ? `@${name}` : name;
  });
}

const activitySchema = v.looseObject({ type: v.string() });

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const noteSchema = v.looseObject({
  actor: v.looseObject({ id, name: v.optional(v.string()) }),
  object: v.looseObject({
    type: v.literal("Note"),
    id: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.regex(/^\d{1,20}$/)),
    name: v.literal("message"),
    content: v.string(),
    inReplyTo: v.optional(
      v.looseObject({
        actor: v.optional(v.looseObject({ id })),
        object: v.optional(v.looseObject({ id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)) })),
      }),
    ),
  }),
  target: v.looseObject({ id: v.pipe(v.string(), v.regex(/^[a-z0-9]{4,64}$/i)), name: v.optional(v.string()) }),
});

const contentSchema = v.looseObject({ message: v.string(), parameters: v.optional(v.unknown()) });
