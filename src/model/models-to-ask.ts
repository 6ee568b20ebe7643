import type { Config } from "../config/schema.ts";
import type { ModelSpec } from "../providers/provider.ts";
import type { RouteInput } from "./accounts.ts";
import type { Catalogue } from "./catalogue.ts";
import { whyNoModel } from "./explain-routes.ts";
import { planOf } from "./model-plan.ts";
import { referenceOf } from "./model-specs.ts";
import { DEFAULT_MODEL } from "./models.ts";
import type { ProviderEntry } from "./provider-entries.ts";

export interface ModelsToAsk {
  /** Each once, the first choice first. */
  readonly models: readonly ModelSpec[];
  /** Why there is none: a sentence for a person. */
  readonly problem?: string | undefined;
}

export interface ModelContext {
  readonly config: Config;
  readonly catalogue: Catalogue;
  /** The name that the program is called by. */
  readonly program: string;
  readonly find: (reference: string) => ModelSpec | undefined;
  readonly hasCredential: (entry: ProviderEntry) => boolean;
}

/**
 * The models to try for a request, in order: what was asked for, else the session's, else the agent's, and then the
 * agent's fallbacks. A choice that stands for no model is a problem, never a reason to take another: somebody may have
 * chosen it so that a conversation stays in the house.
 */
export function modelsToAsk({ agentId, row, reference, images }: RouteInput, context: ModelContext): ModelsToAsk {
  const { config, catalogue, program, find } = context;
  const plan = planOf(config, agentId);
  const chosen = reference ?? overrideOf(row) ?? plan.primary;
  const first = chosen === undefined ? beginning(context) : (find(chosen) ?? catalogue.meant(chosen));
  if (!first) return { models: [], problem: whyNoModel(chosen ?? "", catalogue, program) };
  const named = (names: readonly string[]) => names.flatMap((name) => catalogue.meant(name) ?? []);
  const usual = [first, ...named(plan.fallbacks)];
  const models = images === true ? seeingFirst(usual, named(plan.images)) : usual;
  return { models: [...new Map(models.map((model) => [referenceOf(model), model])).values()] };
}

function overrideOf(row: RouteInput["row"]): string | undefined {
  if (row?.modelOverride === undefined) return undefined;
  return row.providerOverride === undefined ? row.modelOverride : `${row.providerOverride}/${row.modelOverride}`;
}

/** What to ask when nobody chose: the first model of a provider that there is a credential for, else the built-in one. */
function beginning({ catalogue: { providers, find }, hasCredential }: ModelContext): ModelSpec | undefined {
  const usual = [...providers.values()].flatMap(({ id, facts, own }) => {
    const begin = own?.models[0]?.id ?? facts?.begin;
    return begin === undefined || facts?.credential === "none" ? [] : [`${id}/${begin}`];
  });
  const models = [DEFAULT_MODEL, ...usual].flatMap((name) => find(name) ?? []);
  const usable = models.find(({ provider }) => {
    const entry = providers.get(provider);
    return entry !== undefined && hasCredential(entry);
  });
  return usable ?? find("clawlet/echo");
}

/** For pictures: models that can see before those that cannot. The image models stand in for a first one that cannot. */
function seeingFirst(usual: readonly ModelSpec[], imageModels: readonly ModelSpec[]): readonly ModelSpec[] {
  const seeing = usual.filter(({ images }) => images);
  const blind = usual.filter(({ images }) => !images);
  return usual[0]?.images === true
    ? [usual[0], ...imageModels, ...seeing, ...blind]
    : [...imageModels, ...seeing, ...blind];
}
