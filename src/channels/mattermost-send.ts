import * as v from "valibot";
import { emojiName } from "./channel-emoji.ts";
import { createRecent } from "./channel-recent.ts";
import { repeatable } from "./channel-repeatable.ts";
import type { Channel, Target } from "./channel.ts";
import type { MattermostApi } from "./mattermost-api.ts";

export interface MattermostSender extends Required<Pick<Channel, "send" | "edit" | "remove" | "react">> {
  /** The id of a chat; the one with a person is made where there is none, and is the same ever after. */
  readonly placeOf: (to: Target, signal?: AbortSignal) => Promise<string>;
}

const MAX_KNOWN = 1000;

/** What we do in chats; `self` is our own id. */
export function mattermostSender({ call }: MattermostApi, self: () => Promise<string>): MattermostSender {
  const places = createRecent<string>(MAX_KNOWN);

  async function placeOf({ to }: Target, signal?: AbortSignal): Promise<string> {
    if (!/^(?:user:|@)/.test(to)) return to;
    const known = places.get(to);
    if (known !== undefined) return known;
    const given = signal ? { signal } : {};
    const person = to.startsWith("@")
      ? (await call(`users/username/${encodeURIComponent(to.slice(1))}`, idShape, given)).id
      : to.slice("user:".length);
    const { id } = await call("channels/direct", idShape, { json: [await self(), person], ...given });
    places.set(to, id);
    return id;
  }

  return {
    placeOf,
    async send(to, { text, replyTo, media = [] }, { key, signal }) {
      const place = await repeatable(placeOf(to, signal));
      const files: string[] = [];
      for (const { data, mimeType, fileName } of media) {
        const path = `files?channel_id=${place}&filename=${encodeURIComponent(fileName)}`;
        const body = new Blob([new Uint8Array(data)], { type: mimeType });
        const { file_infos: infos } = await repeatable(call(path, uploadShape, { body, signal }));
        files.push(...infos.map(({ id }) => id));
      }
      const post = { channel_id: place, root_id: to.thread ?? replyTo ?? "", message: quiet(text), file_ids: files };
      // The server knows a pending post for half a minute, and takes it once.
      const json = { ...post, pending_post_id: `${await self()}:${key}` };
      return { id: (await call("posts", idShape, { json, signal })).id };
    },
    async edit(_, id, text) {
      const json = { message: quiet(text) };
      await call(`posts/${encodeURIComponent(id)}/patch`, v.unknown(), { method: "PUT", json });
    },
    async remove(_, id) {
      await call(`posts/${encodeURIComponent(id)}`, v.unknown(), { method: "DELETE" });
    },
    async react(_, id, emoji) {
      const own = await self();
      if (emoji !== "") {
        const json = { user_id: own, post_id: id, emoji_name: emojiName(emoji, "Mattermost") };
        await call("reactions", v.unknown(), { json });
        return;
      }
      const path = `posts/${encodeURIComponent(id)}/reactions`;
      for (const { user_id: user, emoji_name: name } of (await call(path, reactionsShape)) ?? [])
        if (user === own) {
          const mine = `users/${own}/posts/${encodeURIComponent(id)}/reactions/${encodeURIComponent(name)}`;
          await call(mine, v.unknown(), { method: "DELETE" });
        }
    },
  };
}

/** Nobody but a person calls everybody. */
function quiet(text: string): string {
  return text.replaceAll(/@(?=(?:all|channel|here)\b)/gi, "@\u200b");
}

const idShape = v.looseObject({ id: v.string() });
const uploadShape = v.looseObject({ file_infos: v.array(idShape) });
const reactionsShape = v.nullable(v.array(v.looseObject({ user_id: v.string(), emoji_name: v.string() })));
