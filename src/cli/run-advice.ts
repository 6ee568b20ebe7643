import { factsOf } from "../providers/facts.ts";

export interface TroubledRun {
  readonly program: string;
  /** The kind of failure, as the gateway names it: `auth`, `rate_limit`, ... */
  readonly kind: string | undefined;
  readonly provider?: string | undefined;
  readonly sessionKey?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** What to do about a run that failed, a line each; empty where the failure itself is all that is known. */
export function adviceFor({ program, kind, provider, sessionKey, retryAfterMs }: TroubledRun): readonly string[] {
  switch (kind) {
    case "auth":
      return [`Fix: ${credentialAdvice(program, provider)}.`];
    case "billing":
      return [`Fix: add credit there, or take another model: ${program} models set <provider/model>`];
    case "no_model":
      return [`See: ${program} models list`];
    case "context_length":
      return [`Fix: ${program} sessions compact ${sessionKey ?? "<key>"}`];
    case "rate_limit":
    case "overloaded":
    case "timeout":
    case "network":
      return [retryAfterMs === undefined ? "Try again later." : `Try again in ${Math.ceil(retryAfterMs / 1000)}s.`];
    default:
      return [];
  }
}

/** How a provider gets its key: `export ANTHROPIC_API_KEY where the gateway runs and restart it, or run ...`. */
export function credentialAdvice(program: string, provider = "anthropic"): string {
  const [variable] = factsOf(provider)?.variables ?? [];
  const exported = variable === undefined ? `set models.providers.${provider}.apiKey` : `export ${variable}`;
  return `${exported} where the gateway runs and restart it, or run ${program} onboard`;
}
