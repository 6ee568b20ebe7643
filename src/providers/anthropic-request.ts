import type { JsonObject } from "../kit/json.ts";
import type { AssistantMessage, ImagePart, TextPart, ToolCallPart, UserMessage } from "../session/message.ts";
import { fittingIds, fittingName, inOrder, isOwn, pictureNote } from "./provider-request.ts";
import type { ModelRequest, ModelSpec, ThinkingLevel } from "./provider.ts";

/** What is sent to `/v1/messages`, and the beta features that it needs. */
export interface AnthropicRequest {
  readonly body: JsonObject;
  readonly betas: readonly string[];
}

/**
 * A request in Anthropic's Messages dialect. Reads `compat.supportsCacheControl` (false: no cache marks),
 * `compat.thinkingFormat` (`adaptive`, `budget` or `none`, where the model's id does not tell).
 */
export function anthropicRequest(request: ModelRequest): AnthropicRequest {
  const { model, system, tools, temperature } = request;
  const maxTokens = Math.min(request.maxTokens ?? model.maxTokens, model.maxTokens);
  const facts = factsOf(model);
  const turns = turnsOf(request, {
    thoughts: model.reasoning && facts.way !== "none" && (request.thinking !== "off" || facts.off === "low"),
  });
  const thinking = thinkingOf(request, { facts, maxTokens, turns });
  const cached = model.compat["supportsCacheControl"] !== false;
  const marked = cached ? markLast : <T>(list: readonly T[]): readonly T[] => list;
  const sampled = temperature !== undefined && thinking.sampling;
  return {
    body: {
      model: model.id,
      max_tokens: maxTokens,
      stream: true,
      ...(system.trim() === "" ? {} : { system: marked([{ type: "text", text: system }]) }),
      messages: cached ? markUserTurns(turns) : turns,
      ...(tools.length === 0
        ? {}
        : {
            tools: marked(
              tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
            ),
          }),
      ...thinking.fields,
      ...(sampled ? { temperature: Math.min(temperature, 1) } : {}),
    },
    betas: thinking.betas,
  };
}

interface Turn {
  readonly role: "user" | "assistant";
  readonly content: readonly JsonObject[];
}

/** Messages as turns whose roles alternate: results of tools are the user's. Thoughts go only to who is to think. */
function turnsOf({ model, messages }: ModelRequest, { thoughts }: { thoughts: boolean }): readonly Turn[] {
  const idOf = fittingIds(/^[a-zA-Z0-9_-]{1,64}$/);
  const turns: Array<{ role: Turn["role"]; content: JsonObject[] }> = [];
  for (const message of inOrder(messages)) {
    const role = message.role === "assistant" ? "assistant" : "user";
    const content =
      message.role === "assistant"
        ? answerBlocks(message, { thoughts: thoughts && isOwn(message, model), idOf })
        : message.role === "user"
          ? userBlocks(message.content, model)
          : [
              {
                type: "tool_result",
                tool_use_id: idOf(message.toolCallId),
                content: resultBlocks(message.content, model),
                ...(message.isError ? { is_error: true } : {}),
              },
            ];
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  return turns;
}

function userBlocks(content: UserMessage["content"], model: ModelSpec): JsonObject[] {
  return content.flatMap((part) => (part.type === "text" ? textBlocks(part) : [imageBlock(part, model)]));
}

function resultBlocks(content: UserMessage["content"], model: ModelSpec): JsonObject[] {
  const blocks = userBlocks(content, model);
  return blocks.length > 0 ? blocks : [{ type: "text", text: "(no output)" }];
}

/** Text of nothing but white space is refused. */
function textBlocks({ text }: TextPart): JsonObject[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

const imageTypes = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

function imageBlock(part: ImagePart, model: ModelSpec): JsonObject {
  if (part.data === undefined || !model.images || !imageTypes.has(part.mimeType))
    return { type: "text", text: pictureNote(part) };
  return { type: "image", source: { type: "base64", media_type: part.mimeType, data: part.data } };
}

interface AnswerOptions {
  /** Whether its thoughts are sent back. */
  readonly thoughts: boolean;
  readonly idOf: (id: string) => string;
}

function answerBlocks(message: AssistantMessage, { thoughts, idOf }: AnswerOptions): JsonObject[] {
  return message.content.flatMap((part): JsonObject[] => {
    if (part.type === "text") return textBlocks(part);
    if (part.type === "toolCall") return [toolUse(part, idOf)];
    const { thinking, thinkingSignature: signature, redacted } = part;
    if (!thoughts || signature === undefined) return [];
    return [
      redacted === true ? { type: "redacted_thinking", data: signature } : { type: "thinking", thinking, signature },
    ];
  });
}

function toolUse({ id, name, arguments: input }: ToolCallPart, idOf: (id: string) => string): JsonObject {
  return { type: "tool_use", id: idOf(id), name: fittingName(name), input };
}

// Four marks are allowed in one request: the end of the tools, the end of the system prompt, and these two, of which
// the earlier one finds what the last request has written (platform.claude.com, "Prompt caching").
function markUserTurns(turns: readonly Turn[]): readonly Turn[] {
  const marked = turns.flatMap((turn, index) => (turn.role === "user" ? [index] : [])).slice(-2);
  return turns.map((turn, index) => (marked.includes(index) ? { ...turn, content: markLast(turn.content) } : turn));
}

function markLast<T extends JsonObject>(blocks: readonly T[]): readonly T[] {
  return blocks.map((block, index) =>
    index === blocks.length - 1 ? { ...block, cache_control: { type: "ephemeral" } } : block,
  );
}

interface Thinking {
  readonly fields: JsonObject;
  readonly betas: readonly string[];
  /** A temperature may be given. */
  readonly sampling: boolean;
}

function thinkingOf(
  { model, thinking: level, tools }: ModelRequest,
  { facts, maxTokens, turns }: { facts: ThinkingFacts; maxTokens: number; turns: readonly Turn[] },
): Thinking {
  const { way, sampling } = facts;
  if (way === "none" || !model.reasoning) return { fields: {}, betas: [], sampling };
  if (way === "adaptive") return adaptive(facts, level);
  const wanted = level === "off" ? 0 : budgets[level];
  const budget = Math.min(wanted, maxTokens - SPARE);
  // The answer that a loop of tools continues must begin with a thought, and another model's is not to be had.
  if (budget < MIN_BUDGET || continuesThoughtless(turns)) return { fields: {}, betas: [], sampling };
  return {
    fields: { thinking: { type: "enabled", budget_tokens: budget } },
    betas: tools.length > 0 && model.id.includes("claude") ? ["interleaved-thinking-2025-05-14"] : [],
    sampling: false,
  };
}

function adaptive({ off, most, bound, sampling }: ThinkingFacts, level: ThinkingLevel): Thinking {
  if (level === "off" && off !== "low")
    return { fields: off === "omit" ? {} : { thinking: { type: off } }, betas: [], sampling };
  const effort = level === "off" || level === "minimal" ? "low" : level === "xhigh" ? most : level;
  // What a thought was based on may have changed since (a date in the system prompt, a summary of old messages): it is
  // then left out instead of the request being refused (platform.claude.com, "Preserved thinking").
  const binding = bound ? { block_binding: { prefix_mismatch_behavior: "drop_block" } } : {};
  return {
    fields: { thinking: { type: "adaptive", display: "summarized", ...binding }, output_config: { effort } },
    betas: bound ? ["thinking-binding-controls-2026-08-01"] : [],
    sampling: false,
  };
}

const MIN_BUDGET = 1024;
/** Tokens of an answer that its thoughts may not use. */
const SPARE = 1024;
const budgets = { minimal: 1024, low: 4096, medium: 10_240, high: 20_480, xhigh: 32_768 } as const;

function continuesThoughtless(turns: readonly Turn[]): boolean {
  const [answer, results] = turns.slice(-2);
  if (answer?.role !== "assistant" || results?.content[0]?.["type"] !== "tool_result") return false;
  const first = answer.content[0]?.["type"];
  return first !== "thinking" && first !== "redacted_thinking";
}

interface ThinkingFacts {
  /** `budget`: so many tokens; `adaptive`: as the model sees fit, under an effort. */
  readonly way: "budget" | "adaptive" | "none";
  /** What says that it is not to think: leaving the field out, a type, or the lowest effort where it always does. */
  readonly off: "omit" | "disabled" | "between_tools" | "low";
  /** The highest effort short of without limit. */
  readonly most: "high" | "xhigh" | "max";
  /** Thoughts are bound to what came before them. */
  readonly bound: boolean;
  /** Whether a temperature is accepted while it does not think. */
  readonly sampling: boolean;
}

// From the pages "Adaptive thinking", "Effort" and "Preserved thinking" and the migration guides of each model on
// platform.claude.com, as of November 2026. The first row that fits counts; Claudes that are newer are as the newest.
const rows: ReadonlyArray<readonly [id: RegExp, facts: ThinkingFacts]> = [
  [/claude-(3|instant|2)/, { way: "budget", off: "omit", most: "high", bound: false, sampling: true }],
  [
    /claude-(opus|sonnet|haiku)-4([-.][0-5])?(?!\d|[-.]\d(?!\d))/,
    { way: "budget", off: "omit", most: "high", bound: false, sampling: true },
  ],
  [/claude-opus-4[-.]6/, { way: "adaptive", off: "omit", most: "max", bound: false, sampling: true }],
  [/claude-sonnet-4[-.]6/, { way: "adaptive", off: "omit", most: "high", bound: false, sampling: true }],
  [/claude-opus-4[-.][78]/, { way: "adaptive", off: "omit", most: "xhigh", bound: false, sampling: false }],
  [
    /claude-(opus|sonnet)-5(?![-.]\d(?!\d))/,
    { way: "adaptive", off: "disabled", most: "xhigh", bound: false, sampling: false },
  ],
  [
    /claude-(fable|mythos)-(5(?![-.]\d(?!\d))|preview)/,
    { way: "adaptive", off: "low", most: "xhigh", bound: false, sampling: false },
  ],
  [/claude-sonnet/, { way: "adaptive", off: "between_tools", most: "xhigh", bound: true, sampling: false }],
  [/claude-haiku/, { way: "adaptive", off: "disabled", most: "xhigh", bound: true, sampling: false }],
  [/claude/, { way: "adaptive", off: "low", most: "xhigh", bound: true, sampling: false }],
];
const others: ThinkingFacts = { way: "budget", off: "omit", most: "high", bound: false, sampling: true };

function factsOf({ id, compat }: ModelSpec): ThinkingFacts {
  const facts = rows.find(([pattern]) => pattern.test(id))?.[1] ?? others;
  const way = compat["thinkingFormat"];
  return way === "budget" || way === "adaptive" || way === "none" ? { ...facts, way } : facts;
}
