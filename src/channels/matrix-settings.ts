import * as v from "valibot";
import { withBareIds } from "./channel-people.ts";
import { commonSettings, policyOf, type Policy, type RoomPolicy } from "./channel-policy.ts";

const text = v.optional(v.string("a text in quotes"));
const flag = v.optional(v.boolean("true or false"));
const ids = v.optional(v.array(v.string("an id in quotes"), "a list of ids"));

/** The settings of an account of Matrix (cli.md 9.8). */
export const matrixSettings = v.looseObject({
  ...commonSettings,
  homeserver: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s?#]+$/, "an address such as https://matrix.example.org"))),
    v.description("Where the homeserver's client API is."),
  ),
  accessToken: v.pipe(text, v.description("Signs in without a password.")),
  userId: v.pipe(text, v.description("Such as @bot:example.org; with password, instead of accessToken.")),
  password: v.pipe(text, v.description("Is used once; the token that it gives is kept.")),
  deviceName: v.pipe(v.optional(v.string("a text in quotes"), "Clawlet"), v.description("What the session is called.")),
  autoJoin: v.pipe(
    v.optional(v.picklist(["always", "allowlist", "off"]), "always"),
    v.description("Which invitations are accepted: all, those of autoJoinAllowlist, none."),
  ),
  autoJoinAllowlist: v.pipe(
    ids,
    v.description("Rooms by id or alias, and people by id, whose invitations are accepted."),
  ),
  threadReplies: v.pipe(
    v.optional(v.picklist(["off", "inbound", "always"]), "inbound"),
    v.description("Whether answers go into threads: never, where the message came in one, or always."),
  ),
  groups: v.pipe(
    v.optional(
      v.record(
        v.string(),
        v.looseObject({ allow: flag, enabled: flag, requireMention: flag, users: ids, systemPrompt: text }),
      ),
      {},
    ),
    v.description("Rooms by id or alias; * for all others. Aliases are looked up once connected."),
  ),
  mediaMaxMb: v.pipe(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 20),
    v.description("Largest file that is taken, in megabytes."),
  ),
});

export type MatrixSettings = v.InferOutput<typeof matrixSettings>;

/** Whom the settings let write: rooms by id alone, as an alias may come to lead elsewhere (threat L). */
export function matrixPolicy(settings: MatrixSettings, rooms: ReadonlyMap<string, string>): Policy {
  const shared = policyOf({ ...settings, groups: {} });
  const found: Record<string, RoomPolicy> = {};
  for (const [key, { allow, enabled, requireMention, users, systemPrompt }] of Object.entries(settings.groups)) {
    const id = key.startsWith("#") ? rooms.get(key) : key;
    if (id !== undefined) found[id] = { enabled: allow ?? enabled, requireMention, allowFrom: users, systemPrompt };
  }
  return withBareIds({ ...shared, groups: { ...shared.groups, rooms: found } }, /^(?:matrix|user):/i);
}

/** Aliases that the settings speak of. */
export function aliasesIn({ groups, autoJoinAllowlist = [] }: MatrixSettings): readonly string[] {
  return [...new Set([...Object.keys(groups), ...autoJoinAllowlist])].filter((key) => key.startsWith("#"));
}
