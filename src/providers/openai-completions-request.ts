import { type JsonObject, parseJson } from "../kit/json.ts";
import type { AssistantMessage, ImagePart, TextPart, ToolCallPart, ToolResultMessage } from "../session/message.ts";
import { effortOf, fittingIds, fittingName, inOrder, isOwn, pictureNote } from "./provider-request.ts";
import type { ModelRequest, ModelSpec, ToolSpec } from "./provider.ts";

/**
 * The body of a request in the Chat Completions dialect. It reads these keys of `compat`, of which the first eight are
 * written like this in the configurations of other programs too:
 *
 * - `supportsDeveloperRole`: the prompt of a model that thinks comes from `developer` instead of `system`.
 * - `supportsReasoningEffort: false`: no `reasoning_effort`.
 * - `supportsUsageInStreaming: false`: usage comes unasked, or never.
 * - `maxTokensField`: `max_tokens` (usual) or `max_completion_tokens`.
 * - `requiresToolResultName`: results carry the tool's name.
 * - `requiresAssistantAfterToolResult`: no message of a user directly after a result.
 * - `requiresMistralToolIds`: ids of calls are nine letters and digits.
 * - `thinkingFormat`: how to say how hard to think: `openai` (`reasoning_effort`, usual), `openrouter` (`reasoning`),
 *   `zai` (`thinking`, and `reasoning_effort` where `efforts` are listed), `qwen` (`enable_thinking`) or `none`.
 * - `efforts`: see `effortOf`.
 * - `replaysReasoning`: the model wants its own `reasoning_content` back.
 * - `supportsPromptCacheKey`: `prompt_cache_key` is sent.
 * - `cacheControl`: models whose id begins like this want marks at what is to be cached, as Anthropic does.
 * - `bareModelPrefix`: what comes before an id without a slash.
 */
export function completionsRequest(request: ModelRequest): JsonObject {
  const { model, tools, maxTokens, temperature, cacheKey } = request;
  const { compat } = model;
  return {
    model: wireId(model),
    stream: true,
    ...(compat["supportsUsageInStreaming"] === false ? {} : { stream_options: { include_usage: true } }),
    messages: withCacheMarks(messagesOf(request), model),
    ...(tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
    ...(maxTokens === undefined ? {} : { [textOr(compat["maxTokensField"], "max_tokens")]: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(cacheKey !== undefined && compat["supportsPromptCacheKey"] === true
      ? { prompt_cache_key: cacheKey.slice(-64) }
      : {}),
    ...thinkingFields(request),
  };
}

function toolOf({ name, description, parameters }: ToolSpec): JsonObject {
  return { type: "function", function: { name, description, parameters } };
}

function wireId({ id, compat }: ModelSpec): string {
  return id.includes("/") ? id : `${textOr(compat["bareModelPrefix"], "")}${id}`;
}

function textOr(value: string | boolean | undefined, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function thinkingFields({ model, thinking }: ModelRequest): JsonObject {
  const { compat, reasoning } = model;
  if (!reasoning) return {};
  const effort = compat["supportsReasoningEffort"] === false ? undefined : effortOf(model, thinking);
  const effortField = effort === undefined ? {} : { reasoning_effort: effort };
  switch (compat["thinkingFormat"]) {
    case "none":
      return {};
    case "openrouter":
      return effort === undefined ? {} : { reasoning: { effort } };
    case "qwen":
      return { enable_thinking: thinking !== "off" };
    case "zai":
      if (thinking === "off") return { thinking: { type: "disabled" } };
      return { thinking: { type: "enabled" }, ...(compat["efforts"] === undefined ? {} : effortField) };
    default:
      return effortField;
  }
}

function messagesOf({ model, system, messages, thinking }: ModelRequest): readonly JsonObject[] {
  const { compat, reasoning } = model;
  const idOf = fittingIds(compat["requiresMistralToolIds"] === true ? /^[a-zA-Z0-9]{9}$/ : /^[\w-]{1,40}$/);
  const prompt = compat["supportsDeveloperRole"] === true && reasoning ? "developer" : "system";
  const out: JsonObject[] = system.trim() === "" ? [] : [{ role: prompt, content: system }];
  let pictures: ImagePart[] = [];
  for (const message of inOrder(messages)) {
    if (message.role === "toolResult") {
      out.push(resultMessage(message, { model, id: idOf(message.toolCallId) }));
      pictures.push(...message.content.flatMap((part) => (part.type === "image" && canSee(part, model) ? [part] : [])));
      continue;
    }
    if (out.at(-1)?.["role"] === "tool") {
      if (pictures.length > 0) out.push(...picturesOfResults(pictures, model));
      else if (message.role === "user") out.push(...betweenResultAndUser(model));
      pictures = [];
    }
    if (message.role === "user") out.push(...userMessage(message.content, model));
    else out.push(...assistantMessage(message, { model, idOf, thinks: reasoning && thinking !== "off" }));
  }
  if (pictures.length > 0) out.push(...picturesOfResults(pictures, model));
  return out;
}

/** Results are text alone in this dialect: their pictures follow after the last of them. */
function resultMessage(
  { content, toolName }: ToolResultMessage,
  { model, id }: { model: ModelSpec; id: string },
): JsonObject {
  const texts = content.map((part) => {
    if (part.type === "text") return part.text;
    return canSee(part, model) ? "[The picture is in the next message.]" : pictureNote(part);
  });
  const name = model.compat["requiresToolResultName"] === true ? { name: fittingName(toolName) } : {};
  return { role: "tool", tool_call_id: id, ...name, content: texts.join("\n") || "(no output)" };
}

function picturesOfResults(pictures: readonly ImagePart[], model: ModelSpec): readonly JsonObject[] {
  const lead = { type: "text" as const, text: "Pictures from the results of the tools:" };
  return [...betweenResultAndUser(model), ...userMessage([lead, ...pictures], model)];
}

function betweenResultAndUser({ compat }: ModelSpec): readonly JsonObject[] {
  return compat["requiresAssistantAfterToolResult"] === true
    ? [{ role: "assistant", content: "The tools have answered." }]
    : [];
}

function canSee({ data }: ImagePart, { images }: ModelSpec): boolean {
  return images && data !== undefined;
}

/** Only text is given as a text: many servers know no other form. */
function userMessage(content: readonly (TextPart | ImagePart)[], model: ModelSpec): readonly JsonObject[] {
  const parts = content.map((part): JsonObject => {
    if (part.type === "text") return { type: "text", text: part.text };
    if (!canSee(part, model)) return { type: "text", text: pictureNote(part) };
    return { type: "image_url", image_url: { url: `data:${part.mimeType};base64,${part.data}` } };
  });
  const texts = parts.map(({ text }) => text);
  const whole = texts.every((text) => typeof text === "string") ? texts.join("\n") : parts;
  return whole === "" ? [] : [{ role: "user", content: whole }];
}

function assistantMessage(
  message: AssistantMessage,
  { model, idOf, thinks }: { model: ModelSpec; idOf: (id: string) => string; thinks: boolean },
): readonly JsonObject[] {
  const text = message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const calls = message.content.filter((part): part is ToolCallPart => part.type === "toolCall");
  if (text.trim() === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content: text.trim() === "" ? null : text,
      ...reasoningOf(message, { model, required: thinks && calls.length > 0 }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callOf(call, idOf)) }),
    },
  ];
}

function callOf(call: ToolCallPart, idOf: (id: string) => string): JsonObject {
  const name = fittingName(call.name);
  return { id: idOf(call.id), type: "function", function: { name, arguments: JSON.stringify(call.arguments) } };
}

/**
 * What the model thought before, where it wants it back: OpenRouter's `reasoning_details` as they came, or
 * `reasoning_content`, which Moonshot and DeepSeek miss in an answer with calls even when it has none.
 */
function reasoningOf(
  message: AssistantMessage,
  { model, required }: { model: ModelSpec; required: boolean },
): JsonObject {
  const thoughts = isOwn(message, model) ? message.content.filter((part) => part.type === "thinking") : [];
  const signature = thoughts.find(({ thinkingSignature }) => thinkingSignature !== undefined)?.thinkingSignature;
  const details = signature === undefined ? undefined : parseJson(signature);
  if (Array.isArray(details)) return { reasoning_details: details };
  if (model.compat["replaysReasoning"] !== true) return {};
  const text = thoughts.map(({ thinking }) => thinking).join("");
  return text !== "" || required ? { reasoning_content: text } : {};
}

/** Marks the prompt and the newest message of a user, for models of Anthropic behind a gateway. */
function withCacheMarks(messages: readonly JsonObject[], { id, compat }: ModelSpec): readonly JsonObject[] {
  const prefix = compat["cacheControl"];
  if (typeof prefix !== "string" || !id.startsWith(prefix)) return messages;
  const newest = messages.findLastIndex(({ role }) => role === "user");
  return messages.map((message, index) => (index === 0 || index === newest ? marked(message) : message));
}

function marked(message: JsonObject): JsonObject {
  const { content } = message;
  if (typeof content !== "string") return message;
  return { ...message, content: [{ type: "text", text: content, cache_control: { type: "ephemeral" } }] };
}
