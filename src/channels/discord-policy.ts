import * as v from "valibot";
import { commonSettings, policyOf, type Policy, type RoomPolicy } from "./channel-policy.ts";

const ids = v.pipe(
  v.array(v.pipe(v.union([v.string(), v.number()]), v.transform(String)), "a list of ids"),
  v.transform((list) => list.map(bareId)),
);
const flag = v.optional(v.boolean("true or false"));
const places = v.looseObject({
  allow: flag,
  enabled: flag,
  requireMention: flag,
  users: v.optional(ids),
  systemPrompt: v.optional(v.string("a text in quotes")),
});
const guild = v.looseObject({
  requireMention: flag,
  users: v.optional(ids),
  channels: v.optional(v.record(v.string(), places)),
});

/** What the settings of Discord say on who may write. */
export const discordPolicySettings = {
  ...commonSettings,
  guilds: v.pipe(
    v.optional(v.record(v.string(), guild), {}),
    v.description("Guilds by id, with their channels by id; * for all others."),
  ),
  historyLimit: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(500)), 20),
    v.description("Messages of a channel that the model is shown before the one that named us."),
  ),
};

const settingsSchema = v.looseObject(discordPolicySettings);
export type DiscordPolicySettings = v.InferOutput<typeof settingsSchema>;

/** The policy with the rooms that are known. */
export function discordPolicy(
  settings: DiscordPolicySettings,
  known: readonly (readonly [channelId: string, room: RoomPolicy])[] = named(settings),
): Policy {
  const policy = policyOf(settings);
  const { direct, groups } = policy;
  return {
    ...policy,
    direct: { ...direct, allowFrom: direct.allowFrom.map(bareId) },
    groups: { ...groups, allowFrom: groups.allowFrom.map(bareId), rooms: Object.fromEntries(known) },
  };
}

/** What is settled for a channel of a guild; undefined where the guild is not named. */
export function roomOf(
  { guilds }: DiscordPolicySettings,
  { guildId, channelId }: { readonly guildId: string; readonly channelId: string },
): RoomPolicy | undefined {
  const own = entryOf(guilds, guildId);
  if (!own) return undefined;
  const { channels = {} } = own;
  const channel = entryOf(channels, channelId);
  // Who names channels means these and no others.
  if (!channel && Object.keys(channels).length > 0) return { enabled: false };
  return {
    enabled: channel?.enabled !== false && channel?.allow !== false,
    requireMention: channel?.requireMention ?? own.requireMention,
    allowFrom: channel?.users ?? own.users,
    systemPrompt: channel?.systemPrompt,
  };
}

function entryOf<T>(entries: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.hasOwn(entries, id) ? entries[id] : entries["*"];
}

/** The channels that are named: who asks before a message has come is told of these. */
function named(settings: DiscordPolicySettings): readonly (readonly [string, RoomPolicy])[] {
  return Object.entries(settings.guilds).flatMap(([guildId, { channels = {} }]) =>
    Object.keys(channels).flatMap((channelId) => {
      const room = channelId === "*" ? undefined : roomOf(settings, { guildId, channelId });
      return room ? [[channelId, room] as const] : [];
    }),
  );
}

/** Ids may be written as Discord and other places of the configuration do: `<@42>`, `user:42`, `discord:42`. */
export function bareId(id: string): string {
  return id
    .trim()
    .replace(/^(?:discord:)?(?:user:)?/i, "")
    .replace(/^<@!?(\d+)>$/, "$1");
}
