import type { ModelSpec } from "../providers/provider.ts";
import type { CredentialStatus } from "./accounts.ts";
import type { Candidate } from "./candidates.ts";
import type { Catalogue } from "./catalogue.ts";
import { referenceOf } from "./model-specs.ts";
import type { ProviderEntry } from "./provider-entries.ts";

/** A model that was to be asked, and the credentials there are for it. */
export interface Tried {
  readonly model: ModelSpec;
  readonly entry: ProviderEntry;
  readonly candidates: readonly Candidate[];
}

interface Situation {
  /** The name that the program is called by. */
  readonly program: string;
  readonly now: number;
  /** The credential that the session is held to. */
  readonly pinned?: string | undefined;
}

/** Why a name stands for no model, and what to do: a sentence for a person. */
export function whyNoModel(name: string, { wrong }: Pick<Catalogue, "wrong">, program: string): string {
  const provider = name.slice(0, Math.max(name.indexOf("/"), 0));
  const problem = wrong.get(provider);
  const shown = JSON.stringify(name.slice(0, 100));
  return problem === undefined
    ? `there is no model ${shown}: write provider/model; "${program} models list" shows what there is`
    : `the model ${shown} cannot be asked: ${problem}`;
}

/** Why none of the models can be asked now, and what to do: a sentence for each. */
export function whyNoRoute(tried: readonly Tried[], situation: Situation): string {
  return tried.map((one) => `${referenceOf(one.model)} ${whyNot(one, situation)}`).join("; ");
}

function whyNot({ entry, candidates }: Tried, { program, now, pinned }: Situation): string {
  if (candidates.length > 0)
    return candidates.map(({ status }) => `${status.profileId} ${stateText(status, now)}`).join(", ");
  if (pinned?.startsWith(`${entry.id}:`) === true)
    return `is to be asked with the credential ${pinned.slice(0, 100)}, which is not there any more: choose a model again with /model`;
  const variables = entry.variables.length > 0 ? `set ${entry.variables.join(" or ")}, ` : "";
  return `has no credential: ${variables}write models.providers.${entry.id}.apiKey into the configuration, or run "${program} onboard"`;
}

function stateText({ state, until = 0 }: CredentialStatus, now: number): string {
  const rests = `rests for ${duration(until - now)}`;
  return {
    ready: "is ready",
    cooldown: `${rests} after the provider had enough for a while`,
    billing: `${rests}: the provider says that there is no credit; add some, or take another account`,
    "auth-failed": `${rests}: the provider refused it; replace it`,
    expired: "has expired: log in again with the program that made it",
    invalid: "holds characters that no credential has: copy it again",
  }[state];
}

function duration(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  return minutes < 120 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}
