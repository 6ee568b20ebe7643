import { isObject, type JsonObject } from "../kit/json.ts";
import type {
  AssistantMessage,
  ImagePart,
  TextPart,
  ToolCallPart,
  ToolResultMessage,
  UserMessage,
} from "../session/message.ts";
import { fittingName, inOrder, isOwn, pictureNote } from "./provider-request.ts";
import type { ModelRequest, ModelSpec, ThinkingLevel } from "./provider.ts";

/** A request in the dialect of the Gemini API (ai.google.dev, "GenerateContentRequest"). */
export function googleRequest(request: ModelRequest): JsonObject {
  const { model, system, tools, temperature } = request;
  const maxOutputTokens = Math.min(request.maxTokens ?? model.maxTokens, model.maxTokens);
  const thinkingConfig = thinkingOf(request, maxOutputTokens);
  return {
    contents: contentsOf(request),
    ...(system.trim() === "" ? {} : { systemInstruction: { parts: [{ text: system }] } }),
    ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(declaration) }] }),
    generationConfig: {
      maxOutputTokens,
      ...(temperature === undefined ? {} : { temperature }),
      ...(thinkingConfig === undefined ? {} : { thinkingConfig }),
    },
  };
}

interface Content {
  readonly role: "user" | "model";
  readonly parts: JsonObject[];
}

function contentsOf({ model, messages }: ModelRequest): readonly Content[] {
  const contents: Content[] = [];
  // The results of an answer's calls are one content, right after it; their pictures follow in one of their own.
  let results: Content | undefined;
  let pictures: JsonObject[] = [];
  const close = (): void => {
    if (pictures.length > 0) contents.push({ role: "user", parts: pictures });
    results = undefined;
    pictures = [];
  };
  for (const message of inOrder(messages)) {
    if (message.role === "toolResult") {
      if (!results) contents.push((results = { role: "user", parts: [] }));
      results.parts.push(responsePart(message));
      pictures.push(...resultPictures(message, model));
      continue;
    }
    close();
    const parts = message.role === "user" ? userParts(message.content, model) : answerParts(message, model);
    if (parts.length > 0) contents.push({ role: message.role === "user" ? "user" : "model", parts });
  }
  close();
  return contents;
}

function userParts(content: UserMessage["content"], model: ModelSpec): JsonObject[] {
  return content.flatMap((part) => (part.type === "text" ? textParts(part) : [imagePart(part, model)]));
}

function textParts({ text }: TextPart): JsonObject[] {
  return text === "" ? [] : [{ text }];
}

const imageTypes = new Set(["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"]);

function imagePart(part: ImagePart, model: ModelSpec): JsonObject {
  if (part.data === undefined || !model.images || !imageTypes.has(part.mimeType)) return { text: pictureNote(part) };
  return { inlineData: { mimeType: part.mimeType, data: part.data } };
}

function responsePart({ toolCallId: id, toolName: name, content, isError }: ToolResultMessage): JsonObject {
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  return {
    functionResponse: { id, name: fittingName(name), response: isError ? { error: text } : { output: text } },
  };
}

function resultPictures({ toolName, content }: ToolResultMessage, model: ModelSpec): JsonObject[] {
  const pictures = content.flatMap((part) => (part.type === "image" ? [imagePart(part, model)] : []));
  return pictures.length === 0 ? [] : [{ text: `What ${fittingName(toolName)} gave to be seen:` }, ...pictures];
}

// Gemini 3 and later refuse a round of calls whose first one has no signature; this one says that the calls are not
// theirs (ai.google.dev, "Thought signatures").
const FOREIGN = "skip_thought_signature_validator";

function answerParts(message: AssistantMessage, model: ModelSpec): JsonObject[] {
  const own = isOwn(message, model);
  const calls = message.content.filter((part): part is ToolCallPart => part.type === "toolCall");
  const unsigned = generationOf(model) >= 3 && !(own && calls.some(({ thoughtSignature }) => thoughtSignature));
  const signed = (signature: string | undefined): JsonObject =>
    own && signature !== undefined ? { thoughtSignature: signature } : {};
  return message.content.flatMap((part): JsonObject[] => {
    if (part.type === "text") return textParts(part).map((text) => ({ ...text, ...signed(part.textSignature) }));
    if (part.type === "thinking")
      return own && part.thinkingSignature !== undefined
        ? [{ text: part.thinking, thought: true, ...signed(part.thinkingSignature) }]
        : [];
    const proof = unsigned && part === calls[0] ? { thoughtSignature: FOREIGN } : signed(part.thoughtSignature);
    return [{ functionCall: { id: part.id, name: fittingName(part.name), args: part.arguments }, ...proof }];
  });
}

function declaration({ name, description, parameters }: ModelRequest["tools"][number]): JsonObject {
  return { name, description, parametersJsonSchema: schemaOf(parameters) };
}

// What `parametersJsonSchema` understands of JSON Schema (ai.google.dev, "Schema"); other words are refused or ignored,
// depending on the model.
const schemaWords = new Set(
  "$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required".split(
    " ",
  ),
);

function schemaOf(schema: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [word, value] of Object.entries(schema)) {
    if (word === "const" && (typeof value === "string" || typeof value === "number")) out["enum"] = [value];
    if (!schemaWords.has(word)) continue;
    if ((word === "properties" || word === "$defs") && isObject(value))
      out[word] = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, innerSchema(inner)]));
    else out[word] = ["enum", "required", "type"].includes(word) ? value : innerSchema(value);
  }
  return out;
}

function innerSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(innerSchema);
  return isObject(value) ? schemaOf(value) : value;
}

/** 2 of `gemini-2.5-flash`, 3 at least of `gemini-flash-latest`, 0 of a model that is no Gemini. */
function generationOf({ id }: ModelSpec): number {
  return id.includes("gemini") ? Number(/gemini-(\d+)/.exec(id)?.[1] ?? 3) : 0;
}

/**
 * Gemini 2.5 has a budget of tokens for thoughts, later ones a level (ai.google.dev, "Gemini thinking"). What cannot be
 * told not to think is told to think least.
 */
function thinkingOf({ model, thinking: level }: ModelRequest, maxTokens: number): JsonObject | undefined {
  if (!model.reasoning) return undefined;
  const includeThoughts = level !== "off";
  if (generationOf(model) >= 3) return { includeThoughts, thinkingLevel: levelOf(model, level) };
  if (!model.id.includes("2.5")) return undefined;
  const pro = model.id.includes("pro");
  if (level === "off") return { includeThoughts, thinkingBudget: pro ? 128 : 0 };
  // Thoughts are counted as output: half of it is left for the answer.
  const least = pro ? 128 : model.id.includes("lite") ? 512 : 1;
  return { includeThoughts, thinkingBudget: Math.max(Math.min(budgets[level], Math.floor(maxTokens / 2)), least) };
}

const budgets = { minimal: 1024, low: 4096, medium: 8192, high: 16_384, xhigh: 24_576 } as const;

function levelOf({ id }: ModelSpec, level: ThinkingLevel): "minimal" | "low" | "medium" | "high" {
  const wanted = level === "off" ? "minimal" : level === "xhigh" ? "high" : level;
  if (/gemini-3-pro/.test(id)) return wanted === "minimal" || wanted === "low" ? "low" : "high";
  return wanted === "minimal" && id.includes("pro") ? "low" : wanted;
}
