import type { Endpoint, ModelSpec, ThinkingLevel } from "../providers/provider.ts";
import type { FailureKind } from "../providers/provider-failure.ts";
import type { SessionRow } from "../session/sessions.ts";

/** Which models there are, what they cost, and how to reach each of them now. */
export interface Accounts {
  /** Every model that is configured or known of, each once. */
  models(): readonly ModelSpec[];
  /** The model that a person means: `provider/id`, a bare id, or an alias; undefined when there is none such. */
  find(reference: string): ModelSpec | undefined;
  /** What an agent asks unless a session says otherwise, as far as its credentials are known now. */
  primary(agentId: string): ModelSpec | undefined;
  /** `/model` may choose it: `agents.defaults.models` is an allow list when it is not empty. */
  allowed(model: ModelSpec): boolean;
  aliases(): ReadonlyMap<string, string>;
  /**
   * What to try for a request, in order: the session's model (or `reference`) with each of its credentials that may be
   * used, then each fallback likewise. Empty when nothing can be asked at all.
   */
  routes(input: RouteInput): Promise<readonly Route[]>;
  /** Why `routes` is empty, and what to do about it. */
  explain(input: RouteInput): Promise<string>;
  /** What came of a try: a failure puts the credential aside for a while (cli.md 8.16), a success brings it back. */
  report(route: Route, outcome: "ok" | FailureKind, retryAfterMs?: number): Promise<void>;
  thinkingLevels(model: ModelSpec): readonly ThinkingLevel[];
  defaultThinking(model: ModelSpec): ThinkingLevel;
  /** The credentials behind the routes, for whoever looks after them. */
  readonly credentials: Credentials;
}

/** What is known of the credentials for models, and what may be done with them. No secret leaves through it. */
export interface Credentials {
  /** Every provider that is configured or known of, each with its credentials in the order in which they are tried. */
  providers(agentId: string): Promise<readonly ProviderStatus[]>;
  /** Sends a provider a tiny request with each of its credentials, or with the one named. */
  probe(target: ProbeTarget, signal: AbortSignal): Promise<readonly ProbeResult[]>;
  /** Forgets stored profiles of a provider, all of them unless some are named. Answers which are gone from the disk. */
  remove(target: { agentId: string; provider: string; profileIds?: readonly string[] }): Promise<readonly string[]>;
}

export interface ProviderStatus {
  readonly provider: string;
  readonly label: string;
  /** It is on this machine or in a private network. */
  readonly local: boolean;
  /** Environment variables in which its key is looked for. */
  readonly variables: readonly string[];
  /** Empty when there is none and one is needed. */
  readonly credentials: readonly CredentialStatus[];
}

export interface CredentialStatus {
  readonly profileId: string;
  /** `none` stands for an endpoint that asks for no credential. */
  readonly source: "profile" | "config" | "env" | "none";
  readonly type: "api_key" | "token" | "oauth";
  /** `invalid` holds characters that no credential has. */
  readonly state: "ready" | "cooldown" | "billing" | "auth-failed" | "expired" | "invalid";
  /** When it may be used again, unless its state is `ready`; milliseconds since 1970 like the others. */
  readonly until?: number | undefined;
  readonly expires?: number | undefined;
  readonly lastUsed?: number | undefined;
  readonly email?: string | undefined;
}

export interface ProbeTarget {
  readonly agentId: string;
  readonly provider: string;
  readonly profileId?: string | undefined;
  /** For each request. */
  readonly timeoutMs: number;
}

export interface ProbeResult {
  readonly profileId: string;
  readonly outcome: "ok" | FailureKind;
  readonly latencyMs: number;
  /** For a person, without the secret. */
  readonly error?: string | undefined;
}

export interface RouteInput {
  readonly agentId: string;
  readonly row?: Pick<SessionRow, "providerOverride" | "modelOverride" | "authProfileOverride"> | undefined;
  /** Over the session's and the agent's. */
  readonly reference?: string | undefined;
  /** The request has pictures: models that cannot see come last, the agent's image model first. */
  readonly images?: boolean | undefined;
}

export interface Route {
  readonly model: ModelSpec;
  readonly endpoint: Endpoint;
  /** The credential's name, such as `anthropic:default` or `env:ANTHROPIC_API_KEY`; never the secret. */
  readonly profileId: string;
}
