import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { AssistantMessage, TextPart, ThinkingPart, Usage } from "../session/message.ts";
import { responsesRequest } from "./openai-responses-request.ts";
import { argumentsOf, countIn, usageOf } from "./provider-answer.ts";
import { brokenOff, failureFromEvent, garbled, refused } from "./provider-failure.ts";
import { getJson, postForEvents } from "./provider-exchange.ts";
import type { ListedModel, ModelEvent, ModelRequest, ModelSpec, Provider, ProviderCall } from "./provider.ts";

/** OpenAI's Responses dialect (platform.openai.com, "Responses: streaming events"). */
export const openaiResponses = { api: "openai-responses", stream, models } satisfies Provider;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const { model } = request;
  const url = `${call.endpoint.baseUrl}/responses`;
  const body = responsesRequest(request);
  const answer = createAnswer(model, call);
  for await (const { data } of postForEvents(call, { url, headers: headersOf(call), body, model: model.id })) {
    const event = parseJson(data);
    if (!isObject(event) || typeof event["type"] !== "string") {
      if (data === "[DONE]") continue; // servers that only resemble OpenAI's say it here too
      throw garbled(call, { model: model.id, what: "an event of the Responses API" });
    }
    const events = answer.take(event);
    yield* events;
    if (events.at(-1)?.type === "done") return;
  }
  throw brokenOff(call, { model: model.id });
}

async function models(call: ProviderCall): Promise<readonly ListedModel[]> {
  const { data } = await getJson(call, { url: `${call.endpoint.baseUrl}/models`, headers: headersOf(call) });
  if (!Array.isArray(data)) throw garbled(call, { what: "a list of models" });
  return data.flatMap((entry) => (isObject(entry) && typeof entry["id"] === "string" ? [{ id: entry["id"] }] : []));
}

function headersOf({ endpoint: { credential } }: ProviderCall): Readonly<Record<string, string>> {
  return credential ? { authorization: `Bearer ${credential.secret}` } : {};
}

interface Answer {
  /** Takes an event; gives what it means, `done` the last. */
  take(event: JsonObject): readonly ModelEvent[];
}

type Part = AssistantMessage["content"][number];

function createAnswer(model: ModelSpec, call: ProviderCall): Answer {
  const content: Part[] = [];
  let refusal = "";
  let thoughtTexts = 0;

  const takeItem = (item: unknown): readonly ModelEvent[] => {
    if (!isObject(item)) return [];
    thoughtTexts = 0;
    refusal ||= refusalIn(item);
    const parts = partsOf(item);
    content.push(...parts);
    return parts.flatMap((part): readonly ModelEvent[] => {
      if (part.type === "thinking") return [{ type: "thought", part }];
      return part.type === "toolCall" ? [{ type: "toolCall", call: part }] : [];
    });
  };

  const finish = (response: JsonObject, cut: boolean): readonly ModelEvent[] => {
    // OpenAI gives every item when it is over, and all of them again here; others do one or the other.
    const output = content.length === 0 && Array.isArray(response["output"]) ? response["output"] : [];
    const late = output.flatMap(takeItem);
    const reason = isObject(response["incomplete_details"]) ? response["incomplete_details"]["reason"] : undefined;
    if (reason === "content_filter") refusal ||= "the provider's content filter";
    if (refusal !== "") throw refused(call, { model: model.id, why: refusal });
    const { id } = response;
    const message: AssistantMessage = {
      role: "assistant",
      content,
      api: "openai-responses",
      provider: model.provider,
      model: model.id,
      usage: usageFrom(response["usage"], model),
      stopReason: cut ? "length" : content.some(({ type }) => type === "toolCall") ? "toolUse" : "stop",
      timestamp: call.now(),
      ...(typeof id === "string" ? { responseId: id } : {}),
    };
    return [...late, { type: "done", message }];
  };

  return {
    take(event) {
      const delta = typeof event["delta"] === "string" ? event["delta"] : "";
      const response = isObject(event["response"]) ? event["response"] : {};
      switch (event["type"]) {
        case "response.output_text.delta":
          return delta === "" ? [] : [{ type: "text", delta }];
        case "response.reasoning_summary_part.added":
          return thoughtTexts++ === 0 ? [] : [{ type: "thinking", delta: "\n\n" }];
        case "response.reasoning_summary_text.delta":
        case "response.reasoning_text.delta":
          return delta === "" ? [] : [{ type: "thinking", delta }];
        case "response.output_item.done":
          return takeItem(event["item"]);
        case "response.completed":
          return finish(response, false);
        case "response.incomplete":
          return finish(response, true);
        case "response.failed":
        case "response.cancelled":
          throw failureFromEvent(call, { error: response["error"] }, { model: model.id });
        case "error":
          throw failureFromEvent(call, event, { model: model.id });
        default:
          return []; // there are many more, and new ones may come at any time; what counts is repeated in the items
      }
    },
  };
}

function partsOf(item: JsonObject): readonly Part[] {
  switch (item["type"]) {
    case "message":
      return messageParts(item);
    case "reasoning":
      return thoughtParts(item);
    case "function_call":
      return [
        {
          type: "toolCall",
          id: textIn(item, "call_id") || textIn(item, "id"),
          name: textIn(item, "name"),
          arguments: argumentsOf(textIn(item, "arguments")),
        },
      ];
    default:
      return [];
  }
}

/** Newer models mark what is said on the way and what is the answer, and want the mark back. */
function messageParts(item: JsonObject): readonly TextPart[] {
  const text = textsIn(item["content"], "output_text").join("");
  const phase = textIn(item, "phase");
  return text === "" ? [] : [{ type: "text", text, ...(phase === "" ? {} : { textSignature: phase }) }];
}

/** A thought, its signature the item as it is to be sent again. What is not encrypted cannot be: it was not kept. */
function thoughtParts(item: JsonObject): readonly ThinkingPart[] {
  const { id, encrypted_content: encrypted } = item;
  const summary = textsIn(item["summary"], "summary_text");
  const thinking = summary.join("\n\n") || textsIn(item["content"], "reasoning_text").join("");
  if (typeof id !== "string" || typeof encrypted !== "string" || encrypted === "")
    return thinking === "" ? [] : [{ type: "thinking", thinking }];
  const parts = summary.map((text) => ({ type: "summary_text", text }));
  const replay = { type: "reasoning", id, summary: parts, encrypted_content: encrypted };
  const hidden = thinking === "" ? { redacted: true } : {};
  return [{ type: "thinking", thinking, thinkingSignature: JSON.stringify(replay), ...hidden }];
}

function refusalIn({ content }: JsonObject): string {
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  return parts.map((part) => (part["type"] === "refusal" ? textIn(part, "refusal") || "no reason given" : "")).join("");
}

function textsIn(parts: unknown, type: string): readonly string[] {
  const list = Array.isArray(parts) ? parts.filter(isObject) : [];
  return list.filter((part) => part["type"] === type).map((part) => textIn(part, "text"));
}

function textIn(object: JsonObject, key: string): string {
  return typeof object[key] === "string" ? object[key] : "";
}

function usageFrom(counts: unknown, { cost }: ModelSpec): Usage {
  const input = countIn(counts, "input_tokens");
  const details = isObject(counts) ? counts["input_tokens_details"] : undefined;
  const cacheRead = Math.min(input, countIn(details, "cached_tokens"));
  const cacheWrite = Math.min(input - cacheRead, countIn(details, "cache_write_tokens"));
  const output = countIn(counts, "output_tokens");
  return usageOf(cost, { input: input - cacheRead - cacheWrite, output, cacheRead, cacheWrite });
}
