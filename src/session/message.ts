import type { JsonObject } from "../kit/json.ts";

/** What a person, a model or a tool said: the messages of a transcript, in the form that other programs read too. */
export type Message = UserMessage | AssistantMessage | ToolResultMessage;

export interface UserMessage {
  readonly role: "user";
  readonly content: readonly (TextPart | ImagePart)[];
  /** Milliseconds since 1970, in this and every other message. */
  readonly timestamp: number;
  /** `<runId>:user`: the same input is never written twice. */
  readonly idempotencyKey?: string;
}

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: readonly (TextPart | ThinkingPart | ToolCallPart)[];
  readonly api: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Usage;
  readonly stopReason: StopReason;
  readonly timestamp: number;
  /** The provider's own id of the response. */
  readonly responseId?: string;
  /** Why it ended, with the stop reasons `error` and `aborted`. */
  readonly errorMessage?: string;
}

export interface ToolResultMessage {
  readonly role: "toolResult";
  readonly toolCallId: string;
  readonly toolName: string;
  readonly content: readonly (TextPart | ImagePart)[];
  /** What programs may want to know beside the text that the model reads. */
  readonly details?: unknown;
  readonly isError: boolean;
  readonly timestamp: number;
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
  /** Opaque proof that some providers want back with it. */
  readonly textSignature?: string;
}

/** A picture. In a transcript `media` names the stored bytes; in a request to a provider `data` holds them as base64. */
export interface ImagePart {
  readonly type: "image";
  readonly mimeType: string;
  readonly media?: string;
  readonly data?: string;
  readonly fileName?: string;
}

export interface ThinkingPart {
  readonly type: "thinking";
  readonly thinking: string;
  /** Opaque proof that the provider wants back, unchanged, with the next request. */
  readonly thinkingSignature?: string;
  /** The provider hid the text; the signature stands for it. */
  readonly redacted?: boolean;
}

export interface ToolCallPart {
  readonly type: "toolCall";
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  /** Opaque proof that some providers want back with the call. */
  readonly thoughtSignature?: string;
}

/** Tokens, and what they cost in US dollars where prices are known (else zeros). */
export interface Usage {
  /** Tokens read and not served from a cache. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly totalTokens: number;
  readonly cost: {
    readonly input: number;
    readonly output: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
    readonly total: number;
  };
}

/** `injected` is what the gateway itself wrote: the answer to a slash command, or `chat.inject`. */
export type StopReason = "stop" | "length" | "toolUse" | "error" | "aborted" | "injected";

/** No tokens, no cost. */
export const noUsage: Usage = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 0,
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
};

/** The text of a message without pictures, thoughts and calls. */
export function textOf(message: Message): string {
  return message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}

/** What two requests used together. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    totalTokens: a.totalTokens + b.totalTokens,
    cost: {
      input: a.cost.input + b.cost.input,
      output: a.cost.output + b.cost.output,
      cacheRead: a.cost.cacheRead + b.cost.cacheRead,
      cacheWrite: a.cost.cacheWrite + b.cost.cacheWrite,
      total: a.cost.total + b.cost.total,
    },
  };
}
