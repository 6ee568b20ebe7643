import { Failure } from "../kit/error.ts";

/** What a session key needs to be completed: the agent that answers by default and the name of its main session. */
export interface KeyDefaults {
  readonly agentId: string;
  readonly mainKey: string;
}

/**
 * The full form of a session key as a client may write it (protocol.md 6.6): `main` and any bare name belong to the
 * default agent, `agent:<id>:...` stays, and so do the sentinels `global` and `unknown`.
 */
export function sessionKey(text: string, { agentId, mainKey }: KeyDefaults): string {
  const key = text.trim().toLowerCase();
  if (key === "global" || key === "unknown") return key;
  if (key.startsWith("agent:")) return key;
  return `agent:${agentId}:${key === "main" ? mainKey : key}`;
}

/** The agent that a full session key names; undefined for the sentinels. */
export function agentOfKey(key: string): string | undefined {
  return /^agent:([^:]+):/.exec(key)?.[1];
}

/** Most characters of a key (protocol.md 6.4). */
export const LONGEST_KEY = 512;

/**
 * An id from a chat network as one part of a key. Keys are lower case and their parts end at colons: capitals are
 * marked with `^`, and what else could be mistaken is written as `%` and two hex digits, so that two ids never make one
 * key, and no id the key of another kind of session (threats K and L). Throws `invalid-request` for what is no id.
 */
export function keyPart(id: string): string {
  if (id.trim() === "") throw new Failure("invalid-request", "an id is blank: the message cannot be told from others");
  // A half of a character has no UTF-8 form of its own.
  if (/\p{Surrogate}/u.test(id)) throw new Failure("invalid-request", "an id is no Unicode text");
  let part = "";
  for (const byte of new TextEncoder().encode(id)) {
    const character = String.fromCharCode(byte);
    if (/[a-z0-9._~@+=!$*'(),/&;#-]/.test(character)) part += character;
    else if (/[A-Z]/.test(character)) part += `^${character.toLowerCase()}`;
    else part += `%${byte.toString(16).padStart(2, "0")}`;
  }
  return part;
}

/** The chat that a key stands for, its ids as the network has them. */
export interface KeyChat {
  readonly type: "direct" | "group" | "channel";
  /** The person, group or channel. */
  readonly id: string;
  /** Undefined where the key is for all networks together. */
  readonly channel: string | undefined;
  readonly accountId: string | undefined;
  readonly thread: { readonly kind: "thread" | "topic"; readonly id: string } | undefined;
}

export interface KeyParts {
  readonly agentId: string;
  /** What follows the agent. */
  readonly rest: string;
  /** Undefined for the main session, jobs, helpers and names that clients chose. */
  readonly chat: KeyChat | undefined;
}

/** A full key taken apart; undefined for the sentinels and what is no full key. Knows the older `dm` for `direct` too. */
export function parseKey(key: string): KeyParts | undefined {
  const [, agentId, rest] = /^agent:([^:]+):(.+)$/.exec(key) ?? [];
  return agentId === undefined || rest === undefined ? undefined : { agentId, rest, chat: chatOf(rest) };
}

function chatOf(rest: string): KeyChat | undefined {
  const [, body = rest, kind, threadId] = /^([^:]+:.+):(thread|topic):([^:]+)$/.exec(rest) ?? [];
  const thread = threadId === undefined ? undefined : { kind: kind as "thread" | "topic", id: plain(threadId) };
  const direct = /^(?:([^:]+):)?(?:([^:]+):)?(?:direct|dm):([^:]+)$/.exec(body);
  if (direct?.[3] !== undefined) {
    const [, channel, account, id] = direct;
    return { type: "direct", id: plain(id), channel, accountId: account && plain(account), thread };
  }
  const [, channel, type, id] = /^([^:]+):(group|channel):([^:]+)$/.exec(body) ?? [];
  if (id === undefined) return undefined;
  return { type: type as "group" | "channel", id: plain(id), channel, accountId: undefined, thread };
}

/** The id that `keyPart` made this of. */
function plain(part: string): string {
  try {
    // `^-` marks an id that reads like a person's name (route.ts).
    return decodeURIComponent(
      part.replace(/^\^-/, "").replace(/\^([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
  } catch {
    return part; // another program wrote the key: its parts are what they are
  }
}
