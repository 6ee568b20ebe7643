import { sha256Hex, uuid } from "../kit/ids.ts";
import { type IrcLine, isRoom, nickOf, withoutCodes } from "../kit/irc-line.ts";
import type { Inbound } from "./channel.ts";

/** What is known when a line comes. */
export interface IrcSight {
  /** Our nick at the moment. */
  readonly nick: string;
  readonly fold: (name: string) => string;
  /** Nicks count as what people are known by. */
  readonly namesCount: boolean;
  readonly now: number;
}

/**
 * The message that a PRIVMSG is; undefined for what nobody is to answer, such as a request between programs (CTCP).
 *
 * A nick says nothing of who has it: whoever comes first may take it (threat L). Where the server vouches for an account
 * with the network's services (account-tag), that is the person. Where it does not, as after a netsplit has taken the
 * services away, it is the whole of `nick!user@host`, which the server has looked up: nobody else is let in by it, though
 * the same person is somebody else when he comes from another place.
 */
export async function ircMessage(line: IrcLine, sight: IrcSight): Promise<Inbound | undefined> {
  const { tags, source, params } = line;
  const { fold, now } = sight;
  const [target = "", said = ""] = params;
  const nick = nickOf(source);
  if (line.command !== "PRIVMSG" || !source.includes("!") || fold(nick) === fold(sight.nick)) return undefined;
  // A channel may be written to through the mark of those who have a rank in it: `@#room`.
  const room = target.replace(/^[~&@%+](?=[#&+!])/, "");
  const isGroup = isRoom(room);
  if (!isGroup && fold(target) !== fold(sight.nick)) return undefined;
  const words = wordsOf(said, nick);
  if (words === undefined || words.trim() === "") return undefined;

  const account = tags.get("account");
  const mask = fold(source);
  const at = momentOf(tags.get("time")) ?? now;
  const id = account === undefined || account === "" ? mask : `account:${fold(account)}`;
  return {
    id: tags.get("msgid") ?? (await madeUpId(line)),
    peer: isGroup ? { kind: "channel", id: fold(room), name: room } : { kind: "direct", id },
    sender: {
      id,
      name: nick,
      aliases: [mask, ...(sight.namesCount ? [fold(nick)] : [])],
      ...(tags.has("bot") ? { isBot: true } : {}),
    },
    text: words,
    mentioned: !isGroup || names(words, sight),
    ...(tags.get("+draft/reply") ? { quoted: { id: tags.get("+draft/reply") ?? "" } } : {}),
    to: { to: isGroup ? room : nick },
    at,
  };
}

/** Without the colours; of CTCP (modern.ircdocs.horse/ctcp) what somebody does is said as `* nick waves`. */
function wordsOf(said: string, nick: string): string | undefined {
  if (!said.startsWith("\x01")) return withoutCodes(said);
  const action = /^\x01ACTION ([^\x01]*)\x01?$/.exec(said)?.[1]; // eslint-disable-line no-control-regex -- CTCP's mark
  return action === undefined ? undefined : `* ${nick} ${withoutCodes(action)}`;
}

/** Whether our nick is in a text as a word of its own: more of the characters that nicks are made of is another nick. */
function names(text: string, { nick, fold }: IrcSight): boolean {
  return fold(text)
    .split(/[^\p{L}\p{N}_\-{}|^~[\]\\`]+/u)
    .includes(fold(nick));
}

/** A server that repeats what was said says when that was: it is told by it from the first time. */
async function madeUpId({ tags, source, params }: IrcLine): Promise<string> {
  const time = tags.get("time");
  return time === undefined ? uuid() : sha256Hex([time, source, ...params].join("\n"));
}

function momentOf(time: string | undefined): number | undefined {
  const moment = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(moment) ? undefined : moment;
}
