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
