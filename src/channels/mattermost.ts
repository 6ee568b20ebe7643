import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { keepConnected } from "./channel-connection.ts";
import { needed } from "./channel-needs.ts";
import { tellOfNames } from "./channel-people.ts";
import { createRecent } from "./channel-recent.ts";
import type { Line } from "./channel-socket.ts";
import { channel, type Channel, type ChannelContext, type Inbound, type Self, type Target } from "./channel.ts";
import { mattermostApi } from "./mattermost-api.ts";
import { missedSince, stayForEvents } from "./mattermost-events.ts";
import type { Posted } from "./mattermost-events-post.ts";
import { mattermostSender } from "./mattermost-send.ts";
import { mattermostPolicy, mattermostSettings, type MattermostSettings } from "./mattermost-settings.ts";

/** Mattermost, by its API version 4 and its events over a WebSocket, as a bot account. */
export const mattermost = channel({
  id: "mattermost",
  label: "Mattermost",
  settings: mattermostSettings,
  credentials: [
    {
      key: "botToken",
      variable: "MATTERMOST_BOT_TOKEN",
      help: "The access token of a bot account: Integrations, Bot Accounts in Mattermost.",
    },
    {
      key: "baseUrl",
      variable: "MATTERMOST_URL",
      public: true,
      help: "The address of the server, such as https://chat.example.org.",
    },
  ],
  abilities: {
    chats: ["direct", "group", "channel", "thread"],
    media: true,
    reactions: true,
    edit: true,
    typing: true,
  },
  policy: mattermostPolicy,
  target: readTarget,
  person: (id) => ({ to: `user:${id}` }),
  open: async (settings, context) => openMattermost(settings, context),
});

const MAX_TEXT = 4000;
const MAX_KNOWN = 1000;
/** The place in time is written down this often: what came twice is seen by its id. */
const KEEP_EVERY_MS = 5000;
/** Posts arrive a little out of order. */
const OVERLAP_MS = 10_000;

function openMattermost(settings: MattermostSettings, given: ChannelContext): Channel {
  const { botToken, baseUrl } = needed(settings, ["botToken", "baseUrl"], { id: "mattermost", label: "Mattermost" });
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const { clock, kept } = context;
  const api = mattermostApi(context, { baseUrl, token: botToken });
  const authors = createRecent<string>(MAX_KNOWN);
  let self: Self | undefined;
  let line: Line | undefined;
  let since = 0;
  let keptAt = 0;
  let spoken = 1;
  tellOfNames(context.log, mattermostPolicy(settings), (id) => /^[a-z0-9]{26}$/.test(id));

  async function whoWeAre(signal = context.signal): Promise<Self> {
    const { id, username: name } = await api.call("users/me", userShape, { signal });
    return (self = { id, name });
  }

  async function catchUp(): Promise<void> {
    const before = Number(await kept.read("since"));
    since = Math.max(since, before > 0 ? before : clock.now());
    if (before === 0 || Number.isNaN(before)) return kept.write("since", String(since));
    for (const missed of await missedSince(before - OVERLAP_MS, api.call)) await take(missed);
  }

  async function take({ post, chat, senderName }: Posted): Promise<void> {
    const isOurs = post.user_id === self?.id;
    if (!isOurs && post.type === "" && (post.delete_at ?? 0) === 0)
      await context.receive(await inboundOf({ post, chat, senderName }));
    since = Math.max(since, post.create_at);
    if (clock.monotonic() - keptAt < KEEP_EVERY_MS) return;
    keptAt = clock.monotonic();
    await kept.write("since", String(since));
  }

  async function inboundOf({ post, chat, senderName }: Posted): Promise<Inbound> {
    const { id, user_id: sender, root_id: root, message, props, metadata, create_at: at } = post;
    const kind = ({ D: "direct", G: "group", O: "channel", P: "channel" } as const)[chat.type];
    const prefix =
      settings.chatmode === "onchar" ? settings.oncharPrefixes.find((each) => message.startsWith(each)) : undefined;
    const named = namedIn(message, self?.name);
    const text = prefix === undefined ? message.slice(named.leading) : message.slice(prefix.length);
    const thread = root === "" ? undefined : root;
    const answersUs = thread !== undefined && (await authorOf(thread)) === self?.id;
    return {
      id,
      peer: kind === "direct" ? { kind, id: sender, name: senderName } : { kind, id: chat.id },
      ...(thread === undefined || kind === "direct" ? {} : { thread: { kind: "thread" as const, id: thread } }),
      teamId: chat.team_id,
      sender: { id: sender, name: senderName, isBot: [props?.from_bot, props?.from_webhook].includes("true") },
      text: text.trim(),
      attachments: (metadata?.files ?? []).map(({ id: file, name, mime_type: mimeType, size }) => ({
        kind: kindOf(mimeType),
        mimeType,
        fileName: name,
        size,
        load: (options) => api.fetch(file, options),
      })),
      mentioned: named.isNamed || prefix !== undefined || answersUs,
      to: thread === undefined ? { to: chat.id } : { to: chat.id, thread },
      at,
    };
  }

  /** Who began a thread; a post that is gone was nobody's. */
  async function authorOf(id: string): Promise<string | undefined> {
    const known = authors.get(id);
    if (known !== undefined) return known;
    const found = await api.call(`posts/${encodeURIComponent(id)}`, authorShape).catch((error: unknown) => {
      if (["rate-limited", "aborted"].includes(Failure.from(error).code)) throw error;
      return undefined;
    });
    authors.set(id, found?.user_id);
    return found?.user_id;
  }

  const running = keepConnected(context, async (attempt) => {
    const own = await whoWeAre();
    await stayForEvents(context, {
      url: api.eventsUrl,
      token: botToken,
      signal: attempt.signal,
      async begun(on) {
        await catchUp();
        line = on;
        attempt.ready(own);
      },
      posted: take,
    });
  });

  const { placeOf, ...sender } = mattermostSender(api, async () => (self ?? (await whoWeAre())).id);
  return {
    maxText: MAX_TEXT,
    ...sender,
    async typing(to) {
      const data = { channel_id: await placeOf(to), parent_id: to.thread ?? "" };
      line?.say(JSON.stringify({ action: "user_typing", seq: ++spoken, data }));
    },
    probe: async (signal) => whoWeAre(signal),
    async close() {
      ending.abort();
      await running;
      if (since > 0) await kept.write("since", String(since));
    },
  };
}

/** Whether a text names us, and how long the name is where it begins with it. */
function namedIn(text: string, name: string | undefined): { readonly isNamed: boolean; readonly leading: number } {
  if (name === undefined) return { isNamed: false, leading: 0 };
  const own = `@${name.replaceAll(/[^\w]/g, "\\$&")}(?![\\w-]|\\.\\w)`;
  const leading = new RegExp(`^\\s*${own}[\\s:,]*`, "i").exec(text)?.[0].length ?? 0;
  return { isNamed: leading > 0 || new RegExp(`(?<![\\w@])${own}`, "i").test(text), leading };
}

function kindOf(mimeType: string | undefined): "image" | "audio" | "video" | "file" {
  const family = mimeType?.split("/")[0];
  return family === "image" || family === "audio" || family === "video" ? family : "file";
}

/** `channel:<id>`, `user:<id>`, `@name`, or the id of a channel alone; a thread of it behind `:thread:`. */
function readTarget(written: string): Target {
  const [place = "", thread] = written.trim().split(":thread:");
  const id = /^(?:channel:)?([a-z0-9]{26})$/.exec(place)?.[1];
  const person = /^(user:[a-z0-9]{26}|@[a-z0-9][a-z0-9._-]{0,63})$/.exec(place)?.[1];
  const to = id ?? person;
  if (to === undefined || (thread !== undefined && !/^[a-z0-9]{26}$/.test(thread)))
    throw new Failure(
      "invalid-request",
      `${JSON.stringify(written.slice(0, 100))} is no recipient in Mattermost: write channel:<id>, user:<id> or @name`,
    );
  return thread === undefined ? { to } : { to, thread };
}

const userShape = v.looseObject({ id: v.string(), username: v.string() });
const authorShape = v.looseObject({ user_id: v.string() });
