import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import { openLine, type Line } from "./channel-socket.ts";
import type { ChannelContext } from "./channel.ts";
import type { MattermostApi } from "./mattermost-api.ts";
import {
  chatShape,
  postShape,
  readFrame,
  readPosted,
  type Chat,
  type Post,
  type Posted,
} from "./mattermost-events-post.ts";

/** What a stay needs of the account. */
export interface Stay {
  readonly url: string;
  readonly token: string;
  /** The events of this connection begin: what was posted before them is to be caught up with first. */
  readonly begun: (line: Line) => Promise<void>;
  /** Resolves when the post was taken in. */
  readonly posted: (posted: Posted) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * One connection to Mattermost's events, from dial to end. Nothing is sent twice there: an event that is missing in the
 * count, or could not be taken in, ends the connection, and the next one begins with what was posted meanwhile.
 */
export async function stayForEvents(context: ChannelContext, stay: Stay): Promise<void> {
  const { url, token, begun, posted, signal } = stay;
  let expected = 0;
  const disarm = context.clock.after(HELLO_MS, () => line.close());
  const line = openLine(context, {
    label: "Mattermost",
    url,
    signal,
    // A header would do as well, but not every runtime can send one.
    opened: (on) =>
      on.say(JSON.stringify({ seq: 1, action: "authentication_challenge", data: { token } } satisfies JsonObject)),
    async heard(text, on) {
      const frame = readFrame(text);
      if (!frame) return context.log.warn("Mattermost sent something else than its JSON: skipped");
      if (frame.status === "FAIL") throw new Failure("unauthorized", "Mattermost refused botToken for its events");
      if (frame.event === undefined || frame.seq === undefined) return;
      if (frame.seq !== expected++) throw new Failure("unavailable", "events of Mattermost were missed");
      if (frame.event === "hello") {
        disarm();
        return begun(on);
      }
      if (frame.event !== "posted") return;
      const found = readPosted(frame.data);
      if (found) return posted(found);
      context.log.warn("a message that cannot be read was skipped");
    },
  });
  await line.ended.finally(disarm);
  if (expected === 0) throw new Failure("unavailable", "Mattermost ended the connection without a greeting");
}

const HELLO_MS = 10_000;

/** Chats and posts that are looked at after a pause. */
const MAX_CHATS = 100;

/** What was posted since then in the chats that we are in, the oldest first. */
export async function missedSince(
  since: number,
  call: MattermostApi["call"],
): Promise<readonly { readonly chat: Chat; readonly post: Post }[]> {
  const chats = (await call("users/me/channels", v.array(v.unknown())))
    // Kinds of chats that there may be one day are left alone.
    .filter((chat) => v.is(chatShape, chat))
    .filter(({ last_post_at: last = 0 }) => last > since)
    .toSorted((a, b) => (b.last_post_at ?? 0) - (a.last_post_at ?? 0))
    .slice(0, MAX_CHATS);
  const found: { chat: Chat; post: Post }[] = [];
  for (const chat of chats) {
    const { posts } = await call(`channels/${chat.id}/posts?since=${since}`, pageShape);
    for (const each of Object.values(posts)) {
      const parsed = v.safeParse(postShape, each);
      // Asked so, older posts come as well that were changed since.
      if (parsed.success && parsed.output.create_at > since) found.push({ chat, post: parsed.output });
    }
  }
  return found.toSorted((a, b) => a.post.create_at - b.post.create_at);
}

const pageShape = v.looseObject({ posts: v.record(v.string(), v.unknown()) });
