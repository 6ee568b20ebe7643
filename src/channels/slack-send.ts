import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { emojiName } from "./channel-emoji.ts";
import { repeatable } from "./channel-repeatable.ts";
import type { Channel, Outbound, SendOptions, Sent, Target } from "./channel.ts";
import { toMrkdwn } from "./slack-send-mrkdwn.ts";
import type { SlackWeb } from "./slack-web.ts";

export type SlackSender = Required<Pick<Channel, "send" | "edit" | "remove" | "react">>;

export interface SlackPlaces {
  /** The id of a conversation. */
  readonly placeOf: (to: Target, signal?: AbortSignal) => Promise<string>;
  /** Our own id. */
  readonly self: () => Promise<string>;
}

/** What we do in conversations. */
export function slackSender(web: SlackWeb, { placeOf, self }: SlackPlaces): SlackSender {
  return {
    async send(to, message, options) {
      const place = await repeatable(placeOf(to, options.signal));
      return send(web, { ...to, to: place }, { message, options });
    },
    async edit(to, ts, text) {
      if (isFile(ts)) throw new Failure("invalid-request", "a message with files cannot be changed in Slack");
      await web.call("chat.update", anything, { params: { channel: await placeOf(to), ts, text: toMrkdwn(text) } });
    },
    async remove(to, ts) {
      if (isFile(ts)) await web.call("files.delete", anything, { params: { file: ts } });
      else await web.call("chat.delete", anything, { params: { channel: await placeOf(to), ts } });
    },
    async react(to, timestamp, emoji) {
      const known = (error: unknown): void => {
        const { details } = Failure.from(error);
        if (!v.is(repeated, details)) throw error;
      };
      const params = { channel: await placeOf(to), timestamp };
      if (emoji !== "") {
        const name = emojiName(emoji, "Slack");
        await web.call("reactions.add", anything, { params: { ...params, name } }).catch(known);
        return;
      }
      const { message } = await web.call("reactions.get", reactionsShape, { params: { ...params, full: true } });
      const own = await self();
      for (const { name, users } of message.reactions ?? [])
        if (users.includes(own))
          await web.call("reactions.remove", anything, { params: { ...params, name } }).catch(known);
    },
  };
}

/**
 * Slack has no key by which it would know a message that it was given before: what timed out may have been said, and is
 * for the caller to decide.
 */
async function send(
  web: SlackWeb,
  to: Target,
  { message, options: { signal } }: { readonly message: Outbound; readonly options: SendOptions },
): Promise<Sent> {
  const { text, replyTo, media = [] } = message;
  const place = { thread_ts: to.thread ?? replyTo };
  if (media.length === 0) {
    const said = { channel: to.to, text: toMrkdwn(text), ...place, unfurl_links: false, unfurl_media: false };
    const { ts } = await web.call("chat.postMessage", postedShape, { params: said, signal });
    return { id: ts };
  }
  const files: { id: string; title: string }[] = [];
  for (const file of media) files.push({ id: await web.upload(file, signal), title: file.fileName });
  const params = { files, channel_id: to.to, ...place, initial_comment: text === "" ? undefined : toMrkdwn(text) };
  await web.call("files.completeUploadExternal", anything, { params, signal });
  // The message appears once Slack has looked at the files; until then they are all there is to name it by.
  return { id: files[0]?.id ?? "" };
}

function isFile(id: string): boolean {
  return /^F[A-Z0-9]+$/.test(id);
}

const anything = v.looseObject({});
const postedShape = v.looseObject({ ts: v.string() });
const repeated = v.object({ error: v.picklist(["already_reacted", "no_reaction"]) });
const reactionsShape = v.looseObject({
  message: v.looseObject({
    reactions: v.optional(v.array(v.looseObject({ name: v.string(), users: v.array(v.string()) }))),
  }),
});
