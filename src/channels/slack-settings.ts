import * as v from "valibot";
import { withBareIds } from "./channel-people.ts";
import { commonSettings, policyOf, type Policy, type RoomPolicy } from "./channel-policy.ts";
import { webhookPathSetting } from "./channel-webhook.ts";

const text = v.optional(v.string("a text in quotes"));
const flag = v.optional(v.boolean("true or false"));
const ids = v.optional(v.array(v.string("an id in quotes"), "a list of ids"));

const channelSchema = v.looseObject({
  allow: flag,
  enabled: flag,
  requireMention: flag,
  allowBots: flag,
  users: ids,
  systemPrompt: text,
});

/** The settings of an account of Slack (cli.md 9.3). */
export const slackSettings = v.looseObject({
  ...commonSettings,
  mode: v.pipe(
    v.optional(v.picklist(["socket", "http"]), "socket"),
    v.description("How events come: by a connection that we make, or by requests to webhookPath."),
  ),
  botToken: v.pipe(text, v.description("Begins with xoxb-.")),
  appToken: v.pipe(text, v.description("Begins with xapp-; for the mode socket.")),
  signingSecret: v.pipe(text, v.description("Proves that requests are Slack's; for the mode http.")),
  webhookPath: webhookPathSetting,
  apiRoot: v.pipe(
    v.optional(v.pipe(v.string(), v.url("a URL")), "https://slack.com/api"),
    v.description("Where the Web API is, such as behind a proxy."),
  ),
  dm: v.pipe(
    v.optional(
      v.looseObject({
        ...commonSettings.dm.wrapped.entries,
        groupEnabled: v.pipe(flag, v.description("Whether conversations of several people are listened to.")),
        groupChannels: v.pipe(ids, v.description("The ids of those that are.")),
      }),
    ),
    v.description("Who may write directly, and in conversations of several people."),
  ),
  channels: v.pipe(
    v.optional(v.record(v.string(), channelSchema), {}),
    v.description("Channels by id or #name; * for all others. Names are looked up once connected."),
  ),
  slashCommand: v.pipe(
    v.optional(
      v.looseObject({ enabled: v.optional(v.boolean("true or false"), true), name: v.optional(v.string(), "clawd") }),
      {},
    ),
    v.description("Slash commands of the app; what follows the one of this name is a message."),
  ),
  mediaMaxMb: v.pipe(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 20),
    v.description("Largest file that is taken, in megabytes."),
  ),
});

export type SlackSettings = v.InferOutput<typeof slackSettings>;

/** What is known of the workspace by now. */
export interface SlackRooms {
  /** Ids of channels by name without `#`. */
  readonly named: ReadonlyMap<string, string>;
  /** Conversations of several people that wrote to us. */
  readonly groups: ReadonlySet<string>;
}

/** Whom the settings let write: by ids alone, so that nobody becomes somebody else by a name (threat L). */
export function slackPolicy(settings: SlackSettings, { named, groups }: SlackRooms): Policy {
  const shared = policyOf(settings);
  const rooms: Record<string, RoomPolicy> = { ...shared.groups.rooms };
  for (const id of groups) rooms[id] = {};
  for (const id of settings.dm?.groupChannels ?? []) rooms[id] = {};
  for (const [key, { allow, enabled, requireMention, users, systemPrompt }] of Object.entries(settings.channels)) {
    const id = isRoom(key) ? key : named.get(nameIn(key));
    if (id !== undefined) rooms[id] = { enabled: allow ?? enabled, requireMention, allowFrom: users, systemPrompt };
  }
  const anyBots = Object.values(settings.channels).some(({ allowBots }) => allowBots === true);
  const policy = { ...shared, groups: { ...shared.groups, rooms }, allowBots: shared.allowBots || anyBots };
  return withBareIds(policy, /^(?:slack|user):/i);
}

/** Whether messages of other programs count there; a channel's own word comes first. */
export function takesBots(settings: SlackSettings, channel: string, { named }: SlackRooms): boolean {
  const own = Object.entries(settings.channels).find(([key]) => key === channel || named.get(nameIn(key)) === channel);
  return own?.[1].allowBots ?? settings.allowBots;
}

/** Names of channels that the settings speak of, without `#`. */
export function namesIn(settings: SlackSettings): readonly string[] {
  return Object.keys(settings.channels)
    .filter((key) => !isRoom(key))
    .map(nameIn);
}

function nameIn(key: string): string {
  return key.replace(/^#/, "").toLowerCase();
}

function isRoom(key: string): boolean {
  return key === "*" || /^[CGD][A-Z0-9]{6,30}$/.test(key);
}
