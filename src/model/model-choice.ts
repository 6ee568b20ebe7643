import type { Host } from "../host/host.ts";
import { isObject } from "../kit/json.ts";
import { factsOf, providerFacts } from "../providers/facts.ts";

/** A provider of models that set-up offers. */
export interface KnownProvider {
  readonly id: string;
  readonly label: string;
  /** Environment variables that hold the API key. */
  readonly variables: readonly string[];
  /** The option of `onboard` that gives the API key. */
  readonly flag: ProviderFlag;
  /** Its name for `--auth-choice`. */
  readonly choice: string;
  /** The model to begin with, as `provider/model`. */
  readonly model: string;
}

export type ProviderFlag = Extract<(typeof providerFacts)[number], { setup: unknown }>["setup"]["flag"];

/** Providers in the order of preference when several keys are found. */
export const knownProviders: readonly KnownProvider[] = providerFacts.flatMap((facts) =>
  "setup" in facts
    ? [
        {
          id: facts.id,
          label: facts.label,
          variables: facts.variables,
          ...facts.setup,
          model: `${facts.id}/${facts.begin}`,
        },
      ]
    : [],
);

/** A model that works with what is here. */
export interface FoundModel {
  /** As `provider/model`. */
  readonly model: string;
  /** Where it was found, for a person: `ANTHROPIC_API_KEY`, `Ollama on this machine`. */
  readonly source: string;
  /** What `models.providers` needs to know for it; absent where nothing. */
  readonly providers?: Readonly<Record<string, unknown>>;
}

/** As much of `fetch` as is needed here. */
export type Ask = (url: string, options: { signal: AbortSignal }) => Promise<Response>;

/** Looks for a model to begin with: an API key in the environment, else an Ollama on this machine with a model. */
export async function findModel(host: Pick<Host, "env" | "net">, ask: Ask = fetch): Promise<FoundModel | undefined> {
  for (const { variables, model } of knownProviders) {
    const source = variables.find((name) => host.env[name]?.trim());
    if (source !== undefined) return { model, source };
  }
  const { hostname, port } = new URL(ollamaUrl());
  return (await host.net.reaches(hostname, Number(port), PATIENCE_MS)) ? findOllama(ask) : undefined;
}

const PATIENCE_MS = 300;

function ollamaUrl(): string {
  return factsOf("ollama")?.baseUrl ?? "";
}

async function findOllama(ask: Ask): Promise<FoundModel | undefined> {
  const names = await ollamaModels(ask);
  const [first] = names;
  if (first === undefined) return undefined;
  return {
    model: `ollama/${first}`,
    source: "Ollama on this machine",
    providers: {
      ollama: {
        baseUrl: `${ollamaUrl()}/v1`,
        api: "openai-completions",
        models: names.map((id) => ({ id, name: id })),
      },
    },
  };
}

/** Names of the installed models. Whatever answers there may be anything: what is no model name is left out. */
async function ollamaModels(ask: Ask): Promise<readonly string[]> {
  try {
    const answer = await ask(`${ollamaUrl()}/api/tags`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const value: unknown = answer.ok ? await answer.json() : undefined;
    const models = isObject(value) && Array.isArray(value["models"]) ? value["models"] : [];
    return models
      .map((model: unknown) => (isObject(model) ? model["name"] : undefined))
      .filter((name): name is string => typeof name === "string" && /^[\w.:/-]{1,128}$/.test(name))
      .slice(0, 50);
  } catch {
    return []; // too slow, or not Ollama: there is simply no model to offer
  }
}
