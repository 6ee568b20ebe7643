import type { Config } from "../config/schema.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { ModelSpec } from "../providers/provider.ts";
import { referencesOf } from "./model-plan.ts";
import { modelsOf, referenceOf, strangerOf, usualAliasesOf } from "./model-specs.ts";
import { entriesOf, type ProviderEntry } from "./provider-entries.ts";

/** The models that a configuration and what is known of providers make together. Immutable, made anew per change. */
export interface Catalogue {
  /** Each once: those that the configuration describes, then those it refers to, then the rest that is known. */
  readonly models: readonly ModelSpec[];
  /** The configured providers first. */
  readonly providers: ReadonlyMap<string, ProviderEntry>;
  /** Configured providers that cannot be used, by id, with what to write instead. */
  readonly wrong: ReadonlyMap<string, string>;
  /** What a person should know, for the log. */
  readonly warnings: readonly string[];
  /** Short names by the configuration, in lower case, with the models they stand for. */
  readonly aliases: ReadonlyMap<string, ModelSpec>;
  /** Short names that are usual. */
  readonly usualAliases: ReadonlyMap<string, ModelSpec>;
  /** By configured alias, by `provider/id` (an id that is not known is taken as written), or by a bare id that is unique. */
  readonly find: (reference: string) => ModelSpec | undefined;
  /** What the configuration means by a name: usual aliases hold, and a model without a provider is Anthropic's. */
  readonly meant: (reference: string) => ModelSpec | undefined;
  readonly allowed: (model: ModelSpec) => boolean;
}

export function catalogueOf(config: Config): Catalogue {
  const { entries, wrong, odd } = entriesOf(config.models);
  const providers = new Map(entries.map((entry) => [entry.id, entry]));
  const { described, known, problems } = modelsOf(entries, config.models.mode);
  const shelf = new Map([...known, ...described].map((model) => [referenceOf(model), model]));
  const usualAliases = usualAliasesOf(known);
  const settings = Object.entries(config.agents.defaults.models ?? {});

  const aliases = new Map<string, ModelSpec>();
  const params = new Map<string, JsonObject>();
  const tuned = (model: ModelSpec): ModelSpec => withParams(model, params.get(referenceOf(model)));
  const look = (text: string): ModelSpec | undefined => {
    const alias = aliases.get(text.trim().toLowerCase());
    const model = alias ?? modelNamed(shelf, providers, text.trim());
    return model && tuned(model);
  };
  const meant = (text: string): ModelSpec | undefined =>
    look(text) ??
    usualAliases.get(text.trim().toLowerCase()) ??
    (text.includes("/") ? undefined : look(`anthropic/${text.trim()}`));

  const listed = settings.flatMap(([name, value]) => {
    const model = name.endsWith(ALL) ? undefined : meant(name);
    if (!model) return [];
    if (isObject(value) && isObject(value["params"])) params.set(referenceOf(model), value["params"]);
    return [{ model, alias: isObject(value) ? value["alias"] : undefined }];
  });
  for (const { model, alias } of listed)
    if (typeof alias === "string" && alias.trim() !== "") aliases.set(alias.trim().toLowerCase(), tuned(model));

  const referred = referencesOf(config).flatMap((name) => (name.endsWith(ALL) ? [] : (meant(name) ?? [])));
  const inOrder = new Map([...described, ...referred, ...known].map((model) => [referenceOf(model), model]));
  const allowList = new Set(listed.map(({ model }) => referenceOf(model)));
  const whole = new Set(settings.flatMap(([name]) => (name.endsWith(ALL) ? [name.slice(0, -ALL.length)] : [])));
  return {
    models: [...inOrder.values()].map(tuned),
    providers,
    wrong,
    warnings: [...wrong.values(), ...problems, ...odd],
    aliases,
    usualAliases,
    find: look,
    meant,
    allowed: (model) => settings.length === 0 || allowList.has(referenceOf(model)) || whole.has(model.provider),
  };
}

/** Ends a name that allows all models of a provider. */
const ALL = "/*";

function modelNamed(
  shelf: ReadonlyMap<string, ModelSpec>,
  providers: ReadonlyMap<string, ProviderEntry>,
  reference: string,
): ModelSpec | undefined {
  const slash = reference.indexOf("/");
  const entry = slash > 0 ? entryNamed(providers, reference.slice(0, slash)) : undefined;
  const id = reference.slice(slash + 1);
  const same = (model: ModelSpec, name: string): boolean => model.id.toLowerCase() === name.toLowerCase();
  if (entry && id !== "")
    return (
      shelf.get(`${entry.id}/${id}`) ??
      [...shelf.values()].find((model) => model.provider === entry.id && same(model, id)) ??
      strangerOf(entry, id)
    );
  const [only, ...others] = [...shelf.values()].filter((model) => same(model, reference));
  return others.length === 0 ? only : undefined;
}

function entryNamed(providers: ReadonlyMap<string, ProviderEntry>, name: string): ProviderEntry | undefined {
  return providers.get(name) ?? [...providers.values()].find(({ id }) => id.toLowerCase() === name.toLowerCase());
}

function withParams(model: ModelSpec, params: JsonObject | undefined): ModelSpec {
  const { maxTokens, temperature } = params ?? {};
  return {
    ...model,
    ...(Number.isInteger(maxTokens) && Number(maxTokens) > 0 ? { maxTokens: Number(maxTokens) } : {}),
    ...(typeof temperature === "number" && temperature >= 0 && temperature <= 2 ? { temperature } : {}),
  };
}
