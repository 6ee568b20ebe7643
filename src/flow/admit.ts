import type { Inbound } from "../channels/channel.ts";
import type { Policy, RoomPolicy } from "../channels/channel-policy.ts";
import { isSenderId } from "../pairing/sender-place.ts";
import { folded } from "../session/route.ts";

/**
 * How far somebody is trusted, each more than the one before: a guest got in as everybody does, by a room or a policy
 * that is open; `trusted` is who is let in by name or by a code; `owner` is who may change the gateway from a chat.
 */
export const standings = ["guest", "trusted", "owner"] as const;
export type Standing = (typeof standings)[number];

/** What decides over a message beside itself. */
export interface Grounds {
  readonly policy: Policy;
  readonly ignoreCase: boolean;
  /** Ids of those who were let in by a code. */
  readonly paired: ReadonlySet<string>;
  /** Ids of the owners in this network. */
  readonly owners: readonly string[];
  /** The least standing that may give the command that its text is; absent when that is none. */
  readonly command?: Standing | undefined;
  /** It has a word in it by which people call the agent. */
  readonly called: boolean;
  /** What was said in the chat on when to answer, by `/activation`. */
  readonly activation?: "mention" | "always" | undefined;
}

export type Verdict =
  | {
      readonly kind: "accept";
      readonly standing: Standing;
      /** What the room and the topic have the agent told. */
      readonly prompt: string | undefined;
    }
  | { readonly kind: "ignore"; readonly reason: Ignored }
  /** A stranger, who may ask to be let in. */
  | { readonly kind: "pair" };

/** `not-called` is from somebody who counts: it may be shown with the next message that is answered. */
export type Ignored =
  | "own"
  | "bot"
  | "direct-disabled"
  | "groups-disabled"
  | "room-not-listed"
  | "room-disabled"
  | "sender-not-listed"
  | "command-not-allowed"
  | "not-called";

/** Judges a message (cli.md 8.13). Ids alone decide, compared whole: what people call themselves counts nothing (threat L). */
export function admit(message: Inbound, grounds: Grounds): Verdict {
  const { sender, peer } = message;
  if (sender.isSelf === true) return ignore("own");
  if (sender.isBot === true && !grounds.policy.allowBots) return ignore("bot");
  const person = personOf(message, grounds);
  return peer.kind === "direct" ? admitDirect(message, person, grounds) : admitInRoom(message, person, grounds);
}

interface Person {
  /** What lists may name the sender by: ids that can be a person's, and roles that the network vouches for. */
  readonly ids: ReadonlySet<string>;
  readonly standing: Standing;
}

function personOf({ sender, peer }: Inbound, grounds: Grounds): Person {
  const { policy, paired, owners } = grounds;
  const isGroup = (id: string): boolean => peer.kind !== "direct" && id === peer.id;
  const { aliases = [] } = sender;
  const own = [sender.id, ...aliases].filter((id) => isSenderId(id) && !isGroup(id));
  const people = new Set(own.map((id) => folded(id, grounds)));
  const roles = aliases.filter((alias) => ROLE.test(alias)).map((role) => folded(role, grounds));
  const ids = new Set([...people, ...roles]);
  const { policy: direct, allowFrom } = policy.direct;
  // Who keeps a list, or lets nobody in, means to have no others.
  const codesCount = direct === "pairing" || direct === "open";
  if (names(owners, people, grounds)) return { ids, standing: "owner" };
  const known = names(allowFrom, ids, grounds) || (codesCount && names(paired, people, grounds));
  return { ids, standing: known ? "trusted" : "guest" };
}

/** Such as `role:moderator`. Many have it, and it can be given: it makes nobody an owner. */
const ROLE = /^role:[\w-]+$/;

function admitDirect(message: Inbound, { ids, standing }: Person, grounds: Grounds): Verdict {
  const { policy, allowFrom } = grounds.policy.direct;
  if (policy === "disabled") return ignore("direct-disabled");
  const listed = allowFrom.includes("*") || names(allowFrom, ids, grounds);
  const byCode = policy !== "allowlist" && names(grounds.paired, ids, grounds);
  if (!listed && !byCode) {
    // Two programs that tell each other to ask for a code would never stop.
    return policy === "pairing" && message.sender.isBot !== true ? { kind: "pair" } : ignore("sender-not-listed");
  }
  if (grounds.command && !reaches(standing, grounds.command)) return ignore("command-not-allowed");
  return { kind: "accept", standing, prompt: undefined };
}

function admitInRoom(message: Inbound, { ids, standing }: Person, grounds: Grounds): Verdict {
  const { peer, thread } = message;
  const { command, activation } = grounds;
  const { groups } = grounds.policy;
  if (groups.policy === "disabled") return ignore("groups-disabled");
  const room = entryOf(groups.rooms, peer.id, grounds) ?? entryOf(groups.rooms, "*", grounds);
  if (!room && groups.policy === "allowlist") return ignore("room-not-listed");
  const topic = thread && room?.topics ? entryOf(room.topics, thread.id, grounds) : undefined;
  if (room?.enabled === false || topic?.enabled === false) return ignore("room-disabled");
  const allowFrom = topic?.allowFrom ?? room?.allowFrom ?? (groups.allowFrom.length > 0 ? groups.allowFrom : ["*"]);
  if (!allowFrom.includes("*") && !names(allowFrom, ids, grounds)) return ignore("sender-not-listed");
  if (command && !reaches(standing, command)) return ignore("command-not-allowed");
  const required = activation
    ? activation === "mention"
    : (topic?.requireMention ?? room?.requireMention ?? groups.requireMention);
  const called = message.mentioned || message.command === true || command !== undefined || grounds.called;
  if (required && !called) return ignore("not-called");
  const prompts = [room?.systemPrompt, topic?.systemPrompt].filter((text) => text !== undefined && text.trim() !== "");
  return { kind: "accept", standing, prompt: prompts.length === 0 ? undefined : prompts.join("\n\n") };
}

/** Whether a list names one of the ids, whole; `*` names nobody. */
function names(list: Iterable<string>, ids: ReadonlySet<string>, grounds: Grounds): boolean {
  for (const entry of list) if (entry !== "*" && ids.has(folded(entry, grounds))) return true;
  return false;
}

function entryOf(entries: Readonly<Record<string, RoomPolicy>>, id: string, grounds: Grounds): RoomPolicy | undefined {
  const wanted = folded(id, grounds);
  return Object.entries(entries).find(([key]) => folded(key, grounds) === wanted)?.[1];
}

function reaches(standing: Standing, least: Standing): boolean {
  return standings.indexOf(standing) >= standings.indexOf(least);
}

function ignore(reason: Ignored): Verdict {
  return { kind: "ignore", reason };
}

/** The ids in `commands.ownerAllowFrom` that are of this network: `telegram:123`, or an id without a network. */
export function ownersIn(
  entries: readonly string[],
  channel: string,
  isChannel: (name: string) => boolean,
): readonly string[] {
  return entries.flatMap((entry) => {
    const [, prefix, id] = /^([a-z][a-z0-9_-]*):(.+)$/s.exec(entry.trim()) ?? [];
    // Ids may have colons of their own. What names another network must not be anybody's id in this one.
    if (prefix === undefined || id === undefined || (prefix !== channel && !isChannel(prefix))) return [entry.trim()];
    return prefix === channel ? [id] : [];
  });
}
