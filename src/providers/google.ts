import * as v from "valibot";
import { randomHex } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import type { AssistantMessage, StopReason, TextPart, ThinkingPart, ToolCallPart } from "../session/message.ts";
import { googleRequest } from "./google-request.ts";
import { brokenOff, failureFromEvent, garbled, providerFailure, refused } from "./provider-failure.ts";
import { getJson, postForEvents } from "./provider-exchange.ts";
import type { ListedModel, ModelEvent, ModelRequest, Provider, ProviderCall } from "./provider.ts";
import { usageOf } from "./provider-answer.ts";

/** The dialect of Google's Gemini API (ai.google.dev, "Generating content", `streamGenerateContent`). */
export const google = { api: "google-generative-ai", stream, models } satisfies Provider;

async function* stream(request: ModelRequest, call: ProviderCall): AsyncGenerator<ModelEvent> {
  const { model } = request;
  const url = `${rootOf(call)}/models/${encodeURIComponent(model.id.replace(/^models\//, ""))}:streamGenerateContent?alt=sse`;
  const answer = createAnswer(request, call);
  const sent = { url, headers: headersOf(call), body: googleRequest(request), model: model.id };
  for await (const { data } of postForEvents(call, sent)) yield* answer.take(data);
  yield* answer.finish();
}

const MAX_PAGES = 10;

async function models(call: ProviderCall): Promise<readonly ListedModel[]> {
  const found: ListedModel[] = [];
  let after = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const url = `${rootOf(call)}/models?pageSize=1000${after}`;
    const parsed = v.safeParse(modelPage, await getJson(call, { url, headers: headersOf(call) }));
    if (!parsed.success) throw garbled(call, { what: "a list of models" });
    for (const { name, displayName, inputTokenLimit, outputTokenLimit, supportedGenerationMethods } of parsed.output
      .models)
      if (supportedGenerationMethods === undefined || supportedGenerationMethods.includes("generateContent"))
        found.push({
          id: name.replace(/^models\//, ""),
          name: displayName,
          contextWindow: inputTokenLimit,
          maxTokens: outputTokenLimit,
        });
    const { nextPageToken } = parsed.output;
    if (nextPageToken === undefined || nextPageToken === "") break;
    after = `&pageToken=${encodeURIComponent(nextPageToken)}`;
  }
  return found;
}

/** The base URL may be given with or without the version. */
function rootOf({ endpoint }: ProviderCall): string {
  const base = endpoint.baseUrl.replace(/\/+$/, "");
  return /\/v\d+(alpha|beta)?$/.test(base) ? base : `${base}/v1beta`;
}

/** The key goes into a header: addresses end up in logs. */
function headersOf({ endpoint: { credential } }: ProviderCall): Record<string, string> {
  if (credential === undefined || credential.secret === "") return {};
  return credential.kind === "token"
    ? { authorization: `Bearer ${credential.secret}` }
    : { "x-goog-api-key": credential.secret };
}

type Open = { -readonly [K in keyof TextPart]: TextPart[K] } | { -readonly [K in keyof ThinkingPart]: ThinkingPart[K] };

interface Answer {
  /** Takes the data of one event; gives what it means. */
  take(data: string): readonly ModelEvent[];
  /** What the end of the stream means; throws when the answer had not ended. */
  finish(): readonly ModelEvent[];
}

function createAnswer({ model }: ModelRequest, call: ProviderCall): Answer {
  const content: Array<TextPart | ThinkingPart | ToolCallPart> = [];
  let open: Open | undefined;
  let usage: v.InferOutput<typeof chunk>["usageMetadata"];
  let responseId: string | undefined;
  let reason: string | undefined;
  let explained = "";

  const close = (): ModelEvent[] => {
    const thought = open?.type === "thinking" ? [{ type: "thought" as const, part: open }] : [];
    open = undefined;
    return thought;
  };
  const takeText = ({ text = "", thought, thoughtSignature }: Part): ModelEvent[] => {
    const type = thought === true ? "thinking" : "text";
    // A signature without text belongs to what came before it.
    const events = text !== "" && open !== undefined && open.type !== type ? close() : [];
    if (open === undefined) {
      if (text === "") return [];
      open = type === "text" ? { type, text: "" } : { type, thinking: "" };
      content.push(open);
    }
    if (open.type === "text") {
      open.text += text;
      if (thoughtSignature !== undefined) open.textSignature = thoughtSignature;
    } else {
      open.thinking += text;
      if (thoughtSignature !== undefined) open.thinkingSignature = thoughtSignature;
    }
    return text === "" ? events : [...events, { type, delta: text }];
  };
  const takeCall = ({ functionCall, thoughtSignature }: Part): ModelEvent[] => {
    const { id, name = "", args = {} } = functionCall ?? {};
    const part: ToolCallPart = {
      type: "toolCall",
      id: id === undefined || id === "" ? `call_${randomHex(12)}` : id,
      name,
      arguments: args,
      ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
    };
    const events = close();
    content.push(part);
    return [...events, { type: "toolCall", call: part }];
  };

  return {
    take(data) {
      const json = parseJson(data);
      const parsed = v.safeParse(chunk, json);
      if (!parsed.success) throw garbled(call, { model: model.id, what: "a GenerateContentResponse" });
      const { error, candidates, promptFeedback, usageMetadata } = parsed.output;
      if (error !== undefined) throw failureFromEvent(call, json, { model: model.id });
      if (promptFeedback?.blockReason !== undefined) {
        const { blockReason, blockReasonMessage } = promptFeedback;
        throw refused(call, { model: model.id, why: blockReasonMessage ?? `the prompt is blocked (${blockReason})` });
      }
      usage = usageMetadata ?? usage;
      responseId = parsed.output.responseId ?? responseId;
      const [candidate] = candidates ?? [];
      reason = candidate?.finishReason ?? reason;
      explained = candidate?.finishMessage ?? explained;
      return (candidate?.content?.parts ?? []).flatMap((part) => (part.functionCall ? takeCall(part) : takeText(part)));
    },
    finish() {
      if (reason === undefined || reason === "FINISH_REASON_UNSPECIFIED") throw brokenOff(call, { model: model.id });
      if (withheld.has(reason)) throw refused(call, { model: model.id, why: explained || reason });
      if (reason !== "STOP" && reason !== "MAX_TOKENS")
        throw providerFailure(`${model.id} gave up in the middle of its answer (${reason}): ask again`, {
          kind: "unknown",
          provider: call.endpoint.provider,
          model: model.id,
          providerErrorType: reason,
        });
      const cached = usage?.cachedContentTokenCount ?? 0;
      const message: AssistantMessage = {
        role: "assistant",
        content,
        api: "google-generative-ai",
        provider: model.provider,
        model: model.id,
        usage: usageOf(model.cost, {
          input: (usage?.promptTokenCount ?? 0) + (usage?.toolUsePromptTokenCount ?? 0) - cached,
          output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
          cacheRead: cached,
        }),
        stopReason: stopReasonOf(reason, content),
        timestamp: call.now(),
        ...(responseId === undefined ? {} : { responseId }),
      };
      return [...close(), { type: "done", message }];
    },
  };
}

function stopReasonOf(reason: string, content: AssistantMessage["content"]): StopReason {
  if (reason === "MAX_TOKENS") return "length";
  return content.some(({ type }) => type === "toolCall") ? "toolUse" : "stop";
}

/** The reasons to finish with which an answer is kept back. */
const withheld: ReadonlySet<string> = new Set([
  "SAFETY",
  "RECITATION",
  "LANGUAGE",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
]);

const part = v.looseObject({
  text: v.optional(v.string()),
  thought: v.optional(v.boolean()),
  thoughtSignature: v.optional(v.string()),
  functionCall: v.optional(
    v.looseObject({
      id: v.optional(v.string()),
      name: v.optional(v.string()),
      args: v.optional(v.record(v.string(), v.unknown())),
    }),
  ),
});
type Part = v.InferOutput<typeof part>;

const tokens = v.optional(v.number());
const chunk = v.looseObject({
  error: v.optional(v.unknown()),
  candidates: v.optional(
    v.array(
      v.looseObject({
        content: v.optional(v.looseObject({ parts: v.optional(v.array(part)) })),
        finishReason: v.optional(v.string()),
        finishMessage: v.optional(v.string()),
      }),
    ),
  ),
  promptFeedback: v.optional(
    v.looseObject({ blockReason: v.optional(v.string()), blockReasonMessage: v.optional(v.string()) }),
  ),
  usageMetadata: v.optional(
    v.looseObject({
      promptTokenCount: tokens,
      cachedContentTokenCount: tokens,
      candidatesTokenCount: tokens,
      thoughtsTokenCount: tokens,
      toolUsePromptTokenCount: tokens,
    }),
  ),
  responseId: v.optional(v.string()),
});

const modelPage = v.looseObject({
  models: v.array(
    v.looseObject({
      name: v.string(),
      displayName: v.optional(v.string()),
      inputTokenLimit: v.optional(v.number()),
      outputTokenLimit: v.optional(v.number()),
      supportedGenerationMethods: v.optional(v.array(v.string())),
    }),
  ),
  nextPageToken: v.optional(v.string()),
});
