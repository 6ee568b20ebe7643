import type { Config } from "../config/schema.ts";
import { knownProviders } from "./model-choice.ts";

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
  const variables = knownProviders.find(({ id }) => id === provider)?.variables ?? moreVariables[provider];
  if (variables?.some((name) => env[name] || typeof config.env[name] === "string")) return "env";
  // A provider of one's own at an address of one's own, such as a model server on this machine, may ask for no key.
  return own?.baseUrl !== undefined && variables === undefined ? "none" : undefined;
}

/** Providers that set-up does not offer, by the variables in which their API key is looked for (cli.md 8.16). */
const moreVariables: Readonly<Record<string, readonly string[]>> = {
  "vercel-ai-gateway": ["AI_GATEWAY_API_KEY"],
  xai: ["XAI_API_KEY"],
  groq: ["GROQ_API_KEY"],
  cerebras: ["CEREBRAS_API_KEY"],
  mistral: ["MISTRAL_API_KEY"],
  synthetic: ["SYNTHETIC_API_KEY"],
  "github-copilot": ["COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"],
};

function modelOf(reference: string): Model {
  const { provider, id } = splitReference(reference);
  return { id, provider, name: id, ...known[reference] };
}

function isInput(text: string): text is Input {
  return ["text", "image", "audio", "video", "document"].includes(text);
}

const textAndImage = ["text", "image"] as const;

/** What is known of models that people name without describing them. */
const known: Readonly<Record<string, Omit<Model, "id" | "provider">>> = {
  "anthropic/claude-opus-4-5": claude("Claude Opus 4.5"),
  "anthropic/claude-sonnet-4-5": claude("Claude Sonnet 4.5"),
  "anthropic/claude-haiku-4-5": claude("Claude Haiku 4.5"),
  "openai/gpt-5.2": { name: "GPT-5.2", contextWindow: 400_000, reasoning: true, input: textAndImage },
  "openai/gpt-5": { name: "GPT-5", contextWindow: 400_000, reasoning: true, input: textAndImage },
  "openai/gpt-5-mini": { name: "GPT-5 mini", contextWindow: 400_000, reasoning: true, input: textAndImage },
  "openai/gpt-4.1": { name: "GPT-4.1", contextWindow: 1_047_576, reasoning: false, input: textAndImage },
  "google/gemini-3-pro-preview": {
    name: "Gemini 3 Pro",
    contextWindow: 1_048_576,
    reasoning: true,
    input: textAndImage,
  },
  "google/gemini-2.5-pro": { name: "Gemini 2.5 Pro", contextWindow: 1_048_576, reasoning: true, input: textAndImage },
  "google/gemini-2.5-flash": {
    name: "Gemini 2.5 Flash",
    contextWindow: 1_048_576,
    reasoning: true,
    input: textAndImage,
  },
};

function claude(name: string): Omit<Model, "id" | "provider"> {
  return { name, contextWindow: 200_000, reasoning: true, input: textAndImage };
}
