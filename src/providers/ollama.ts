import * as v from "valibot";
import { randomHex } from "../kit/ids.ts";
import { type JsonObject, parseJson } from "../kit/json.ts";
import type {
  AssistantMessage,
  ImagePart,
  Message,
  StopReason,
  ThinkingPart,
  ToolCallPart,
} from "../session/message.ts";
import { argumentsOf, usageOf } from "./provider-answer.ts";
import { brokenOff, failureFromEvent, garbled } from "./provider-failure.ts";
import { getJson, postForLines } from "./provider-exchange.ts";
import { inOrder, isOwn, pictureNote } from "./provider-request.ts";
import type { ListedModel, ModelEvent, ModelRequest, ModelSpec, Provider, ProviderCall } from "./provider.ts";

/** Ollama's own dialect (docs.ollama.com, "Generate a chat message"): unlike its OpenAI one it can set the context's size. */
export const ollama = { api: "ollama", stream, models } satisfies Provider;

/** A model that is not in memory is read from the disk before anything is said. */
const IDLE_MS = 300_000;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const model = request.model.id;
  const answer = createAnswer(request, call);
  const url = `${rootOf(call)}/api/chat`;
  const sent = { url, headers: headersOf(call), body: bodyOf(request), model, idleMs: IDLE_MS };
  for await (const line of postForLines(call, sent)) {
    const events = answer.take(line);
    yield* events;
    if (events.at(-1)?.type === "done") return;
  }
  throw brokenOff(call, { model });
}

async function models(call: ProviderCall): Promise<readonly ListedModel[]> {
  const listed = v.safeParse(tags, await getJson(call, { url: `${rootOf(call)}/api/tags`, headers: headersOf(call) }));
  if (!listed.success) throw garbled(call, { what: "a list of models" });
  return listed.output.models.map(({ name }) => ({ id: name }));
}

/** The base URL may be that of the OpenAI dialect, or of the API. */
function rootOf({ endpoint }: ProviderCall): string {
  return endpoint.baseUrl.replace(/\/+$/, "").replace(/\/(v1|api)$/, "");
}

function headersOf({ endpoint: { credential } }: ProviderCall): Record<string, string> {
  return credential === undefined || credential.secret === "" ? {} : { authorization: `Bearer ${credential.secret}` };
}

function bodyOf(request: ModelRequest): JsonObject {
  const { model, tools, temperature, system } = request;
  const functions = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  return {
    model: model.id,
    stream: true,
    messages: [
      ...(system.trim() === "" ? [] : [{ role: "system", content: system }]),
      ...inOrder(request.messages).flatMap((message) => messagesOf(message, model)),
    ],
    ...(tools.length === 0 ? {} : { tools: functions.map((declared) => ({ type: "function", function: declared })) }),
    ...(model.reasoning ? { think: thinkOf(request) } : {}),
    options: {
      num_ctx: model.contextWindow,
      num_predict: Math.min(request.maxTokens ?? model.maxTokens, model.maxTokens),
      ...(temperature === undefined ? {} : { temperature }),
    },
  };
}

/** gpt-oss thinks at a level and always; all others do or do not (docs.ollama.com, "Thinking"). */
function thinkOf({ model, thinking: level }: ModelRequest): boolean | "low" | "medium" | "high" {
  if (!model.id.includes("gpt-oss")) return level !== "off";
  if (level === "high" || level === "xhigh") return "high";
  return level === "medium" ? "medium" : "low";
}

function messagesOf(message: Message, model: ModelSpec): JsonObject[] {
  if (message.role === "assistant") return answerOf(message, model);
  const { content } = message;
  const pictures = content.filter((part): part is ImagePart => part.type === "image");
  const seen = pictures.filter((part) => model.images && part.data !== undefined);
  const unseen = pictures.filter((part) => !seen.includes(part)).map(pictureNote);
  const text = [...content.flatMap((part) => (part.type === "text" ? [part.text] : [])), ...unseen].join("\n");
  const images = seen.length > 0 ? { images: seen.map(({ data }) => data) } : {};
  if (message.role === "user")
    return text === "" && seen.length === 0 ? [] : [{ role: "user", content: text, ...images }];
  const { toolName: tool_name, toolCallId: tool_call_id, isError } = message;
  return [{ role: "tool", tool_name, tool_call_id, content: isError ? `Error: ${text}` : text, ...images }];
}

function answerOf(message: AssistantMessage, model: ModelSpec): JsonObject[] {
  const of = (type: "text" | "thinking"): string =>
    message.content
      .flatMap((part) => (part.type === type ? [part.type === "text" ? part.text : part.thinking] : []))
      .join("");
  const calls = message.content.flatMap((part) =>
    part.type === "toolCall" ? [{ id: part.id, function: { name: part.name, arguments: part.arguments } }] : [],
  );
  const thinking = isOwn(message, model) && model.reasoning ? of("thinking") : "";
  if (of("text") === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content: of("text"),
      ...(thinking === "" ? {} : { thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

interface Answer {
  /** Takes one line; gives what it means, `done` the last. */
  take(line: string): readonly ModelEvent[];
}

function createAnswer({ model }: ModelRequest, call: ProviderCall): Answer {
  const calls: ToolCallPart[] = [];
  let text = "";
  let thinking = "";
  let thought = false;

  /** The thought is over when anything else comes. */
  const closeThought = (): ModelEvent[] => {
    if (thinking === "" || thought) return [];
    thought = true;
    return [{ type: "thought", part: { type: "thinking", thinking } }];
  };
  const finish = ({ done_reason, prompt_eval_count, eval_count }: v.InferOutput<typeof chunk>): AssistantMessage => {
    const parts: readonly ThinkingPart[] = thinking === "" ? [] : [{ type: "thinking", thinking }];
    const stopReason: StopReason = done_reason === "length" ? "length" : calls.length > 0 ? "toolUse" : "stop";
    return {
      role: "assistant",
      content: [...parts, ...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls],
      api: "ollama",
      provider: model.provider,
      model: model.id,
      usage: usageOf(model.cost, { input: prompt_eval_count, output: eval_count }),
      stopReason,
      timestamp: call.now(),
    };
  };

  return {
    take(line) {
      const json = parseJson(line);
      const parsed = v.safeParse(chunk, json);
      if (!parsed.success) throw garbled(call, { model: model.id, what: "a chat response of Ollama" });
      if (parsed.output.error !== undefined) throw failureFromEvent(call, json, { model: model.id });
      const { message, done } = parsed.output;
      const events: ModelEvent[] = [];
      if (message?.thinking) {
        thinking += message.thinking;
        events.push({ type: "thinking", delta: message.thinking });
      }
      if (message?.content) {
        text += message.content;
        events.push(...closeThought(), { type: "text", delta: message.content });
      }
      for (const { id, function: called } of message?.tool_calls ?? []) {
        const part: ToolCallPart = {
          type: "toolCall",
          id: id || `call_${randomHex(12)}`,
          name: called.name,
          arguments: typeof called.arguments === "string" ? argumentsOf(called.arguments) : (called.arguments ?? {}),
        };
        calls.push(part);
        events.push(...closeThought(), { type: "toolCall", call: part });
      }
      if (done === true) events.push(...closeThought(), { type: "done", message: finish(parsed.output) });
      return events;
    },
  };
}

const chunk = v.looseObject({
  error: v.optional(v.unknown()),
  message: v.optional(
    v.looseObject({
      content: v.nullish(v.string()),
      thinking: v.nullish(v.string()),
      tool_calls: v.nullish(
        v.array(
          v.looseObject({
            id: v.optional(v.string()),
            function: v.looseObject({
              name: v.string(),
              arguments: v.nullish(v.union([v.string(), v.record(v.string(), v.unknown())])),
            }),
          }),
        ),
      ),
    }),
  ),
  done: v.optional(v.boolean()),
  done_reason: v.optional(v.string()),
  prompt_eval_count: v.optional(v.number()),
  eval_count: v.optional(v.number()),
});

const tags = v.looseObject({ models: v.array(v.looseObject({ name: v.string() })) });
