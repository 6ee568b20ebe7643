import * as v from "valibot";

/** Whom a network's settings let write to the agents. */
export interface Policy {
  readonly direct: {
    readonly policy: DirectPolicy;
    /** Ids of people; `*` is everybody. */
    readonly allowFrom: readonly string[];
  };
  readonly groups: {
    readonly policy: GroupPolicy;
    /** Whose messages count in any group; everybody's in an allowed group when it is empty. */
    readonly allowFrom: readonly string[];
    /** Groups and channels by id, `*` for all others. With `allowlist`, what is not in here is not listened to. */
    readonly rooms: Readonly<Record<string, RoomPolicy>>;
    /** Whether we must be named before we answer, where the room does not say. */
    readonly requireMention: boolean;
    /** Messages of a group that are shown to the model before the one that named us. */
    readonly historyLimit: number;
  };
  /** Messages of other programs count. */
  readonly allowBots: boolean;
}

export type DirectPolicy = "pairing" | "allowlist" | "open" | "disabled";
export type GroupPolicy = "open" | "allowlist" | "disabled";

export interface RoomPolicy {
  readonly enabled?: boolean | undefined;
  readonly requireMention?: boolean | undefined;
  readonly allowFrom?: readonly string[] | undefined;
  /** More for the system prompt of its sessions. */
  readonly systemPrompt?: string | undefined;
  /** The same for topics or threads of it, by id. */
  readonly topics?: Readonly<Record<string, RoomPolicy>> | undefined;
}

const ids = v.pipe(
  v.array(v.pipe(v.union([v.string(), v.number()]), v.transform(String)), "a list of ids"),
  v.description("Ids of people; * for everybody."),
);

const roomEntries = {
  enabled: v.pipe(v.optional(v.boolean("true or false")), v.description("Whether it is listened to.")),
  requireMention: v.pipe(
    v.optional(v.boolean("true or false")),
    v.description("Whether we must be named here before we answer."),
  ),
  allowFrom: v.pipe(v.optional(ids), v.description("Whose messages count here.")),
  systemPrompt: v.pipe(
    v.optional(v.string("a text in quotes")),
    v.description("More for the system prompt of its sessions."),
  ),
};

/** A group or channel in the settings of most networks. */
export const roomSchema = v.looseObject({
  ...roomEntries,
  topics: v.pipe(
    v.optional(v.record(v.string(), v.looseObject(roomEntries)), {}),
    v.description("The same for its topics or threads, by id."),
  ),
});

/** The keys that the settings of every network have (cli.md 2.7); spread into its own. */
export const commonSettings = {
  enabled: v.pipe(v.optional(v.boolean("true or false"), true), v.description("Whether it runs.")),
  name: v.pipe(v.optional(v.string("a text in quotes")), v.description("The account's name for people.")),
  dmPolicy: v.pipe(
    v.optional(v.picklist(["pairing", "allowlist", "open", "disabled"])),
    v.description("Who may write directly: whoever is let in by a code, who is listed, everybody, nobody."),
  ),
  dm: v.pipe(
    v.optional(
      v.looseObject({
        enabled: v.pipe(v.optional(v.boolean("true or false")), v.description("Whether anybody may write directly.")),
        policy: v.pipe(
          v.optional(v.picklist(["pairing", "allowlist", "open", "disabled"])),
          v.description("As dmPolicy, which comes first."),
        ),
        allowFrom: v.pipe(v.optional(ids), v.description("As allowFrom beside it, which comes first.")),
      }),
    ),
    v.description("An older way to say who may write directly."),
  ),
  allowFrom: v.pipe(v.optional(ids), v.description("Who may write directly without a code.")),
  groupPolicy: v.pipe(
    v.optional(v.picklist(["open", "allowlist", "disabled"]), "allowlist"),
    v.description("Which groups are listened to: all, those that are listed, none."),
  ),
  groupAllowFrom: v.pipe(v.optional(ids), v.description("Whose messages count in groups.")),
  groups: v.pipe(v.optional(v.record(v.string(), roomSchema), {}), v.description("Groups by id; * for all others.")),
  requireMention: v.pipe(
    v.optional(v.boolean("true or false"), true),
    v.description("Whether we must be named in a group before we answer."),
  ),
  allowBots: v.pipe(v.optional(v.boolean("true or false"), false), v.description("Whether other programs count.")),
  historyLimit: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(500)), 50),
    v.description("Messages of a group that the model is shown before the one that named us."),
  ),
  mediaMaxMb: v.pipe(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 8),
    v.description("Largest file that is taken, in megabytes."),
  ),
  textChunkLimit: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(100))),
    v.description("Most characters of one message; never more than the network allows."),
  ),
  replyToMode: v.pipe(
    v.optional(v.picklist(["off", "first", "all"]), "off"),
    v.description("Which parts of an answer quote the message that they answer."),
  ),
};

const common = v.looseObject(commonSettings);

/** The policy of settings that are spelled as most networks spell them. */
export function policyOf(settings: v.InferOutput<typeof common>): Policy {
  const { dm = {}, groups } = settings;
  const direct = dm.enabled === false ? "disabled" : (settings.dmPolicy ?? dm.policy ?? "pairing");
  return {
    direct: { policy: direct, allowFrom: settings.allowFrom ?? dm.allowFrom ?? [] },
    groups: {
      policy: settings.groupPolicy,
      allowFrom: settings.groupAllowFrom ?? [],
      rooms: groups,
      requireMention: settings.requireMention,
      historyLimit: settings.historyLimit,
    },
    allowBots: settings.allowBots,
  };
}
