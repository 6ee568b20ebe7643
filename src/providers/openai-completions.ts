import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { AssistantMessage, ThinkingPart, ToolCallPart, Usage } from "../session/message.ts";
import { completionsRequest } from "./openai-completions-request.ts";
import { contentOf, createTagReader, keepDetail, reasoningOf } from "./openai-completions-thoughts.ts";
import { argumentsOf, countIn, usageOf } from "./provider-answer.ts";
import { brokenOff, failureFromEvent, garbled, refused } from "./provider-failure.ts";
import { getJson, postForEvents } from "./provider-exchange.ts";
import type { ListedModel, ModelEvent, ModelRequest, ModelSpec, Provider, ProviderCall } from "./provider.ts";

/**
 * OpenAI's Chat Completions dialect (platform.openai.com, "Chat Completions: streaming"), which most providers and
 * model servers speak. `openai-completions-request.ts` says which keys of `compat` there are.
 */
export const openaiCompletions = { api: "openai-completions", stream, models } satisfies Provider;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const { model } = request;
  const url = `${call.endpoint.baseUrl}/chat/completions`;
  const body = completionsRequest(request);
  const answer = createAnswer(model, call);
  for await (const { data } of postForEvents(call, { url, headers: headersOf(call), body, model: model.id })) {
    if (data === "[DONE]") break;
    const chunk = parseJson(data);
    if (!isObject(chunk)) throw garbled(call, { model: model.id, what: "a chunk of a chat completion" });
    yield* answer.take(chunk);
  }
  // Not every server says [DONE], but all say why they stopped.
  if (!answer.finished()) throw brokenOff(call, { model: model.id });
  yield* answer.end();
}

async function models(call: ProviderCall): Promise<readonly ListedModel[]> {
  const { data } = await getJson(call, { url: `${call.endpoint.baseUrl}/models`, headers: headersOf(call) });
  if (!Array.isArray(data)) throw garbled(call, { what: "a list of models" });
  return data.filter(isObject).flatMap((entry): readonly ListedModel[] => {
    const { id, name } = entry;
    if (typeof id !== "string") return [];
    const top = isObject(entry["top_provider"]) ? entry["top_provider"] : {};
    return [
      {
        id,
        name: typeof name === "string" ? name : undefined,
        // By the names of OpenRouter and Together, Groq, vLLM, and Mistral.
        contextWindow: firstCount(entry, ["context_length", "context_window", "max_model_len", "max_context_length"]),
        maxTokens: firstCount({ ...entry, ...top }, ["max_completion_tokens", "max_tokens"]),
      },
    ];
  });
}

function firstCount(entry: JsonObject, names: readonly string[]): number | undefined {
  return names.map((name) => countIn(entry, name)).find((count) => count > 0);
}

function headersOf({ endpoint: { credential, baseUrl } }: ProviderCall): Readonly<Record<string, string>> {
  return {
    ...(credential ? { authorization: `Bearer ${credential.secret}` } : {}),
    // OpenRouter lists programs by these.
    ...(/^https:\/\/openrouter\.ai(\/|$)/.test(baseUrl)
      ? { "http-referer": "https://www.npmjs.com/package/clawlet", "x-title": "Clawlet" }
      : {}),
  };
}

interface OpenCall {
  readonly type: "call";
  id: string;
  name: string;
  json: string;
}

type Piece = { readonly type: "text"; text: string } | { readonly type: "thinking"; text: string } | OpenCall;

interface Answer {
  /** Takes a chunk; gives what it means. */
  take(chunk: JsonObject): Generator<ModelEvent>;
  /** It has said why it stopped. */
  finished(): boolean;
  /** Gives what can be said only now, `done` the last. */
  end(): Generator<ModelEvent>;
}

const MOST_CALLS = 128;

function createAnswer(model: ModelSpec, call: ProviderCall): Answer {
  const pieces: Piece[] = [];
  /** By the index that chunks give them. */
  const calls = new Map<number, OpenCall>();
  const tags = createTagReader();
  const details: JsonObject[] = [];
  let usage: JsonObject | undefined;
  let responseId: string | undefined;
  let reason: string | undefined;
  let refusal = "";

  function* add(type: "text" | "thinking", delta: string): Generator<ModelEvent> {
    if (delta === "") return;
    const last = pieces.at(-1);
    if (last?.type === type) last.text += delta;
    else {
      yield* thoughtOver();
      pieces.push({ type, text: delta });
    }
    yield { type, delta };
  }

  function* thoughtOver(): Generator<ModelEvent> {
    const last = pieces.at(-1);
    if (last?.type === "thinking") yield { type: "thought", part: { type: "thinking", thinking: last.text } };
  }

  function* addCall(delta: JsonObject, position: number): Generator<ModelEvent> {
    const { id, name, json } = callDelta(delta);
    const index = typeof delta["index"] === "number" ? delta["index"] : position;
    let open = calls.get(index);
    // Some servers give every call the index 0, whole and with an id of its own.
    if (!open || (open.id !== "" && id !== "" && id !== open.id && name !== "")) {
      if (pieces.filter(({ type }) => type === "call").length >= MOST_CALLS)
        throw garbled(call, { model: model.id, what: `an answer with at most ${MOST_CALLS} calls of tools` });
      yield* thoughtOver();
      open = { type: "call", id: "", name: "", json: "" };
      calls.set(index, open);
      pieces.push(open);
    }
    open.id ||= id;
    open.name ||= name;
    open.json += json;
  }

  return {
    *take(chunk) {
      const [choice] = Array.isArray(chunk["choices"]) ? chunk["choices"].filter(isObject) : [];
      const error = chunk["error"] ?? choice?.["error"];
      if (error) throw failureFromEvent(call, { error }, { model: model.id });
      if (typeof chunk["id"] === "string" && chunk["id"] !== "") responseId = chunk["id"];
      // At the end, or so far with every chunk; where Moonshot and Groq put it comes last.
      const groq = isObject(chunk["x_groq"]) ? chunk["x_groq"]["usage"] : undefined;
      usage = [chunk["usage"], choice?.["usage"], groq].find(isObject) ?? usage;
      if (!choice) return;
      const delta = isObject(choice["delta"]) ? choice["delta"] : {};
      const content = contentOf(delta["content"]);
      const tagged = tags.read(content.text);
      yield* add("thinking", content.thinking + reasoningOf(delta) + tagged.thinking);
      yield* add("text", tagged.text);
      if (Array.isArray(delta["reasoning_details"]))
        for (const detail of delta["reasoning_details"].filter(isObject)) keepDetail(details, detail);
      if (typeof delta["refusal"] === "string") refusal += delta["refusal"];
      const list = Array.isArray(delta["tool_calls"]) ? delta["tool_calls"].filter(isObject) : [];
      for (const [position, one] of list.entries()) yield* addCall(one, position);
      if (typeof choice["finish_reason"] === "string" && choice["finish_reason"] !== "")
        reason = choice["finish_reason"];
    },
    finished: () => reason !== undefined,
    *end() {
      if (refusal !== "") throw refused(call, { model: model.id, why: refusal });
      if (reason === "content_filter") throw refused(call, { model: model.id, why: "the provider's content filter" });
      if (reason === "error") throw failureFromEvent(call, {}, { model: model.id });
      const rest = tags.end();
      yield* add("thinking", rest.thinking);
      yield* add("text", rest.text);
      yield* thoughtOver();
      const content = contentParts(pieces, `${responseId ?? ""}${call.now()}`);
      for (const part of content) if (part.type === "toolCall") yield { type: "toolCall", call: part };
      if (details.length > 0) {
        // OpenRouter wants them back as they came; they repeat what is in the thoughts, or hide it.
        const part: ThinkingPart = {
          type: "thinking",
          thinking: "",
          thinkingSignature: JSON.stringify(details),
          redacted: true,
        };
        content.push(part);
        yield { type: "thought", part };
      }
      const message: AssistantMessage = {
        role: "assistant",
        content,
        api: "openai-completions",
        provider: model.provider,
        model: model.id,
        usage: usageFrom(usage ?? {}, model),
        stopReason: stopReasonOf(reason, content),
        timestamp: call.now(),
        ...(responseId === undefined ? {} : { responseId }),
      };
      yield { type: "done", message };
    },
  };
}

/** The parts of a call's delta; a server that gives the arguments as an object gives them whole. */
function callDelta(delta: JsonObject): Omit<OpenCall, "type"> {
  const { name, arguments: args } = isObject(delta["function"]) ? delta["function"] : {};
  return {
    id: typeof delta["id"] === "string" ? delta["id"] : "",
    name: typeof name === "string" ? name : "",
    json: typeof args === "string" ? args : isObject(args) ? JSON.stringify(args) : "",
  };
}

function contentParts(pieces: readonly Piece[], seed: string): Array<AssistantMessage["content"][number]> {
  const taken = new Set<string>();
  return pieces.flatMap((piece, index): readonly AssistantMessage["content"][number][] => {
    if (piece.type === "thinking") return [{ type: "thinking", thinking: piece.text }];
    if (piece.type === "text") return piece.text.trim() === "" ? [] : [{ type: "text", text: piece.text }];
    // Some servers give no id, or the same one twice.
    const id = piece.id === "" || taken.has(piece.id) ? `call_${index}_${seed}` : piece.id;
    taken.add(id);
    return [{ type: "toolCall", id, name: piece.name, arguments: argumentsOf(piece.json) } satisfies ToolCallPart];
  });
}

function usageFrom(counts: JsonObject, { cost }: ModelSpec): Usage {
  const details = counts["prompt_tokens_details"];
  const prompt = countIn(counts, "prompt_tokens");
  // DeepSeek's and Moonshot's names besides OpenAI's.
  const cacheRead = Math.min(
    prompt,
    countIn(details, "cached_tokens") || countIn(counts, "prompt_cache_hit_tokens") || countIn(counts, "cached_tokens"),
  );
  const cacheWrite = Math.min(prompt - cacheRead, countIn(details, "cache_write_tokens"));
  // xAI counts thoughts only in the total.
  const output = Math.max(countIn(counts, "completion_tokens"), countIn(counts, "total_tokens") - prompt);
  const usage = usageOf(cost, { input: prompt - cacheRead - cacheWrite, output, cacheRead, cacheWrite });
  // OpenRouter says what it took, in US dollars: all there is where the price depends on the model that it chose.
  const charged = countIn(counts, "cost");
  return usage.cost.total > 0 || charged === 0 ? usage : { ...usage, cost: { ...usage.cost, total: charged } };
}

function stopReasonOf(reason: string | undefined, content: AssistantMessage["content"]): "stop" | "length" | "toolUse" {
  if (reason === "length" || reason === "max_tokens") return "length";
  return content.some(({ type }) => type === "toolCall") ? "toolUse" : "stop";
}
