import type { Host } from "../host/host.ts";
import { isObject } from "../kit/json.ts";

/** A provider of models that set-up recognises by its API key. */
export interface KnownProvider {
  readonly id: string;
  readonly label: string;
  /** Environment variables that hold the API key. */
  readonly variables: readonly string[];
  /** The option of `onboard` that gives the API key. */
  readonly flag: `${string}-api-key`;
  /** Its name for `--auth-choice`. */
  readonly choice: string;
  /** The model to begin with, as `provider/model`. */
  readonly model: string;
}

/** Providers in the order of preference when several keys are found. */
export const knownProviders = [
  {
    id: "anthropic",
    label: "Anthropic",
    variables: ["ANTHROPIC_API_KEY"],
    flag: "anthropic-api-key",
    choice: "apiKey",
    model: "anthropic/claude-opus-4-5",
  },
  {
    id: "openai",
    label: "OpenAI",
    variables: ["OPENAI_API_KEY"],
    flag: "openai-api-key",
    choice: "openai-api-key",
    model: "openai/gpt-5.2",
  },
  {
    id: "openrouter",
    label: "OpenRouter",
    variables: ["OPENROUTER_API_KEY"],
    flag: "openrouter-api-key",
    choice: "openrouter-api-key",
    model: "openrouter/auto",
  },
  {
    id: "google",
    label: "Google Gemini",
    variables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    flag: "gemini-api-key",
    choice: "gemini-api-key",
    model: "google/gemini-3-pro-preview",
  },
  {
    id: "moonshot",
    label: "Moonshot",
    variables: ["MOONSHOT_API_KEY"],
    flag: "moonshot-api-key",
    choice: "moonshot-api-key",
    model: "moonshot/kimi-k2-0905-preview",
  },
  {
    id: "zai",
    label: "Z.AI",
    variables: ["ZAI_API_KEY"],
    flag: "zai-api-key",
    choice: "zai-api-key",
    model: "zai/glm-4.7",
  },
  {
    id: "minimax",
    label: "MiniMax",
    variables: ["MINIMAX_API_KEY"],
    flag: "minimax-api-key",
    choice: "minimax-api",
    model: "minimax/MiniMax-M2.1",
  },
  {
    id: "opencode",
    label: "OpenCode Zen",
    variables: ["OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"],
    flag: "opencode-zen-api-key",
    choice: "opencode-zen",
    model: "opencode/claude-opus-4-5",
  },
] as const satisfies readonly KnownProvider[];

export type ProviderFlag = (typeof knownProviders)[number]["flag"];

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
  return (await host.net.reaches("127.0.0.1", OLLAMA_PORT, PATIENCE_MS)) ? findOllama(ask) : undefined;
}

const OLLAMA_PORT = 11434;
const PATIENCE_MS = 300;

async function findOllama(ask: Ask): Promise<FoundModel | undefined> {
  const names = await ollamaModels(ask);
  const [first] = names;
  if (first === undefined) return undefined;
  return {
    model: `ollama/${first}`,
    source: "Ollama on this machine",
    providers: {
      ollama: {
        baseUrl: `http://127.0.0.1:${OLLAMA_PORT}/v1`,
        api: "openai-completions",
        models: names.map((id) => ({ id, name: id })),
      },
    },
  };
}

/** Names of the installed models. Whatever answers there may be anything: what is no model name is left out. */
async function ollamaModels(ask: Ask): Promise<readonly string[]> {
  try {
    const answer = await ask(`http://127.0.0.1:${OLLAMA_PORT}/api/tags`, { signal: AbortSignal.timeout(PATIENCE_MS) });
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
