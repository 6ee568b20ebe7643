import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import type { Target } from "./channel.ts";
import { commonSettings, type Policy, policyOf } from "./channel-policy.ts";

const text = v.string("a text in quotes");
const login = v.pipe(text, v.regex(/^[#@]?[A-Za-z0-9_]{1,25}$/, "a name such as somebody_123"));

export const twitchSettings = v.looseObject({
  ...commonSettings,
  username: v.pipe(v.optional(login), v.description("The account's login name.")),
  accessToken: v.pipe(
    v.optional(
      v.pipe(text, v.regex(/^\s*(oauth:)?[A-Za-z0-9]*\s*$/, "letters and digits, with or without oauth: before them")),
    ),
    v.description("A user access token with the scopes chat:read and chat:edit."),
  ),
  clientId: v.pipe(v.optional(text), v.description("The application that the token is for.")),
  clientSecret: v.pipe(v.optional(text), v.description("Its secret, with which the token is renewed.")),
  refreshToken: v.pipe(v.optional(text), v.description("What the token is renewed by.")),
  channel: v.pipe(v.optional(login), v.description("The channel to be in; our own unless given.")),
  allowFrom: v.pipe(
    v.optional(commonSettings.allowFrom.pipe[0]),
    v.description("Ids of the people who count, as numbers: names can be changed."),
  ),
  allowedRoles: v.pipe(
    v.optional(v.array(v.picklist(["moderator", "owner", "vip", "subscriber", "all"]))),
    v.description("Whose messages count besides: the owner's alone, unless this or allowFrom is given."),
  ),
});

export type TwitchSettings = v.InferOutput<typeof twitchSettings>;

/** A login name as Twitch's chat has it. */
export function loginOf(name: string): string {
  return name.replace(/^[#@]/, "").toLowerCase();
}

/** The channel is a group that is listened to; who counts in it is a person's id or `role:…`, which Twitch vouches for. */
export function twitchPolicy(settings: TwitchSettings): Policy {
  const { groups, allowBots } = policyOf(settings);
  const { channel = settings.username ?? "", allowedRoles, allowFrom } = settings;
  const roles = allowedRoles ?? (allowFrom === undefined ? ["owner" as const] : []);
  const everybody = roles.includes("all") || allowFrom?.includes("*") === true;
  const people = [
    ...(allowFrom ?? []).map((id) => id.replace(/^(twitch|user):/i, "")),
    ...roles.map((role) => `role:${role}`),
  ];
  const room = loginOf(channel);
  return {
    direct: { policy: "disabled", allowFrom: [] },
    groups: {
      ...groups,
      // A list with nobody on it is nobody, which an empty one would not be.
      policy: people.length === 0 || groups.policy === "disabled" ? "disabled" : "allowlist",
      allowFrom: everybody ? [] : people,
      rooms: { [room]: groups.rooms[room] ?? {} },
    },
    allowBots,
  };
}

export function twitchTarget(written: string): Target {
  const name = written
    .trim()
    .replace(/^twitch:/i, "")
    .replace(/^(channel|group):/i, "");
  if (/^#?[A-Za-z0-9_]{1,25}$/.test(name)) return { to: `#${loginOf(name)}` };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 64))} is no channel of Twitch: write #somebody`,
  );
}
