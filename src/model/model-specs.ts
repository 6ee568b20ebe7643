import { knownModelsOf, type KnownModel } from "../providers/facts.ts";
import { apis, type ModelSpec, type ThinkingLevel, thinkingLevels } from "../providers/provider.ts";
import { isApi, type OwnProvider, type ProviderEntry } from "./provider-entries.ts";

export interface Models {
  /** As the configuration describes them. */
  readonly described: readonly ModelSpec[];
  readonly known: readonly KnownModel[];
  /** Models that cannot be used, and what to write instead. */
  readonly problems: readonly string[];
}

/** The models of all providers. With `mode: replace` a configured provider has only those that are described. */
export function modelsOf(entries: readonly ProviderEntry[], mode: "merge" | "replace"): Models {
  const known = entries.flatMap((entry) => (mode === "replace" && entry.own ? [] : knownOf(entry)));
  const rows = entries.flatMap((entry) => (entry.own?.models ?? []).map((row) => ({ entry, row })));
  const isRight = ({ row: { api } }: (typeof rows)[number]): boolean => api === undefined || isApi(api);
  return {
    described: rows.filter(isRight).map(({ entry, row }) => described(entry, row)),
    known,
    problems: rows
      .filter((each) => !isRight(each))
      .map(
        ({ entry, row }) =>
          `models.providers.${entry.id}.models: the api of ${JSON.stringify(row.id.slice(0, 60))} must be one of ${apis.join(", ")}; the model is left out`,
      ),
  };
}

/** A model of a provider of which nothing else is known: cautious, so that requests fit. */
export function strangerOf({ id: provider, api, facts }: ProviderEntry, id: string): ModelSpec {
  const compat = facts?.api === api ? facts.compat : undefined;
  return {
    provider,
    id,
    name: id,
    api,
    reasoning: false,
    images: false,
    contextWindow: 128_000,
    maxTokens: 8_192,
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    compat: compat ?? {},
  };
}

/** `provider/id`. */
export function referenceOf({ provider, id }: Pick<ModelSpec, "provider" | "id">): string {
  return `${provider}/${id}`;
}

export function usualAliasesOf(known: readonly KnownModel[]): ReadonlyMap<string, ModelSpec> {
  return new Map(known.flatMap((model) => (model.alias === undefined ? [] : [[model.alias, model] as const])));
}

/** How hard a model can be told to think; `off` alone for one that does not (cli.md 8.4). */
export function thinkingLevelsOf({ id, reasoning, compat }: ModelSpec): readonly ThinkingLevel[] {
  if (!reasoning) return ["off"];
  const efforts = typeof compat["efforts"] === "string" ? compat["efforts"].split(" ") : undefined;
  // These are told to think or not to think, and no more.
  if (compat["thinkingFormat"] === "zai" && efforts === undefined) return ["off", "low"];
  const hasMost = efforts ? efforts.includes("xhigh") : /gpt-5\.[2-9]|codex/.test(id);
  return thinkingLevels.filter((level) => level !== "xhigh" || hasMost);
}

/** The level nearest to the one wanted, of those that the model has; by itself a model that can think does so a little. */
export function thinkingFor(model: ModelSpec, wanted: ThinkingLevel | undefined): ThinkingLevel {
  const levels = thinkingLevelsOf(model);
  const rank = thinkingLevels.indexOf(wanted ?? "low");
  return levels.findLast((level) => thinkingLevels.indexOf(level) <= rank) ?? "off";
}

function knownOf({ facts, api, id: provider }: ProviderEntry): readonly KnownModel[] {
  if (!facts) return [];
  // Where the configuration speaks another dialect with a known provider, what is known of the first does not hold.
  return knownModelsOf(facts).map((model) => (facts.api === api ? model : { ...model, provider, api, compat: {} }));
}

type OwnModel = OwnProvider["models"][number];

function described(entry: ProviderEntry, row: OwnModel): ModelSpec {
  const base = knownOf(entry).find(({ id }) => id === row.id) ?? strangerOf(entry, row.id);
  const { provider, id, api, reasoning, images, contextWindow, maxTokens, cost, compat } = base;
  return {
    provider,
    id,
    name: row.name ?? base.name,
    api: row.api !== undefined && isApi(row.api) ? row.api : api,
    reasoning: row.reasoning ?? reasoning,
    images: row.input?.includes("image") ?? images,
    contextWindow: row.contextWindow ?? contextWindow,
    maxTokens: row.maxTokens ?? Math.min(maxTokens, row.contextWindow ?? contextWindow),
    cost: row.cost ? costOf(row.cost) : cost,
    compat: { ...compat, ...compatOf(row.compat) },
  };
}

function costOf({ input, output, cacheRead, cacheWrite }: NonNullable<OwnModel["cost"]>): ModelSpec["cost"] {
  return { input, output, cacheRead, cacheWrite };
}

function compatOf(compat: OwnModel["compat"]): ModelSpec["compat"] {
  return Object.fromEntries(
    Object.entries(compat ?? {}).filter(
      (entry): entry is [string, string | boolean] => typeof entry[1] === "string" || typeof entry[1] === "boolean",
    ),
  );
}
