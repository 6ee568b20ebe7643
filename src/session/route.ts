import type { Config } from "../config/schema.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { keyPart, LONGEST_KEY } from "./key.ts";

/** Where a message came from. Every id is the network's own and stable: names that people choose decide nothing (threat L). */
export interface Origin {
  /** The chat network, such as `telegram`. */
  readonly channel: string;
  /** Which of our accounts there; `default` when absent. */
  readonly accountId?: string | undefined;
  /** The person, group or channel that an answer goes to. */
  readonly peer: { readonly kind: "direct" | "group" | "channel"; readonly id: string };
  readonly guildId?: string | undefined;
  readonly teamId?: string | undefined;
  /** A part of a group or channel with a conversation of its own. */
  readonly thread?: { readonly kind: "thread" | "topic"; readonly id: string } | undefined;
  /** Ids of this network that differ in capitals alone mean the same. */
  readonly ignoreCase?: boolean | undefined;
}

/** What the configuration says on it. */
export interface RouteRules {
  readonly session: Config["session"];
  readonly bindings: Config["bindings"];
  /** The ids of all agents, the default one first. */
  readonly agents: readonly [string, ...string[]];
}

export interface Route {
  readonly agentId: string;
  readonly sessionKey: string;
  readonly kind: "direct" | "group" | "global";
  readonly chatType: "direct" | "group" | "channel";
}

/** The agent that answers a message, and the session it belongs to. Throws `invalid-request` for ids that are none. */
export function routeOf(origin: Origin, rules: RouteRules): Route {
  // Ids are judged first: a blank one must not reach a rule that it could match.
  const place = placeOf(origin, rules.session);
  const agentId = boundAgent(origin, rules) ?? rules.agents[0];
  const { kind } = origin.peer;
  if (rules.session.scope === "global") return { agentId, sessionKey: "global", kind: "global", chatType: kind };
  const sessionKey = `agent:${agentId}:${place}`.toLowerCase();
  if (sessionKey.length > LONGEST_KEY)
    throw new Failure("invalid-request", `the ids of a message from ${origin.channel} are too long for a session key`);
  return { agentId, sessionKey, kind: kind === "direct" ? "direct" : "group", chatType: kind };
}

/** The part of the key after the agent (cli.md 8.5, with N's `direct`). */
function placeOf(origin: Origin, session: Config["session"]): string {
  const { channel, accountId = "default", peer, thread } = origin;
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(channel))
    throw new Failure("invalid-request", `${JSON.stringify(channel.slice(0, 64))} is no name of a chat network`);
  const part = (id: string): string => keyPart(folded(id, origin));
  const [id, account] = [part(peer.id), part(accountId)];
  if (peer.kind !== "direct")
    return `${channel}:${peer.kind}:${id}${thread ? `:${thread.kind}:${part(thread.id)}` : ""}`;
  if (session.dmScope === "main") return session.mainKey;
  const person = personOf(origin, session.identityLinks) ?? id;
  if (session.dmScope === "per-peer") return `direct:${person}`;
  if (session.dmScope === "per-channel-peer") return `${channel}:direct:${person}`;
  return `${channel}:${account}:direct:${person}`;
}

/** An id as it is compared with others. Capitals of ASCII alone: other letters would become the same as some that they only look like. */
export function folded(text: string, { ignoreCase }: Pick<Origin, "ignoreCase">): string {
  return ignoreCase === true ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}

/**
 * The name of a person that several networks are linked to. An id that reads like such a name is marked: nobody gets
 * into a person's session by calling himself so.
 */
function personOf(origin: Origin, identityLinks: Config["session"]["identityLinks"]): string | undefined {
  const address = folded(`${origin.channel}:${origin.peer.id}`, origin);
  const people = Object.entries(identityLinks).filter(([name]) => name.trim() !== "");
  const linked = people.find(([, addresses]) => addresses.some((text) => folded(text, origin) === address));
  if (linked) return keyPart(linked[0].toLowerCase());
  const id = keyPart(folded(origin.peer.id, origin));
  return people.some(([name]) => keyPart(name.toLowerCase()) === id) ? `^-${id}` : undefined;
}

/** The agent of the first binding in the narrowest tier (cli.md 8.13): peer, guild, team, account, channel. */
function boundAgent(origin: Origin, { bindings, agents }: RouteRules): string | undefined {
  const fitting = (Array.isArray(bindings) ? bindings : []).flatMap((binding: unknown) => {
    const { agentId, match } = isObject(binding) ? binding : {};
    const known = agents.find((id) => id === agentId);
    return known !== undefined && isObject(match) && fits(match, origin)
      ? [{ agentId: known, tier: tierOf(match) }]
      : [];
  });
  return fitting.reduce<(typeof fitting)[number] | undefined>(
    (best, next) => (best === undefined || next.tier < best.tier ? next : best),
    undefined,
  )?.agentId;
}

/** Everything that a match names must be so, and blank matches nothing. Without an account it means the default one, `*` all. */
function fits(match: JsonObject, origin: Origin): boolean {
  const { channel, accountId = "default", peer, guildId, teamId } = origin;
  const same = (rule: unknown, id: string | undefined): boolean =>
    typeof rule === "string" && rule.trim() !== "" && id !== undefined && folded(rule, origin) === folded(id, origin);
  const account = match["accountId"] ?? "default";
  if (match["channel"] !== channel || (account !== "*" && !same(account, accountId))) return false;
  if (match["guildId"] !== undefined && !same(match["guildId"], guildId)) return false;
  if (match["teamId"] !== undefined && !same(match["teamId"], teamId)) return false;
  if (match["peer"] === undefined) return true;
  const { kind, id } = isObject(match["peer"]) ? match["peer"] : {};
  return same(id, peer.id) && (kind === "dm" ? "direct" : kind) === peer.kind;
}

function tierOf(match: JsonObject): number {
  if (match["peer"] !== undefined) return 0;
  if (match["guildId"] !== undefined) return 1;
  if (match["teamId"] !== undefined) return 2;
  return match["accountId"] === "*" ? 4 : 3;
}
