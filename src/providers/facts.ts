import type { Api, ModelSpec } from "./provider.ts";

/** What is known of a provider of models without asking it or being told. */
export interface ProviderFacts {
  /** The id in model references. */
  readonly id: string;
  readonly label: string;
  readonly api: Api;
  readonly baseUrl: string;
  /** Environment variables in which its API key is looked for, in this order. */
  readonly variables: readonly string[];
  /** `optional`: a server on one's own machine, which may want no key. */
  readonly credential: "required" | "optional" | "none";
  /** The model to begin with, by the provider's name; absent where it depends on what is installed. */
  readonly begin?: string;
  /** Where the endpoint differs from its dialect; the dialect's file says what each key means. */
  readonly compat?: Compat;
  /** How set-up speaks of it; absent where set-up does not offer it. */
  readonly setup?: SetupFacts;
  /** The models that people name without describing them. */
  readonly models: readonly ModelRow[];
}

export interface SetupFacts {
  /** The option of `onboard` that gives the API key. */
  readonly flag: `${string}-api-key`;
  /** Its name for `--auth-choice`. */
  readonly choice: string;
}

type Compat = ModelSpec["compat"];

type ModelRow = readonly [
  id: string,
  name: string,
  contextWindow: number,
  maxTokens: number,
  abilities: "" | "thinks" | "sees" | "thinks sees",
  /** US dollars for a million tokens; empty where it is free, unknown or depends on what is chosen. */
  prices: readonly [] | readonly [input: number, output: number, cacheRead?: number, cacheWrite?: number],
  more?: {
    /** Short name for `/model`. */
    readonly alias?: string;
    /** Where it is not the provider's. */
    readonly api?: Api;
    /** Over the provider's. */
    readonly compat?: Compat;
  },
];

// The values of OpenAI's `reasoning_effort` that a model accepts.
const upToHigh = { compat: { efforts: "low medium high" } };
const gpt5 = { compat: { efforts: "minimal low medium high" } };
const gpt51 = { compat: { efforts: "none low medium high" } };
const gpt52 = { compat: { efforts: "none low medium high xhigh" } };
const highOrMax = { compat: { efforts: "high max" } };
/** Nobody is told how hard to think: it always does, or the endpoint takes no such field. */
const untold = { compat: { thinkingFormat: "none" } };
const zenResponses = { api: "openai-responses", ...gpt52 } as const;

/**
 * The providers that are known, the preferred ones first. Prices, windows and efforts are the public ones of July 2026,
 * from the providers' own pages as gathered at https://models.dev; where a price rises with the length of the prompt, it
 * is that of short ones.
 */
export const providerFacts = [
  {
    id: "anthropic",
    label: "Anthropic",
    api: "anthropic-messages",
    baseUrl: "https://api.anthropic.com",
    variables: ["ANTHROPIC_API_KEY"],
    credential: "required",
    begin: "claude-opus-4-5",
    setup: { flag: "anthropic-api-key", choice: "apiKey" },
    models: [
      ["claude-opus-4-5", "Claude Opus 4.5", 200_000, 64_000, "thinks sees", [5, 25, 0.5, 6.25], { alias: "opus" }],
      ["claude-opus-4-6", "Claude Opus 4.6", 1_000_000, 128_000, "thinks sees", [5, 25, 0.5, 6.25]],
      ["claude-opus-4-7", "Claude Opus 4.7", 1_000_000, 128_000, "thinks sees", [5, 25, 0.5, 6.25]],
      ["claude-opus-4-8", "Claude Opus 4.8", 1_000_000, 128_000, "thinks sees", [5, 25, 0.5, 6.25]],
      [
        "claude-sonnet-4-5",
        "Claude Sonnet 4.5",
        200_000,
        64_000,
        "thinks sees",
        [3, 15, 0.3, 3.75],
        { alias: "sonnet" },
      ],
      ["claude-sonnet-4-6", "Claude Sonnet 4.6", 1_000_000, 64_000, "thinks sees", [3, 15, 0.3, 3.75]],
      ["claude-sonnet-5", "Claude Sonnet 5", 1_000_000, 128_000, "thinks sees", [2, 10, 0.2, 2.5]],
      ["claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, "thinks sees", [1, 5, 0.1, 1.25]],
    ],
  },
  {
    id: "openai",
    label: "OpenAI",
    api: "openai-responses",
    baseUrl: "https://api.openai.com/v1",
    variables: ["OPENAI_API_KEY"],
    credential: "required",
    begin: "gpt-5.2",
    compat: { supportsDeveloperRole: true, maxTokensField: "max_completion_tokens", supportsPromptCacheKey: true },
    setup: { flag: "openai-api-key", choice: "openai-api-key" },
    models: [
      ["gpt-5.2", "GPT-5.2", 400_000, 128_000, "thinks sees", [1.75, 14, 0.175], { alias: "gpt", ...gpt52 }],
      ["gpt-5.5", "GPT-5.5", 1_050_000, 128_000, "thinks sees", [5, 30, 0.5], gpt52],
      ["gpt-5.4", "GPT-5.4", 1_050_000, 128_000, "thinks sees", [2.5, 15, 0.25], gpt52],
      ["gpt-5.4-mini", "GPT-5.4 mini", 400_000, 128_000, "thinks sees", [0.75, 4.5, 0.075], gpt52],
      ["gpt-5.1", "GPT-5.1", 400_000, 128_000, "thinks sees", [1.25, 10, 0.125], gpt51],
      ["gpt-5", "GPT-5", 400_000, 128_000, "thinks sees", [1.25, 10, 0.125], gpt5],
      ["gpt-5-mini", "GPT-5 mini", 400_000, 128_000, "thinks sees", [0.25, 2, 0.025], { alias: "gpt-mini", ...gpt5 }],
      ["gpt-5-nano", "GPT-5 nano", 400_000, 128_000, "thinks sees", [0.05, 0.4, 0.005], gpt5],
      ["o3", "o3", 200_000, 100_000, "thinks sees", [2, 8, 0.5], upToHigh],
      ["o4-mini", "o4-mini", 200_000, 100_000, "thinks sees", [1.1, 4.4, 0.275], upToHigh],
      ["gpt-4.1", "GPT-4.1", 1_047_576, 32_768, "sees", [2, 8, 0.5]],
      ["gpt-4.1-mini", "GPT-4.1 mini", 1_047_576, 32_768, "sees", [0.4, 1.6, 0.1]],
      ["gpt-4o", "GPT-4o", 128_000, 16_384, "sees", [2.5, 10, 1.25]],
      ["gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, "sees", [0.15, 0.6, 0.075]],
    ],
  },
  {
    id: "openrouter",
    label: "OpenRouter",
    api: "openai-completions",
    baseUrl: "https://openrouter.ai/api/v1",
    variables: ["OPENROUTER_API_KEY"],
    credential: "required",
    begin: "auto",
    // Its own routers are `openrouter/auto` and the like, which here is the model `auto` of the provider `openrouter`.
    compat: { thinkingFormat: "openrouter", bareModelPrefix: "openrouter/", cacheControl: "anthropic/" },
    setup: { flag: "openrouter-api-key", choice: "openrouter-api-key" },
    models: [
      ["auto", "OpenRouter Auto", 200_000, 64_000, "thinks sees", []],
      ["anthropic/claude-opus-4.5", "Claude Opus 4.5", 200_000, 64_000, "thinks sees", [5, 25, 0.5, 6.25]],
      ["anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5", 1_000_000, 64_000, "thinks sees", [3, 15, 0.3, 3.75]],
      ["openai/gpt-5.2", "GPT-5.2", 400_000, 128_000, "thinks sees", [1.75, 14, 0.175], gpt52],
      ["google/gemini-3.1-pro-preview", "Gemini 3.1 Pro", 1_048_576, 65_536, "thinks sees", [2, 12, 0.2], upToHigh],
      ["deepseek/deepseek-v4-flash", "DeepSeek V4 Flash", 1_048_575, 65_536, "thinks", [0.098, 0.196, 0.02]],
    ],
  },
  {
    id: "google",
    label: "Google Gemini",
    api: "google-generative-ai",
    baseUrl: "https://generativelanguage.googleapis.com",
    variables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    credential: "required",
    begin: "gemini-3.1-pro-preview",
    setup: { flag: "gemini-api-key", choice: "gemini-api-key" },
    models: [
      ["gemini-3.1-pro-preview", "Gemini 3.1 Pro", 1_048_576, 65_536, "thinks sees", [2, 12, 0.2], { alias: "gemini" }],
      ["gemini-3-pro-preview", "Gemini 3 Pro", 1_048_576, 65_536, "thinks sees", [2, 12, 0.2]],
      ["gemini-3.5-flash", "Gemini 3.5 Flash", 1_048_576, 65_536, "thinks sees", [1.5, 9, 0.15]],
      [
        "gemini-3-flash-preview",
        "Gemini 3 Flash",
        1_048_576,
        65_536,
        "thinks sees",
        [0.5, 3, 0.05],
        { alias: "gemini-flash" },
      ],
      ["gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536, "thinks sees", [1.25, 10, 0.125]],
      ["gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536, "thinks sees", [0.3, 2.5, 0.03]],
      ["gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 1_048_576, 65_536, "thinks sees", [0.1, 0.4, 0.01]],
    ],
  },
  {
    id: "moonshot",
    label: "Moonshot",
    api: "openai-completions",
    baseUrl: "https://api.moonshot.ai/v1",
    variables: ["MOONSHOT_API_KEY"],
    credential: "required",
    begin: "kimi-k2-0905-preview",
    compat: { thinkingFormat: "zai", replaysReasoning: true, supportsPromptCacheKey: true },
    setup: { flag: "moonshot-api-key", choice: "moonshot-api-key" },
    models: [
      ["kimi-k2-0905-preview", "Kimi K2 0905", 262_144, 262_144, "", [0.6, 2.5, 0.15]],
      ["kimi-k2.6", "Kimi K2.6", 262_144, 262_144, "thinks sees", [0.95, 4, 0.16]],
      ["kimi-k2.5", "Kimi K2.5", 262_144, 262_144, "thinks sees", [0.6, 3, 0.1]],
      ["kimi-k2-thinking", "Kimi K2 Thinking", 262_144, 262_144, "thinks", [0.6, 2.5, 0.15], untold],
    ],
  },
  {
    id: "zai",
    label: "Z.AI",
    api: "openai-completions",
    baseUrl: "https://api.z.ai/api/paas/v4",
    variables: ["ZAI_API_KEY"],
    credential: "required",
    begin: "glm-4.7",
    compat: { thinkingFormat: "zai", replaysReasoning: true },
    setup: { flag: "zai-api-key", choice: "zai-api-key" },
    models: [
      ["glm-4.7", "GLM-4.7", 204_800, 131_072, "thinks", [0.6, 2.2, 0.11]],
      ["glm-5.2", "GLM-5.2", 1_000_000, 131_072, "thinks", [1.4, 4.4, 0.26], highOrMax],
      ["glm-5", "GLM-5", 204_800, 131_072, "thinks", [1, 3.2, 0.2]],
      ["glm-4.6", "GLM-4.6", 204_800, 131_072, "thinks", [0.6, 2.2, 0.11]],
    ],
  },
  {
    id: "minimax",
    label: "MiniMax",
    api: "anthropic-messages",
    baseUrl: "https://api.minimax.io/anthropic",
    variables: ["MINIMAX_API_KEY"],
    credential: "required",
    begin: "MiniMax-M2.1",
    setup: { flag: "minimax-api-key", choice: "minimax-api" },
    models: [
      ["MiniMax-M2.1", "MiniMax M2.1", 204_800, 131_072, "thinks", [0.3, 1.2, 0.03, 0.375]],
      ["MiniMax-M2.5", "MiniMax M2.5", 204_800, 131_072, "thinks", [0.3, 1.2, 0.03, 0.375]],
      ["MiniMax-M3", "MiniMax M3", 1_000_000, 128_000, "thinks sees", [0.3, 1.2, 0.06]],
    ],
  },
  {
    id: "opencode",
    label: "OpenCode Zen",
    // Zen speaks each model in its maker's dialect (https://opencode.ai/docs/zen); this is the one of most.
    api: "openai-completions",
    baseUrl: "https://opencode.ai/zen/v1",
    variables: ["OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"],
    credential: "required",
    begin: "claude-opus-4-5",
    setup: { flag: "opencode-zen-api-key", choice: "opencode-zen" },
    models: [
      [
        "claude-opus-4-5",
        "Claude Opus 4.5",
        200_000,
        64_000,
        "thinks sees",
        [5, 25, 0.5, 6.25],
        { api: "anthropic-messages" },
      ],
      [
        "claude-sonnet-4-5",
        "Claude Sonnet 4.5",
        1_000_000,
        64_000,
        "thinks sees",
        [3, 15, 0.3, 3.75],
        { api: "anthropic-messages" },
      ],
      ["gpt-5.5", "GPT-5.5", 1_050_000, 128_000, "thinks sees", [5, 30, 0.5], zenResponses],
      ["gpt-5.4", "GPT-5.4", 1_050_000, 128_000, "thinks sees", [2.5, 15, 0.25], zenResponses],
      ["gpt-5.2", "GPT-5.2", 400_000, 128_000, "thinks sees", [1.75, 14, 0.175], zenResponses],
      [
        "kimi-k2.6",
        "Kimi K2.6",
        262_144,
        65_536,
        "thinks sees",
        [0.95, 4, 0.16],
        { compat: { thinkingFormat: "none", replaysReasoning: true } },
      ],
    ],
  },
  {
    id: "groq",
    label: "Groq",
    api: "openai-completions",
    baseUrl: "https://api.groq.com/openai/v1",
    variables: ["GROQ_API_KEY"],
    credential: "required",
    begin: "openai/gpt-oss-120b",
    models: [
      ["openai/gpt-oss-120b", "GPT-OSS 120B", 131_072, 65_536, "thinks", [0.15, 0.6, 0.075], upToHigh],
      ["llama-3.3-70b-versatile", "Llama 3.3 70B", 131_072, 32_768, "", [0.59, 0.79]],
      ["llama-3.1-8b-instant", "Llama 3.1 8B", 131_072, 131_072, "", [0.05, 0.08]],
    ],
  },
  {
    id: "mistral",
    label: "Mistral",
    api: "openai-completions",
    baseUrl: "https://api.mistral.ai/v1",
    variables: ["MISTRAL_API_KEY"],
    credential: "required",
    begin: "mistral-large-latest",
    // It reports usage unasked and refuses fields that it does not know.
    compat: { requiresMistralToolIds: true, requiresToolResultName: true, supportsUsageInStreaming: false },
    models: [
      ["mistral-large-latest", "Mistral Large", 262_144, 262_144, "sees", [0.5, 1.5]],
      ["mistral-medium-latest", "Mistral Medium", 262_144, 262_144, "sees", [0.4, 2]],
      [
        "mistral-small-latest",
        "Mistral Small",
        256_000,
        256_000,
        "thinks sees",
        [0.15, 0.6],
        { compat: { efforts: "none high" } },
      ],
      ["magistral-medium-latest", "Magistral Medium", 128_000, 16_384, "thinks", [2, 5], untold],
      ["codestral-latest", "Codestral", 256_000, 4_096, "", [0.3, 0.9]],
    ],
  },
  {
    id: "deepseek",
    label: "DeepSeek",
    api: "openai-completions",
    baseUrl: "https://api.deepseek.com",
    variables: ["DEEPSEEK_API_KEY"],
    credential: "required",
    begin: "deepseek-v4-flash",
    compat: { thinkingFormat: "zai", replaysReasoning: true },
    models: [
      ["deepseek-v4-flash", "DeepSeek V4 Flash", 1_000_000, 384_000, "thinks", [0.14, 0.28, 0.0028], highOrMax],
      ["deepseek-v4-pro", "DeepSeek V4 Pro", 1_000_000, 384_000, "thinks", [0.435, 0.87, 0.003625], highOrMax],
    ],
  },
  {
    id: "xai",
    label: "xAI",
    api: "openai-completions",
    baseUrl: "https://api.x.ai/v1",
    variables: ["XAI_API_KEY"],
    credential: "required",
    begin: "grok-4.3",
    models: [
      ["grok-4.3", "Grok 4.3", 1_000_000, 30_000, "thinks sees", [1.25, 2.5, 0.2], gpt51],
      ["grok-build-0.1", "Grok Build 0.1", 256_000, 256_000, "thinks sees", [1, 2, 0.2], untold],
    ],
  },
  {
    id: "together",
    label: "Together AI",
    api: "openai-completions",
    baseUrl: "https://api.together.ai/v1",
    variables: ["TOGETHER_API_KEY"],
    credential: "required",
    begin: "openai/gpt-oss-120b",
    models: [
      ["openai/gpt-oss-120b", "GPT-OSS 120B", 131_072, 131_072, "thinks", [0.15, 0.6], upToHigh],
      ["moonshotai/Kimi-K2.6", "Kimi K2.6", 262_144, 131_000, "thinks sees", [1.2, 4.5, 0.2], untold],
      ["meta-llama/Llama-3.3-70B-Instruct-Turbo", "Llama 3.3 70B", 131_072, 131_072, "", [0.88, 0.88]],
    ],
  },
  {
    id: "cerebras",
    label: "Cerebras",
    api: "openai-completions",
    baseUrl: "https://api.cerebras.ai/v1",
    variables: ["CEREBRAS_API_KEY"],
    credential: "required",
    begin: "gpt-oss-120b",
    compat: { maxTokensField: "max_completion_tokens" },
    models: [
      ["gpt-oss-120b", "GPT-OSS 120B", 131_072, 40_960, "thinks", [0.35, 0.75], upToHigh],
      ["zai-glm-4.7", "GLM-4.7", 131_072, 40_960, "thinks", [2.25, 2.75], untold],
    ],
  },
  {
    id: "vercel-ai-gateway",
    label: "Vercel AI Gateway",
    api: "openai-completions",
    baseUrl: "https://ai-gateway.vercel.sh/v1",
    variables: ["AI_GATEWAY_API_KEY"],
    credential: "required",
    begin: "anthropic/claude-opus-4.5",
    compat: { thinkingFormat: "openrouter", cacheControl: "anthropic/" },
    models: [
      ["anthropic/claude-opus-4.5", "Claude Opus 4.5", 200_000, 64_000, "thinks sees", [5, 25, 0.5, 6.25]],
      ["openai/gpt-5.2", "GPT-5.2", 400_000, 128_000, "thinks sees", [1.75, 14, 0.175], gpt52],
    ],
  },
  {
    id: "venice",
    label: "Venice AI",
    api: "openai-completions",
    baseUrl: "https://api.venice.ai/api/v1",
    variables: ["VENICE_API_KEY"],
    credential: "required",
    begin: "zai-org-glm-4.7",
    models: [
      ["zai-org-glm-4.7", "GLM 4.7", 198_000, 16_384, "thinks", [0.55, 2.65, 0.11], upToHigh],
      ["llama-3.3-70b", "Llama 3.3 70B", 128_000, 4_096, "", [0.7, 2.8]],
    ],
  },
  {
    id: "synthetic",
    label: "Synthetic",
    api: "openai-completions",
    baseUrl: "https://api.synthetic.new/openai/v1",
    variables: ["SYNTHETIC_API_KEY"],
    credential: "required",
    begin: "hf:zai-org/GLM-4.7",
    models: [
      ["hf:zai-org/GLM-4.7", "GLM-4.7", 202_752, 65_536, "thinks", [0.45, 2.19, 0.45], untold],
      ["hf:moonshotai/Kimi-K2.6", "Kimi K2.6", 262_144, 65_536, "thinks sees", [0.95, 4, 0.95], upToHigh],
    ],
  },
  {
    id: "ollama",
    label: "Ollama",
    api: "ollama",
    baseUrl: "http://127.0.0.1:11434",
    variables: ["OLLAMA_API_KEY"],
    credential: "optional",
    models: [],
  },
  {
    id: "lmstudio",
    label: "LM Studio",
    api: "openai-completions",
    baseUrl: "http://127.0.0.1:1234/v1",
    variables: ["LMSTUDIO_API_KEY"],
    credential: "optional",
    compat: untold.compat,
    models: [],
  },
  {
    id: "vllm",
    label: "vLLM",
    api: "openai-completions",
    baseUrl: "http://127.0.0.1:8000/v1",
    variables: ["VLLM_API_KEY"],
    credential: "optional",
    models: [],
  },
  {
    id: "llamacpp",
    label: "llama.cpp",
    api: "openai-completions",
    baseUrl: "http://127.0.0.1:8080/v1",
    variables: ["LLAMA_API_KEY"],
    credential: "optional",
    compat: untold.compat,
    models: [],
  },
  {
    id: "clawlet",
    label: "Built in",
    api: "echo",
    baseUrl: "",
    variables: [],
    credential: "none",
    begin: "echo",
    models: [["echo", "Echo", 100_000, 8_000, "", []]],
  },
] as const satisfies readonly ProviderFacts[];

/** What is known of a provider; undefined for one that is not known. */
export function factsOf(provider: string): ProviderFacts | undefined {
  return providerFacts.find(({ id }) => id === provider);
}

/** The models that are known of a provider. */
export function knownModelsOf(facts: ProviderFacts): readonly KnownModel[] {
  return facts.models.map((row) => describe(facts, row));
}

/** A model with what is known of it; undefined for one that is not known. */
export function knownModel(provider: string, model: string): KnownModel | undefined {
  const facts = factsOf(provider);
  const row = facts?.models.find(([id]) => id === model);
  return facts && row && describe(facts, row);
}

export interface KnownModel extends ModelSpec {
  /** Short name for `/model`. */
  readonly alias: string | undefined;
}

function describe(facts: ProviderFacts, row: ModelRow): KnownModel {
  const [id, name, contextWindow, maxTokens, abilities, prices, more] = row;
  const [input = 0, output = 0, cacheRead = 0, cacheWrite = 0] = prices;
  return {
    provider: facts.id,
    id,
    name,
    api: more?.api ?? facts.api,
    reasoning: abilities.includes("thinks"),
    images: abilities.includes("sees"),
    contextWindow,
    maxTokens,
    cost: { input, output, cacheRead, cacheWrite },
    compat: { ...facts.compat, ...more?.compat },
    alias: more?.alias,
  };
}
