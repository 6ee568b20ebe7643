import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { createRecent } from "./channel-recent.ts";
import type { ChannelContext } from "./channel.ts";
import type { SlackWeb } from "./slack-web.ts";

/** Who is who in a workspace, looked up when it is asked for and remembered for a while. */
export interface SlackDirectory {
  /** The names of people by id, as far as they are to be had at once: a message does not wait long for a name. */
  names(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Ids of channels by name without `#`, of those among the first ten thousand that the app can see. */
  rooms(): Promise<ReadonlyMap<string, string>>;
  /** What kind of conversation it is, where an event does not say. */
  kind(channel: string): Promise<"direct" | "group" | "channel">;
  /** The conversation with one person. */
  direct(userId: string, signal: AbortSignal): Promise<string>;
}

const NAME_WAIT_MS = 1500;
const NAME_LIFE_MS = 3_600_000;
const MAX_KEPT = 1000;
/** More people than these are named by their ids in one message. */
const MAX_ASKED = 10;
const PAGES = 10;

export function slackDirectory({ clock, log }: ChannelContext, web: SlackWeb): SlackDirectory {
  const people = createRecent<{ readonly name: string | undefined; readonly until: number }>(MAX_KEPT);
  const conversations = createRecent<string>(MAX_KEPT);
  const kinds = createRecent<"direct" | "group" | "channel">(MAX_KEPT);

  async function nameOf(id: string): Promise<string | undefined> {
    const known = people.get(id);
    if (known && known.until > clock.monotonic()) return known.name;
    // Who cannot be looked up now is not asked for with each message.
    const name = await lookUp(id).catch((error: unknown) => {
      log.debug("a name could not be looked up", { user: id, reason: Failure.from(error).message });
      return known?.name;
    });
    people.set(id, { name, until: clock.monotonic() + NAME_LIFE_MS });
    return name;
  }

  async function lookUp(user: string): Promise<string | undefined> {
    const answer = await web.call("users.info", userShape, { params: { user }, timeoutMs: NAME_WAIT_MS });
    const { profile, real_name: realName, name } = answer.user;
    return [profile?.display_name, profile?.real_name, realName, name].find(
      (each) => each !== undefined && each !== "",
    );
  }

  return {
    async names(ids) {
      const found = new Map<string, string>();
      const asked = ids.filter((id) => !id.startsWith("B")).slice(0, MAX_ASKED);
      const names = await Promise.all(asked.map(async (id) => [id, await nameOf(id)] as const));
      for (const [id, name] of names) if (name !== undefined) found.set(id, name);
      return found;
    },
    async rooms() {
      const found = new Map<string, string>();
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page++) {
        const params = { types: "public_channel,private_channel", exclude_archived: true, limit: 1000, cursor };
        const answer = await web.call("conversations.list", roomsShape, { params });
        const { channels, response_metadata: next } = answer;
        for (const { id, name } of channels) if (name !== undefined) found.set(name, id);
        cursor = next?.next_cursor;
        if (cursor === undefined || cursor === "") break;
      }
      return found;
    },
    async kind(id) {
      const known = kinds.get(id);
      if (known !== undefined) return known;
      const { channel } = await web.call("conversations.info", kindShape, { params: { channel: id } });
      const kind = channel.is_im === true ? "direct" : channel.is_mpim === true ? "group" : "channel";
      kinds.set(id, kind);
      return kind;
    },
    async direct(userId, signal) {
      const known = conversations.get(userId);
      if (known !== undefined) return known;
      const { channel } = await web.call("conversations.open", openedShape, { params: { users: userId }, signal });
      const { id } = channel;
      conversations.set(userId, id);
      return id;
    },
  };
}

const name = v.optional(v.string());

const userShape = v.looseObject({
  user: v.looseObject({
    name,
    real_name: name,
    profile: v.optional(v.looseObject({ display_name: name, real_name: name })),
  }),
});

const roomsShape = v.looseObject({
  channels: v.array(v.looseObject({ id: v.string(), name })),
  response_metadata: v.optional(v.looseObject({ next_cursor: name })),
});

const kindShape = v.looseObject({
  channel: v.looseObject({ is_im: v.optional(v.boolean()), is_mpim: v.optional(v.boolean()) }),
});

const openedShape = v.looseObject({ channel: v.looseObject({ id: v.string() }) });
