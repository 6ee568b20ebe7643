import type { Config } from "../config/schema.ts";
import { factsOf, knownModel } from "../providers/facts.ts";

/** What an agent asks when nothing is configured. */
export const DEFAULT_MODEL = "anthropic/claude-opus-4-5";

export interface Model {
  /** The provider's name of it. */
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly contextWindow?: number | undefined;
  readonly reasoning?: boolean | undefined;
  readonly input?: readonly Input[] | undefined;
}

export type Input = "text" | "image" | "audio" | "video" | "document";

/** The models that are configured or referred to, each once: providers' own lists first, then `references`. */
export function modelsOf(config: Config, references: readonly string[]): readonly Model[] {
  const listed = Object.entries(config.models.providers).flatMap(([provider, { models }]) =>
    models.map((model): Model => {
      const { id, name = id, contextWindow, reasoning, input } = model;
      return { id, provider, name, contextWindow, reasoning, input: input?.filter(isInput) };
    }),
  );
  const rows = new Map(listed.map((model) => [`${model.provider}/${model.id}`, model]));
  for (const reference of references) if (!rows.has(reference)) rows.set(reference, modelOf(reference));
  return [...rows.values()];
}

/** `provider/model` taken apart at the first `/`, as models have slashes in their names too. */
export function splitReference(reference: string): { readonly provider: string; readonly id: string } {
  const slash = reference.indexOf("/");
  return { provider: reference.slice(0, slash), id: reference.slice(slash + 1) };
}

/** Where the credential for a provider comes from; `none` when it needs none; undefined when it is missing. */
export function credentialSource(
  config: Config,
  provider: string,
  env: Readonly<Record<string, string | undefined>>,
): "config" | "env" | "none" | undefined {
  const own = config.models.providers[provider];
  if (own?.apiKey !== undefined) return "config";
  const facts = factsOf(provider);
  if (facts?.variables.some((name) => env[name] || typeof config.env[name] === "string")) return "env";
  // A provider of one's own at an address of one's own, such as a model server on this machine, may ask for no key.
  const needsNone = facts ? facts.credential !== "required" : own?.baseUrl !== undefined;
  return needsNone ? "none" : undefined;
}

function modelOf(reference: string): Model {
  const { provider, id } = splitReference(reference);
  const model = knownModel(provider, id);
  if (!model) return { id, provider, name: id };
  const { name, contextWindow, reasoning, images } = model;
  return { id, provider, name, contextWindow, reasoning, input: images ? ["text", "image"] : ["text"] };
}

function isInput(text: string): text is Input {
  return ["text", "image", "audio", "video", "document"].includes(text);
}
