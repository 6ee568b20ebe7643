import type { JsonObject } from "../kit/json.ts";
import type { Timers } from "../kit/stream.ts";
import type { AssistantMessage, Message, ThinkingPart, ToolCallPart } from "../session/message.ts";

/** The wire dialects that models are spoken to in; what `models.providers.<id>.api` names. */
export const apis = [
  "anthropic-messages",
  "openai-responses",
  "openai-completions",
  "google-generative-ai",
  "ollama",
  "echo",
] as const;
export type Api = (typeof apis)[number];

/** How hard a model is to think before it answers (cli.md 8.4). */
export const thinkingLevels = ["off", "minimal", "low", "medium", "high", "xhigh"] as const;
export type ThinkingLevel = (typeof thinkingLevels)[number];

/** One dialect: it turns a request into an HTTP call and the answer's event stream into events. It keeps no state. */
export interface Provider {
  readonly api: Api;
  /**
   * Asks the model. Ends with exactly one `done`, or throws a Failure made by `providerFailure` (or `aborted`, by the
   * signal). Aborting closes the connection at once.
   */
  stream(request: ModelRequest, call: ProviderCall): AsyncIterable<ModelEvent>;
  /** The models that the endpoint says it has; absent where the dialect has no such question. */
  models?(call: ProviderCall): Promise<readonly ListedModel[]>;
}

export interface ProviderCall {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  now(): number;
  /** For the deadlines of the connection; the runtime's own timers when absent. */
  readonly clock?: Timers | undefined;
}

/** Where a provider is and how to prove who asks. */
export interface Endpoint {
  /** The id in model references, such as `anthropic`. */
  readonly provider: string;
  /** Without a slash at the end, such as `https://api.anthropic.com`. The credential goes nowhere else (threat A). */
  readonly baseUrl: string;
  /** Absent where none is needed. */
  readonly credential?: Credential | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Credential {
  /** `token` is a bearer token of a subscription where the provider tells it from a key. */
  readonly kind: "api-key" | "token";
  readonly secret: string;
}

export interface ModelRequest {
  readonly model: ModelSpec;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly thinking: ThinkingLevel;
  /** Most tokens to write; the model's own limit when absent. */
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** The same for all requests of a session: a key for the provider's prompt cache. */
  readonly cacheKey?: string | undefined;
}

/** A model with what is known of it. */
export interface ModelSpec {
  readonly provider: string;
  /** The provider's name of it. */
  readonly id: string;
  readonly name: string;
  readonly api: Api;
  readonly reasoning: boolean;
  readonly images: boolean;
  /** Tokens it can read at once. */
  readonly contextWindow: number;
  /** Tokens it can write at once. */
  readonly maxTokens: number;
  /** What its requests are made with, where a person chose one. */
  readonly temperature?: number | undefined;
  /** US dollars for a million tokens; zeros where unknown. */
  readonly cost: Cost;
  /** Where the endpoint differs from its dialect; each dialect says which keys it reads. */
  readonly compat: Readonly<Record<string, string | boolean>>;
}

export interface Cost {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export interface ListedModel {
  readonly id: string;
  readonly name?: string | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: JsonObject;
}

export type ModelEvent =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "thinking"; readonly delta: string }
  /** A whole thought, when it is over; `done` has it too. */
  | { readonly type: "thought"; readonly part: ThinkingPart }
  /** A whole call, when its arguments are complete; `done` has it too. */
  | { readonly type: "toolCall"; readonly call: ToolCallPart }
  /** The answer in full, its stop reason `stop`, `length` or `toolUse`. */
  | { readonly type: "done"; readonly message: AssistantMessage };
