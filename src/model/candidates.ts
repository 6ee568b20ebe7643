import type { Config } from "../config/schema.ts";
import type { Credential, ModelSpec } from "../providers/provider.ts";
import type { CredentialStatus, Route } from "./accounts.ts";
import { restOf, type UsageStats } from "./cooldowns.ts";
import type { KeptProfile, Used } from "./keyring.ts";
import { isSendable, type ProviderEntry } from "./provider-entries.ts";

/** A credential that may be tried for a provider, and how it is now. */
export interface Candidate {
  readonly status: CredentialStatus;
  /** Absent where the endpoint asks for none. */
  readonly credential?: Credential | undefined;
}

export interface CandidateInput {
  readonly entry: ProviderEntry;
  readonly auth: Config["auth"];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly profiles: readonly KeptProfile[];
  readonly now: number;
  /** How credentials that are not stored have fared. */
  readonly statsOf: (credential: Used) => UsageStats;
}

/**
 * The credentials of one provider in the order in which they are tried: those of `auth.order`, then the profiles that
 * the configuration lists, then other stored ones, then the configuration's key and those of the environment; within a
 * group OAuth and tokens before keys, and the one that rested longest first. A profile goes to its own provider alone,
 * and a variable only to the provider that it is known for (threat A).
 */
export function candidatesOf(input: CandidateInput): readonly Candidate[] {
  const { entry, auth, environment, profiles, statsOf, now } = input;
  const ordered = auth.order[entry.id] ?? [];
  const listed = new Set(Object.keys(auth.profiles).filter((id) => auth.profiles[id]?.provider === entry.id));
  const stored = profiles
    .filter(({ provider }) => provider === entry.id)
    .map(({ id, type, secret, expires, email, stats }) =>
      candidateOf({ profileId: id, source: "profile", type, secret, expires, email, stats }, now),
    );
  const plain = (source: "config" | "env", profileId: string, secret: string): Candidate =>
    candidateOf({ profileId, source, type: "api_key", secret, stats: statsOf({ profileId, secret }) }, now);
  const configured = entry.apiKey === undefined ? [] : [plain("config", `config:${entry.id}`, entry.apiKey)];
  const fromEnvironment = entry.variables.flatMap((name) => {
    const secret = environment[name]?.trim();
    return secret ? [plain("env", `env:${name}`, secret)] : [];
  });

  const rank = ({ status }: Candidate): number => {
    const place = ordered.indexOf(status.profileId);
    if (place >= 0) return place;
    const group = { profile: listed.has(status.profileId) ? 0 : 1, config: 2, env: 3, none: 4 }[status.source];
    return ordered.length + group;
  };
  const all = [...stored, ...configured, ...fromEnvironment].toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      Number(a.status.type === "api_key") - Number(b.status.type === "api_key") ||
      (a.status.lastUsed ?? 0) - (b.status.lastUsed ?? 0),
  );
  return all.length === 0 && !entry.needsCredential ? [keyless(entry)] : all;
}

interface Found extends Pick<CredentialStatus, "profileId" | "source" | "type" | "expires" | "email"> {
  readonly secret: string;
  readonly stats: UsageStats;
}

function candidateOf({ secret, stats, ...found }: Found, now: number): Candidate {
  const rest = restOf(stats, now);
  const expired = found.expires !== undefined && found.expires <= now;
  const state = !isSendable(secret) ? "invalid" : expired ? "expired" : (rest?.why ?? "ready");
  return {
    status: { ...found, state, until: state === rest?.why ? rest.until : undefined, lastUsed: stats.lastUsed },
    credential: { kind: found.type === "api_key" ? "api-key" : "token", secret },
  };
}

function keyless({ id }: ProviderEntry): Candidate {
  return { status: { profileId: `none:${id}`, source: "none", type: "api_key", state: "ready" } };
}

/** The way to a model with one of its provider's credentials; the address is that provider's, always (threat A). */
export function routeOf(model: ModelSpec, { id, baseUrl, headers }: ProviderEntry, candidate: Candidate): Route {
  const { credential, status } = candidate;
  return { model, endpoint: { provider: id, baseUrl, headers, credential }, profileId: status.profileId };
}
