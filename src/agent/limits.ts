import type { Config } from "../config/schema.ts";
import type { ModelSpec } from "../providers/provider.ts";

export type Defaults = Config["agents"]["defaults"];

/** How a model's context window is shared out, in tokens. */
export interface Limits {
  readonly window: number;
  /** Kept free for the answer: a request larger than `window - reserve` is made smaller first. */
  readonly reserve: number;
  /** What compaction leaves word by word, counted from the newest. */
  readonly keep: number;
  /** Longest summary. */
  readonly summary: number;
}

/**
 * The shares of a model's window, by `agents.defaults`. In a small window the reserve and what is kept shrink to a quarter each,
 * so that there is always room for the prompt and a summary.
 */
export function limitsOf({ contextTokens, compaction }: Defaults, contextWindow: number): Limits {
  const window = Math.max(1, Math.min(contextWindow, contextTokens ?? contextWindow));
  const quarter = Math.floor(window / 4);
  return {
    window,
    reserve: Math.min(Math.max(compaction.reserveTokens, compaction.reserveTokensFloor), quarter),
    keep: Math.min(compaction.keepRecentTokens, quarter),
    summary: Math.min(Math.floor(window / 8), SUMMARY),
  };
}

/**
 * Most tokens to ask an answer of, for a request of so many: providers refuse what would not fit the window. Undefined
 * when the model's own limit fits.
 */
export function answerTokens({ window }: Limits, model: ModelSpec, request: number): number | undefined {
  const room = Math.max(window - request, Math.min(ANSWER_LEAST, Math.ceil(window / 8)));
  return room < model.maxTokens ? room : undefined;
}

const SUMMARY = 4096;
const ANSWER_LEAST = 1024;
