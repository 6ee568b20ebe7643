import { type IrcLine, nickOf, withoutCodes } from "../kit/irc-line.ts";
import type { Inbound } from "./channel.ts";

/**
 * The message that a line of Twitch's chat is; undefined for what is none. Who wrote it is told by the id that Twitch puts
 * there, never by a name (threat L).
 */
export function twitchMessage(
  line: IrcLine,
  { username, now }: { readonly username: string; readonly now: number },
): Inbound | undefined {
  const { tags, source, command, params } = line;
  const [room = "", said = ""] = params;
  const tag = (name: string): string | undefined => tags.get(name) || undefined;
  const [id, userId, login] = [tag("id"), tag("user-id"), nickOf(source)];
  if (command !== "PRIVMSG" || !room.startsWith("#") || !id || !userId || login === username) return undefined;
  // In a shared chat, what others say in their own channels is shown here too: it is not said to us.
  if (tag("source-room-id") !== undefined && tag("source-room-id") !== tag("room-id")) return undefined;
  const action = /^\x01ACTION ([^\x01]*)\x01?$/.exec(said)?.[1]; // eslint-disable-line no-control-regex -- CTCP's mark
  const text = withoutCodes(action === undefined ? said : `* ${login} ${action}`);
  const parent = tag("reply-parent-msg-id");
  if (text.trim() === "") return undefined;
  return {
    id,
    peer: { kind: "group", id: room.slice(1), name: room },
    sender: {
      id: userId,
      name: tag("display-name") ?? login,
      aliases: rolesOf(tag("badges") ?? "").map((role) => `role:${role}`),
      ...(tags.get("badges")?.includes("bot-badge/") ? { isBot: true } : {}),
    },
    text,
    mentioned: tag("reply-parent-user-login") === username || names(text, username),
    ...(parent === undefined
      ? {}
      : { quoted: { id: parent, text: tag("reply-parent-msg-body"), sender: tag("reply-parent-display-name") } }),
    to: { to: room },
    at: Number(tag("tmi-sent-ts")) || now,
  };
}

function names(text: string, username: string): boolean {
  return text
    .toLowerCase()
    .split(/[^a-z0-9_]+/)
    .includes(username);
}

/** The roles of who has these badges, such as `moderator/1,subscriber/12`. */
function rolesOf(badges: string): readonly string[] {
  const held = badges.split(",").map((badge) => badge.split("/")[0] ?? "");
  return [...new Set(held.flatMap((badge) => roles[badge] ?? []))];
}

const roles: Readonly<Record<string, string>> = {
  broadcaster: "owner",
  moderator: "moderator",
  lead_moderator: "moderator",
  vip: "vip",
  subscriber: "subscriber",
  founder: "subscriber",
};
