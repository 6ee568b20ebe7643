import { usageOf } from "../providers/provider-answer.ts";
import type { ModelRequest } from "../providers/provider.ts";
import type { Usage } from "../session/message.ts";
import { messageTokens, textTokens } from "./tokens.ts";

/** The most that a request may use: all of it read anew, and the longest answer. */
export function mostUsage(request: ModelRequest): Usage {
  const { model, maxTokens } = request;
  return usageOf(model.cost, { input: requestTokens(request), output: maxTokens ?? model.maxTokens });
}

/** What a request has used whose answer broke off, as nobody counted it. */
export function guessedUsage(request: ModelRequest, answer: string): Usage {
  return usageOf(request.model.cost, { input: requestTokens(request), output: textTokens(answer) });
}

/** Tokens of the parts of a request that stay the same: the system prompt and the tools. */
export function fixedTokens({ system, tools }: Pick<ModelRequest, "system" | "tools">): number {
  return textTokens(system) + tools.reduce((sum, tool) => sum + textTokens(JSON.stringify(tool)), 0);
}

function requestTokens(request: ModelRequest): number {
  return fixedTokens(request) + request.messages.reduce((sum, message) => sum + messageTokens(message), 0);
}
