import * as v from "valibot";
import { isObject, parseJson } from "../kit/json.ts";
import type { AssistantMessage, StopReason, ThinkingPart, ToolCallPart } from "../session/message.ts";
import { anthropicRequest } from "./anthropic-request.ts";
import { argumentsOf, usageOf } from "./provider-answer.ts";
import { brokenOff, failureFromEvent, garbled, refused } from "./provider-failure.ts";
import { getJson, postForEvents } from "./provider-exchange.ts";
import type { ListedModel, ModelEvent, ModelRequest, Provider, ProviderCall } from "./provider.ts";

/** Anthropic's Messages dialect (platform.claude.com, "Streaming messages"), for Claude and who speaks like it. */
export const anthropic = { api: "anthropic-messages", stream, models } satisfies Provider;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const { body, betas } = anthropicRequest(request);
  const url = `${rootOf(call)}/v1/messages`;
  const headers = headersOf(call, betas);
  const answer = createAnswer(request, call);
  for await (const { data } of postForEvents(call, { url, headers, body, model: request.model.id })) {
    const events = answer.take(data);
    yield* events;
    if (events.at(-1)?.type === "done") return;
  }
  throw brokenOff(call, { model: request.model.id });
}

const MAX_PAGES = 10;

async function models(call: ProviderCall): Promise<readonly ListedModel[]> {
  const found: ListedModel[] = [];
  let after = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const url = `${rootOf(call)}/v1/models?limit=1000${after}`;
    const parsed = v.safeParse(modelPage, await getJson(call, { url, headers: headersOf(call, []) }));
    if (!parsed.success) throw garbled(call, { what: "a list of models" });
    const { data, has_more, last_id } = parsed.output;
    for (const { id, display_name: name, max_input_tokens: contextWindow, max_tokens: maxTokens } of data)
      found.push({ id, name, contextWindow: contextWindow ?? undefined, maxTokens: maxTokens ?? undefined });
    if (has_more !== true || last_id === undefined || last_id === null) break;
    after = `&after_id=${encodeURIComponent(last_id)}`;
  }
  return found;
}

/** The base URL may be given with the version, as other dialects want it. */
function rootOf({ endpoint }: ProviderCall): string {
  return endpoint.baseUrl.replace(/\/+$/, "").replace(/\/v1$/, "");
}

function headersOf({ endpoint: { credential } }: ProviderCall, betas: readonly string[]): Record<string, string> {
  const secret = credential?.secret ?? "";
  const proof: Record<string, string> =
    credential?.kind === "token" ? { authorization: `Bearer ${secret}` } : secret === "" ? {} : { "x-api-key": secret };
  const all = secret.startsWith("sk-ant-oat") ? ["oauth-2025-04-20", ...betas] : betas;
  return {
    "anthropic-version": "2023-06-01",
    ...proof,
    ...(all.length > 0 ? { "anthropic-beta": all.join(",") } : {}),
  };
}

type Block =
  | { readonly type: "text"; text: string }
  | { readonly type: "thinking"; thinking: string; signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown; json: string }
  | { readonly type: "other" };

interface Answer {
  /** Takes the data of one event; gives what it means, `done` the last. */
  take(data: string): readonly ModelEvent[];
}

function createAnswer(request: ModelRequest, call: ProviderCall): Answer {
  const { model } = request;
  const blocks = new Map<number, Block>();
  let usage: v.InferOutput<typeof counts> = {};
  let responseId: string | undefined;
  let stop: v.InferOutput<typeof events.message_delta>["delta"] | undefined;

  const finish = (): ModelEvent => {
    if (stop?.stop_reason === "refusal")
      throw refused(call, {
        model: model.id,
        why: stop.stop_details?.explanation ?? stop.stop_details?.category ?? "",
      });
    const content = [...blocks.values()].flatMap(partOf);
    const message: AssistantMessage = {
      role: "assistant",
      content,
      api: "anthropic-messages",
      provider: model.provider,
      model: model.id,
      usage: usageOf(model.cost, {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cacheRead: usage.cache_read_input_tokens,
        cacheWrite: usage.cache_creation_input_tokens,
      }),
      stopReason: stopReasonOf(stop?.stop_reason, content),
      timestamp: call.now(),
      ...(responseId === undefined ? {} : { responseId }),
    };
    return { type: "done", message };
  };

  return {
    take(data) {
      const json = parseJson(data);
      const type = isObject(json) ? json["type"] : undefined;
      if (type === "error") throw failureFromEvent(call, json, { model: model.id });
      const event = eventOf(json, type);
      if (event === "unknown") return [];
      if (event === "wrong") throw garbled(call, { model: model.id, what: "an event of the Messages API" });
      switch (event.type) {
        case "message_start":
          responseId = event.message.id;
          usage = { ...usage, ...event.message.usage };
          return [];
        case "content_block_start":
          blocks.set(event.index, blockOf(event.content_block));
          return opening(event.content_block);
        case "content_block_delta":
          return extend(blocks.get(event.index), event.delta);
        case "content_block_stop":
          return closing(blocks.get(event.index));
        case "message_delta":
          stop = event.delta;
          usage = { ...usage, ...event.usage };
          return [];
        case "message_stop":
          break;
      }
      return [finish()];
    },
  };
}

const text = v.optional(v.string(), "");
// The numbers of the last event that has them count; a null in a later one means nothing.
const count = v.exactOptional(v.number());
const counts = v.pipe(
  v.record(v.string(), v.unknown()),
  v.transform((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === "number"))),
  v.object({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
  }),
);
const block = v.looseObject({
  type: v.string(),
  text,
  thinking: text,
  signature: text,
  data: text,
  id: text,
  name: text,
  input: v.optional(v.unknown()),
});
const delta = v.looseObject({ type: v.string(), text, thinking: text, signature: text, partial_json: text });
const index = v.pipe(v.number(), v.integer(), v.minValue(0));
const events = {
  message_start: v.looseObject({
    type: v.literal("message_start"),
    message: v.looseObject({ id: v.optional(v.string()), usage: v.nullish(counts) }),
  }),
  content_block_start: v.looseObject({ type: v.literal("content_block_start"), index, content_block: block }),
  content_block_delta: v.looseObject({ type: v.literal("content_block_delta"), index, delta }),
  content_block_stop: v.looseObject({ type: v.literal("content_block_stop"), index }),
  message_delta: v.looseObject({
    type: v.literal("message_delta"),
    delta: v.looseObject({
      stop_reason: v.nullish(v.string()),
      stop_details: v.optional(
        v.nullable(
          v.looseObject({
            category: v.nullish(v.string()),
            explanation: v.nullish(v.string()),
          }),
        ),
      ),
    }),
    usage: v.nullish(counts),
  }),
  message_stop: v.looseObject({ type: v.literal("message_stop") }),
};
type Event = { [T in keyof typeof events]: v.InferOutput<(typeof events)[T]> }[keyof typeof events];

const modelPage = v.looseObject({
  data: v.array(
    v.looseObject({
      id: v.string(),
      display_name: v.optional(v.string()),
      max_input_tokens: v.nullish(v.number()),
      max_tokens: v.nullish(v.number()),
    }),
  ),
  has_more: v.optional(v.boolean()),
  last_id: v.nullish(v.string()),
});

/** Events of a type that nobody knows may come at any time and mean nothing here (`ping` is one of them). */
function eventOf(json: unknown, type: unknown): Event | "unknown" | "wrong" {
  if (typeof type !== "string") return "wrong";
  if (!Object.hasOwn(events, type)) return "unknown";
  const parsed = v.safeParse(events[type as keyof typeof events], json);
  return parsed.success ? parsed.output : "wrong";
}

function blockOf(start: v.InferOutput<typeof block>): Block {
  const { type, text, thinking, signature, data, id, name, input } = start;
  switch (type) {
    case "text":
      return { type, text };
    case "thinking":
      return { type, thinking, signature };
    case "redacted_thinking":
      return { type, data };
    case "tool_use":
      return { type, id, name, input, json: "" };
    default:
      return { type: "other" };
  }
}

function opening({ type, text, thinking }: v.InferOutput<typeof block>): readonly ModelEvent[] {
  if (type === "text" && text !== "") return [{ type: "text", delta: text }];
  if (type === "thinking" && thinking !== "") return [{ type: "thinking", delta: thinking }];
  return [];
}

function extend(block: Block | undefined, change: v.InferOutput<typeof delta>): readonly ModelEvent[] {
  if (block?.type === "text" && change.type === "text_delta") {
    block.text += change.text;
    return [{ type: "text", delta: change.text }];
  }
  if (block?.type === "thinking" && change.type === "thinking_delta") {
    block.thinking += change.thinking;
    return change.thinking === "" ? [] : [{ type: "thinking", delta: change.thinking }];
  }
  if (block?.type === "thinking" && change.type === "signature_delta") block.signature += change.signature;
  if (block?.type === "tool_use" && change.type === "input_json_delta") block.json += change.partial_json;
  return [];
}

function closing(block: Block | undefined): readonly ModelEvent[] {
  const [part] = block === undefined ? [] : partOf(block);
  if (part?.type === "thinking") return [{ type: "thought", part }];
  if (part?.type === "toolCall") return [{ type: "toolCall", call: part }];
  return [];
}

function partOf(block: Block): ReadonlyArray<{ type: "text"; text: string } | ThinkingPart | ToolCallPart> {
  switch (block.type) {
    case "text":
      return block.text === "" ? [] : [{ type: "text", text: block.text }];
    case "thinking": {
      const { thinking, signature } = block;
      return [{ type: "thinking", thinking, ...(signature === "" ? {} : { thinkingSignature: signature }) }];
    }
    case "redacted_thinking":
      return [{ type: "thinking", thinking: "", thinkingSignature: block.data, redacted: true }];
    case "tool_use": {
      const { id, name, input, json } = block;
      // Who speaks like Anthropic may give the arguments whole, at the start.
      return [{ type: "toolCall", id, name, arguments: json === "" && isObject(input) ? input : argumentsOf(json) }];
    }
    default:
      return [];
  }
}

function stopReasonOf(reason: string | null | undefined, content: AssistantMessage["content"]): StopReason {
  if (reason === "max_tokens" || reason === "model_context_window_exceeded") return "length";
  return content.some(({ type }) => type === "toolCall") ? "toolUse" : "stop";
}
