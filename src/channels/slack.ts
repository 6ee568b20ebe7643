import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { ended, keepConnected } from "./channel-connection.ts";
import { needed } from "./channel-needs.ts";
import { tellOfNames } from "./channel-people.ts";
import { webhookPath } from "./channel-webhook.ts";
import { channel, type Channel, type ChannelContext, type Target } from "./channel.ts";
import { slackDirectory } from "./slack-directory.ts";
import { readNews, type SlackSelf } from "./slack-event.ts";
import { inboundOf } from "./slack-inbound.ts";
import { slackSender } from "./slack-send.ts";
import { namesIn, slackPolicy, slackSettings, takesBots, type SlackSettings } from "./slack-settings.ts";
import { stayInSocketMode } from "./slack-socket.ts";
import { slackWeb } from "./slack-web.ts";
import { slackWebhook } from "./slack-webhook.ts";

/** Slack, by Socket Mode or by the Events API over HTTP. */
export const slack = channel({
  id: "slack",
  label: "Slack",
  settings: slackSettings,
  credentials: [
    {
      key: "botToken",
      variable: "SLACK_BOT_TOKEN",
      help: "The bot token of the app, from OAuth & Permissions at api.slack.com/apps; it begins with xoxb-.",
    },
    {
      key: "appToken",
      variable: "SLACK_APP_TOKEN",
      optional: true,
      help: "An app-level token with the scope connections:write, for Socket Mode; it begins with xapp-.",
    },
    {
      key: "signingSecret",
      optional: true,
      help: "The signing secret from the app's Basic Information, for the mode http.",
    },
  ],
  abilities: {
    chats: ["direct", "group", "channel", "thread"],
    media: true,
    reactions: true,
    edit: true,
    typing: false,
  },
  policy: (settings) => slackPolicy(settings, { named: new Map(), groups: new Set() }),
  target: readTarget,
  open: async (settings, context) => openSlack(settings, context),
});

const MAX_TEXT = 4000;
const MAX_GROUPS = 500;

function openSlack(settings: SlackSettings, given: ChannelContext): Channel {
  const isHttp = settings.mode === "http";
  const wanted = isHttp ? (["botToken", "signingSecret"] as const) : (["botToken", "appToken"] as const);
  needed(settings, wanted, { id: "slack", label: "Slack" });
  const { botToken = "", appToken = "", signingSecret = "", apiRoot } = settings;
  const path = webhookPath(settings.webhookPath, { usual: "/slack/events", accountId: given.accountId });
  const ending = new AbortController();
  const context = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
  const web = slackWeb(context, { apiRoot, token: botToken });
  const directory = slackDirectory(context, web);
  let rooms = { named: new Map<string, string>(), groups: new Set<string>() };
  let policy = slackPolicy(settings, rooms);
  let self: SlackSelf | undefined;
  tellOfNames(context.log, policy, (id) => /^[UWB][A-Z0-9]{6,30}$/.test(id));

  async function whoWeAre(signal?: AbortSignal): Promise<SlackSelf & { readonly name: string | undefined }> {
    const { user_id: userId, bot_id: botId, user: name } = await web.call("auth.test", selfShape, { signal });
    self = { userId, botId };
    return { userId, botId, name };
  }

  async function lookUpRooms(): Promise<void> {
    const wanted = namesIn(settings);
    if (wanted.length === 0) return;
    const found = await directory.rooms();
    const missing = wanted.filter((name) => !found.has(name));
    if (missing.length > 0)
      context.log.warn("channels of the settings are not to be found: write their ids, or invite the app", {
        channels: missing.map((name) => `#${name}`).join(" "),
      });
    rooms = { ...rooms, named: new Map(wanted.flatMap((name) => pairOf(name, found.get(name)))) };
    policy = slackPolicy(settings, rooms);
  }

  async function take(kind: string, payload: unknown): Promise<void> {
    const { slashCommand } = settings;
    if (self === undefined) throw new Failure("unavailable", "who we are is not known yet");
    if (kind === "slash_commands" && !slashCommand.enabled) return;
    const news = readNews(kind, payload, { self, commandName: slashCommand.name, now: context.clock.now() });
    if (news === "garbled") return context.log.warn("a message that cannot be read was skipped", { kind });
    if (news === undefined || (news.isBot && !takesBots(settings, news.channel, rooms))) return;
    const chat = news.chat ?? (await directory.kind(news.channel));
    if (chat === "group" && !takesGroup(news.channel)) return;
    await context.receive(await inboundOf({ ...news, chat }, { self, directory, web }));
  }

  /** Conversations of several people have no names to be listed by: without a list, all of them count. */
  function takesGroup(id: string): boolean {
    const { groupEnabled = false, groupChannels = [] } = settings.dm ?? {};
    if (!groupEnabled || groupChannels.length > 0) return groupEnabled && groupChannels.includes(id);
    if (rooms.groups.has(id)) return true;
    rooms = { ...rooms, groups: new Set([...rooms.groups, id].slice(-MAX_GROUPS)) };
    policy = slackPolicy(settings, rooms);
    return true;
  }

  const app = slackWeb(context, { apiRoot, token: appToken });

  const running = keepConnected(context, async (attempt) => {
    const { userId: id, name } = await whoWeAre();
    await lookUpRooms().catch((error: unknown) => {
      const { code, message } = Failure.from(error);
      if (code !== "forbidden") throw error;
      context.log.warn("the names of channels cannot be looked up: write their ids", { reason: message });
    });
    if (!isHttp) {
      const address = async () => (await app.call("apps.connections.open", addressShape)).url;
      return stayInSocketMode(context, attempt, { address, take, self: { id, name } });
    }
    attempt.ready({ id, name });
    await ended(attempt.signal);
  });

  const placeOf = async ({ to }: Target, signal: AbortSignal = context.signal): Promise<string> => {
    if (/^[UW]/.test(to)) return directory.direct(to, signal);
    if (!to.startsWith("#")) return to;
    const id = (await directory.rooms()).get(to.slice(1));
    if (id === undefined) throw new Failure("not-found", `there is no channel ${to} in Slack that the app can see`);
    return id;
  };

  return {
    maxText: MAX_TEXT,
    get policy() {
      return policy;
    },
    webhook: isHttp ? slackWebhook(context.clock, { path, signingSecret, take }) : undefined,
    ...slackSender(web, { placeOf, self: async () => (self ?? (await whoWeAre())).userId }),
    async probe(signal) {
      const { userId: id, name } = await whoWeAre(signal);
      return { id, name };
    },
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** `channel:C0123ABCD`, `user:U0123ABCD`, `#name`, or an id alone; a thread of it behind `:thread:`. */
function readTarget(written: string): Target {
  const [place = "", thread] = written.trim().split(":thread:");
  const to = /^(?:channel:|user:|<[#@]|)([CGDUW][A-Z0-9]{6,30})(?:\|[^>]*)?>?$/.exec(place)?.[1];
  const name = /^(?:channel:)?(#[^\s#:,]{1,80})$/.exec(place)?.[1]?.toLowerCase();
  const found = to ?? name;
  if (found === undefined || (thread !== undefined && !/^\d{1,12}\.\d{1,9}$/.test(thread)))
    throw new Failure(
      "invalid-request",
      `${JSON.stringify(written.slice(0, 100))} is no recipient in Slack: write channel:C0123ABCD, user:U0123ABCD or #general`,
    );
  return thread === undefined ? { to: found } : { to: found, thread };
}

function pairOf(name: string, id: string | undefined): [string, string][] {
  return id === undefined ? [] : [[name, id]];
}

const selfShape = v.looseObject({ user_id: v.string(), user: v.optional(v.string()), bot_id: v.optional(v.string()) });
const addressShape = v.looseObject({ url: v.pipe(v.string(), v.regex(/^wss?:\/\//)) });
