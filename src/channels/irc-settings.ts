import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { isRoom } from "../kit/irc-line.ts";
import type { Target } from "./channel.ts";
import { withIds } from "./channel-people.ts";
import { commonSettings, type Policy, policyOf } from "./channel-policy.ts";

const text = v.string("a text in quotes");
const word = v.pipe(text, v.regex(/^[^\s:\p{Cc}][^\s\p{Cc}]*$/u, "one word"));

export const ircSettings = v.looseObject({
  ...commonSettings,
  host: v.pipe(v.optional(word), v.description("The server, such as irc.libera.chat.")),
  port: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
    v.description("Its port; 6697 unless given, 6667 without TLS."),
  ),
  tls: v.pipe(v.optional(v.boolean("true or false"), true), v.description("Whether the connection is encrypted.")),
  fingerprint: v.pipe(
    v.optional(text),
    v.description("SHA-256 of the server's certificate, for a server whose certificate no authority has signed."),
  ),
  nick: v.pipe(v.optional(word), v.description("The name that we want to have there.")),
  username: v.pipe(v.optional(word), v.description("The name before our host; the nick when not given.")),
  realname: v.pipe(
    v.optional(v.pipe(text, v.regex(/^\P{Cc}*$/u, "one line"))),
    v.description("What /whois shows of us; the nick when not given."),
  ),
  password: v.pipe(
    v.optional(v.pipe(text, v.regex(/^\P{Cc}*$/u, "one line"))),
    v.description("The server's own password (PASS), where it has one."),
  ),
  nickserv: v.pipe(
    v.optional(
      v.looseObject({
        enabled: v.optional(v.boolean("true or false"), true),
        service: v.optional(word, "NickServ"),
        account: v.optional(word),
        password: v.optional(v.pipe(text, v.regex(/^\P{Cc}*$/u, "one line"))),
      }),
    ),
    v.description("Our account with the network's services: by SASL where there is some, else by a message."),
  ),
  channels: v.pipe(
    v.optional(
      v.array(
        v.pipe(text, v.regex(/^[#&+!][^\s,\p{Cc}]*( [^\s,:\p{Cc}][^\s,\p{Cc}]*)?$/u, "such as #room, or #room key")),
      ),
      [],
    ),
    v.description(
      "Channels to join, each with its key after a space where it has one. Those in `groups` are joined too.",
    ),
  ),
  allowFrom: v.pipe(
    v.optional(commonSettings.allowFrom.pipe[0]),
    v.description(
      "Who may write directly without a code: `account:name` for a person who is logged in to the network's services, " +
        "else `nick!user@host`. Whoever comes from another host is another person.",
    ),
  ),
  dangerouslyAllowNameMatching: v.pipe(
    v.optional(v.boolean("true or false"), false),
    v.description("Whether a bare nick in a list counts. Anybody can take a nick that nobody has at the moment."),
  ),
});

export type IrcSettings = v.InferOutput<typeof ircSettings>;

/** Whom the settings let write, in the spelling of the server: `fold` says which names are the same to it. */
export function ircPolicy(settings: IrcSettings, fold: (name: string) => string): Policy {
  return withIds(policyOf(settings), { person: (id) => fold(id.replace(/^(irc|user):/i, "")), room: fold });
}

/** What is joined: the name of each channel, and its key where it has one. */
export function roomsToJoin({ channels, groups }: IrcSettings): ReadonlyMap<string, string | undefined> {
  const named = Object.keys(groups).filter((name) => isRoom(name) && groups[name]?.enabled !== false);
  return new Map([...named, ...channels].map((entry) => [entry.split(" ")[0] ?? "", entry.split(" ")[1]] as const));
}

export function ircTarget(written: string): Target {
  const to = written
    .trim()
    .replace(/^irc:/i, "")
    .replace(/^(channel|group|user|nick):/i, "");
  const good = isRoom(to) ? /^.[^\s,:\p{Cc}]{1,63}$/u : /^[^\s,:!@.*?\p{Cc}]{1,64}$/u;
  if (good.test(to)) return { to };
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(written.slice(0, 64))} is no recipient in IRC: write a channel such as #room, or a nick`,
  );
}
