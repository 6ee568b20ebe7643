import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { AssistantMessage, ImagePart, TextPart, ThinkingPart } from "../session/message.ts";
import { effortOf, fittingIds, fittingName, inOrder, isOwn, pictureNote } from "./provider-request.ts";
import type { ModelRequest, ModelSpec, ToolSpec } from "./provider.ts";

/**
 * The body of a request in the Responses dialect. Nothing is kept by the provider: thoughts come back encrypted and are
 * sent again. It reads these keys of `compat`:
 *
 * - `efforts`: see `effortOf`.
 * - `supportsReasoningSummary: false`: no summary of thoughts is asked for, which OpenAI gives to verified
 *   organisations alone.
 * - `supportsPromptCacheKey: false`: no `prompt_cache_key`.
 */
export function responsesRequest(request: ModelRequest): JsonObject {
  const { model, system, tools, maxTokens, temperature, cacheKey } = request;
  return {
    model: model.id,
    stream: true,
    store: false,
    ...(system.trim() === "" ? {} : { instructions: system }),
    input: inputOf(request),
    ...(tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
    ...(maxTokens === undefined ? {} : { max_output_tokens: Math.max(maxTokens, LEAST_TOKENS) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(cacheKey === undefined || model.compat["supportsPromptCacheKey"] === false
      ? {}
      : { prompt_cache_key: cacheKey.slice(-64) }),
    ...(model.reasoning ? { include: ["reasoning.encrypted_content"], ...reasoningOf(request) } : {}),
  };
}

/** Fewer are refused. */
const LEAST_TOKENS = 16;

/** `strict` is on unless said otherwise, and would make every optional parameter a required one. */
function toolOf({ name, description, parameters }: ToolSpec): JsonObject {
  return { type: "function", name, description, parameters, strict: false };
}

function reasoningOf({ model, thinking }: ModelRequest): JsonObject {
  const effort = effortOf(model, thinking);
  if (effort === undefined) return {};
  const silent = effort === "none" || model.compat["supportsReasoningSummary"] === false;
  return { reasoning: { effort, ...(silent ? {} : { summary: "auto" }) } };
}

function inputOf({ model, messages }: ModelRequest): readonly JsonObject[] {
  const idOf = fittingIds(/^[\w-]{1,64}$/);
  return inOrder(messages).flatMap((message): readonly JsonObject[] => {
    if (message.role === "assistant") return answerItems(message, { model, idOf });
    if (message.role === "user")
      return message.content.length === 0 ? [] : [{ role: "user", content: inputParts(message.content, model) }];
    const output = outputOf(message.content, model);
    return [{ type: "function_call_output", call_id: idOf(message.toolCallId), output }];
  });
}

function inputParts(content: readonly (TextPart | ImagePart)[], model: ModelSpec): readonly JsonObject[] {
  return content.map((part) => {
    if (part.type === "text") return { type: "input_text", text: part.text };
    if (!model.images || part.data === undefined) return { type: "input_text", text: pictureNote(part) };
    return { type: "input_image", image_url: `data:${part.mimeType};base64,${part.data}`, detail: "auto" };
  });
}

/** A text where that is enough, as older servers know no other form. */
function outputOf(content: readonly (TextPart | ImagePart)[], model: ModelSpec): string | readonly JsonObject[] {
  const parts = inputParts(content, model);
  const texts = parts.map(({ text }) => text);
  return texts.every((text) => typeof text === "string") ? texts.join("\n") || "(no output)" : parts;
}

function answerItems(
  message: AssistantMessage,
  { model, idOf }: { model: ModelSpec; idOf: (id: string) => string },
): readonly JsonObject[] {
  const own = isOwn(message, model);
  const items = message.content.flatMap((part): readonly JsonObject[] => {
    if (part.type === "thinking") return own ? thoughtItem(part) : [];
    if (part.type === "toolCall") {
      const { id, name, arguments: args } = part;
      const call = { call_id: idOf(id), name: fittingName(name), arguments: JSON.stringify(args) };
      return [{ type: "function_call", ...call }];
    }
    const phase = own && part.textSignature !== undefined ? { phase: part.textSignature } : {};
    return part.text.trim() === "" ? [] : [{ role: "assistant", content: part.text, ...phase }];
  });
  // A thought that nothing follows is refused: that answer was cut off in the middle of it.
  return items.slice(0, items.findLastIndex(({ type }) => type !== "reasoning") + 1);
}

function thoughtItem({ thinkingSignature }: ThinkingPart): readonly JsonObject[] {
  const item = parseJson(thinkingSignature ?? "");
  return isObject(item) && item["type"] === "reasoning" ? [item] : [];
}
