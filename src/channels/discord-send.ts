import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { sha256Hex } from "../kit/ids.ts";
import type { Channel, Outbound, SendOptions, Sent, Target } from "./channel.ts";
import { createRecent } from "./channel-recent.ts";
import { repeatable } from "./channel-repeatable.ts";
import type { DiscordRest, Given } from "./discord-rest.ts";

export type DiscordSender = Required<Pick<Channel, "send" | "edit" | "remove" | "react" | "typing">> & {
  /** The channel in which somebody wrote to us in private. */
  met(userId: string, channelId: string): void;
};

const MAX_FILES = 10;
const NONCE_LENGTH = 25;
const REMEMBERED = 500;
/** Nobody is called by what a model writes: neither everybody nor anybody. */
const quietly = { allowed_mentions: { parse: [] } };

export function discordSender(rest: DiscordRest): DiscordSender {
  /** Private channels by user. */
  const met = createRecent<string>(REMEMBERED);

  /** The id of the channel that a target is; a private one is opened for it. */
  async function channelOf({ to, thread }: Target, given: Pick<Given, "signal"> = {}): Promise<string> {
    const [, kind, id = ""] = /^(user|channel):(\d+)$/.exec(to) ?? [];
    if (kind === undefined) throw new Failure("invalid-request", `${JSON.stringify(to)} is no place in Discord`);
    if (kind === "channel") return thread ?? id;
    const known = met.get(id);
    if (known !== undefined) return known;
    const opening = rest.call("POST", "/users/@me/channels", { ...given, json: { recipient_id: id } });
    const opened = idIn(await repeatable(opening));
    met.set(id, opened);
    return opened;
  }

  async function post(to: Target, message: Outbound, { key, signal }: SendOptions): Promise<Sent> {
    const { text, replyTo, media = [] } = message;
    if (media.length > MAX_FILES)
      throw new Failure("invalid-request", `Discord takes ${MAX_FILES} files with a message, not ${media.length}`);
    const json = {
      content: text,
      nonce: (await sha256Hex(key)).slice(0, NONCE_LENGTH),
      enforce_nonce: true,
      ...quietly,
      ...(replyTo !== undefined && /^\d+$/.test(replyTo)
        ? { message_reference: { message_id: replyTo, fail_if_not_exists: false } }
        : {}),
      ...(media.length === 0 ? {} : { attachments: media.map(({ fileName: filename }, id) => ({ id, filename })) }),
    };
    const path = `/channels/${await channelOf(to, { signal })}/messages`;
    return {
      id: idIn(await rest.call("POST", path, media.length === 0 ? { json, signal } : { form: form(), signal })),
    };

    function form(): FormData {
      const parts = new FormData();
      parts.set("payload_json", JSON.stringify(json));
      for (const [index, { data, mimeType, fileName }] of media.entries())
        parts.set(`files[${index}]`, new Blob([new Uint8Array(data)], { type: mimeType }), fileName);
      return parts;
    }
  }

  async function messagePath(to: Target, id: string): Promise<string> {
    if (!/^\d+$/.test(id)) throw new Failure("invalid-request", `${JSON.stringify(id)} is no message of Discord`);
    return `/channels/${await channelOf(to)}/messages/${id}`;
  }

  return {
    met: (userId, channelId) => met.set(userId, channelId),
    send: (to, message, options) =>
      post(to, message, options).catch((error: unknown) => {
        const failure = Failure.from(error);
        if (failure.code !== "timeout") throw failure;
        // It may have been sent: asked again with the same nonce, Discord sends it once and says which it was.
        return post(to, message, options);
      }),
    async edit(to, id, content) {
      await rest.call("PATCH", await messagePath(to, id), { json: { content, ...quietly } });
    },
    async remove(to, id) {
      await rest.call("DELETE", await messagePath(to, id)).catch(unlessGone);
    },
    async react(to, id, emoji) {
      const path = await messagePath(to, id);
      if (emoji !== "") {
        await rest.call("PUT", `${path}/reactions/${emojiIn(emoji)}/@me`);
        return;
      }
      const message = v.safeParse(reactedSchema, await rest.call("GET", path));
      const own = message.success ? message.output.reactions.filter(({ me }) => me) : [];
      for (const { emoji: set } of own) {
        const name = set.id ? `${set.name}:${set.id}` : set.name;
        await rest.call("DELETE", `${path}/reactions/${emojiIn(name)}/@me`).catch(unlessGone);
      }
    },
    async typing(to) {
      await rest.call("POST", `/channels/${await channelOf(to)}/typing`);
    },
  };
}

const reactedSchema = v.looseObject({
  reactions: v.optional(
    v.array(v.looseObject({ me: v.boolean(), emoji: v.looseObject({ name: v.string(), id: v.nullish(v.string()) }) })),
    [],
  ),
});

/** As it stands in a path; emoji of a guild are written `<:name:id>` in messages. */
function emojiIn(emoji: string): string {
  return encodeURIComponent(emoji.trim().replace(/^<a?:(\w+:\d+)>$/, "$1"));
}

function unlessGone(error: unknown): void {
  const failure = Failure.from(error);
  if (failure.code !== "not-found") throw failure;
}

function idIn(answer: unknown): string {
  const found = v.safeParse(v.looseObject({ id: v.pipe(v.string(), v.regex(/^\d+$/)) }), answer);
  if (!found.success) throw new Failure("timeout", "Discord does not say what it made");
  return found.output.id;
}
