import { agentsOf, type Agent } from "../agent/roster.ts";
import type { App } from "../app.ts";
import type { Config } from "../config/schema.ts";
import { Failure } from "../kit/error.ts";
import { agentOfKey, sessionKey } from "../session/key.ts";

/** Which session of which agent a client means. */
export interface Address {
  /** The full key, in lower case. */
  readonly key: string;
  readonly agentId: string;
}

/** Characters of a session key that a client may write. */
export const maxKey = 512;

/**
 * The session that a client names by a full or short key, by `agentId` where the key leaves the agent open. Throws
 * `invalid-request` for what is no key (threat M). The agent need not be there any more: what it said can be read.
 */
export function addressOf({ config }: Pick<App, "config">, written: string, agentId?: string): Address {
  const { value } = config.current();
  const agents = agentsOf(value);
  const named = agentId?.trim().toLowerCase();
  const text = checked(written);
  const key = complete(text, named ?? agents[0].id, value);
  const owner = agentOfKey(key) ?? named ?? agents[0].id.toLowerCase();
  if (named !== undefined && named !== owner) {
    throw new Failure("invalid-request", `agent "${agentId}" does not match session key agent "${owner}"`);
  }
  return { key, agentId: agents.find(({ id }) => id.toLowerCase() === owner)?.id ?? owner };
}

/** The same for what begins or changes something: the agent must be configured. */
export function addressOfAgent(app: Pick<App, "config">, written: string, agentId?: string): Address {
  const address = addressOf(app, written, agentId);
  requireAgent(app, address.agentId);
  return address;
}

/** The configured agent of this id; throws `not-found` in the words that clients know. */
export function requireAgent({ config }: Pick<App, "config">, id: string): Agent {
  const found = agentsOf(config.current().value).find((agent) => agent.id.toLowerCase() === id.toLowerCase());
  if (found) return found;
  throw new Failure("not-found", `Agent "${id}" no longer exists in configuration`);
}

/** The full key of the main session of an agent. */
export function mainKeyOf({ config }: Pick<App, "config">, agentId: string): string {
  return complete("main", agentId, config.current().value);
}

function checked(written: string): string {
  const text = written.trim();
  if (text === "") throw new Failure("invalid-request", "a session key is empty: write one such as main");
  if (text.length > maxKey) {
    throw new Failure("invalid-request", `a session key has ${text.length} characters: ${maxKey} are allowed`);
  }
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new Failure("invalid-request", `session key ${JSON.stringify(text)} has control characters in it`);
  }
  if (/^agent:/i.test(text) && !/^agent:[^:]+:./i.test(text)) {
    throw new Failure("invalid-request", `session key "${text}" is not complete: write agent:<id>:<name>`);
  }
  return text;
}

function complete(text: string, agentId: string, { session }: Config): string {
  return sessionKey(text, { agentId, mainKey: session.mainKey }).toLowerCase();
}
