import { isObject, type JsonObject } from "../kit/json.ts";
import type {
  AssistantMessage,
  ImagePart,
  Message,
  StopReason,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  Usage,
} from "./message.ts";

/**
 * A message out of a file that anybody may have written. Parts that make no sense are left out, numbers that are missing
 * are zero; undefined when it is no message at all. `written` is when the entry was, as ISO 8601.
 */
export function messageOf(value: unknown, written?: unknown): Message | undefined {
  if (!isObject(value)) return undefined;
  const timestamp = isNumber(value["timestamp"]) ? value["timestamp"] : timeOf(written);
  const { idempotencyKey, toolCallId, toolName, isError, details } = value;
  switch (value["role"]) {
    case "user":
      return {
        role: "user",
        content: shownParts(value["content"]),
        timestamp,
        ...(typeof idempotencyKey === "string" ? { idempotencyKey } : {}),
      };
    case "assistant":
      return assistant(value, timestamp);
    case "toolResult":
      if (typeof toolCallId !== "string" || typeof toolName !== "string") return undefined;
      return {
        role: "toolResult",
        toolCallId,
        toolName,
        content: shownParts(value["content"]),
        ...(details === undefined ? {} : { details }),
        isError: isError === true,
        timestamp,
      };
    default:
      return undefined;
  }
}

const stopReasons = ["stop", "length", "toolUse", "error", "aborted", "injected"] as const satisfies StopReason[];

function assistant(value: JsonObject, timestamp: number): AssistantMessage {
  const { responseId, errorMessage } = value;
  return {
    role: "assistant",
    content: partsOf(value["content"]).filter((part) => isText(part) || isThinking(part) || isCall(part)),
    api: textAt(value, "api"),
    provider: textAt(value, "provider"),
    model: textAt(value, "model"),
    usage: usageOf(value["usage"]),
    stopReason: stopReasons.find((reason) => reason === value["stopReason"]) ?? "stop",
    timestamp,
    ...(typeof responseId === "string" ? { responseId } : {}),
    ...(typeof errorMessage === "string" ? { errorMessage } : {}),
  };
}

function shownParts(content: unknown): readonly (TextPart | ImagePart)[] {
  return partsOf(content).filter((part) => isText(part) || isImage(part));
}

/** Older files hold a text where newer ones hold parts. */
function partsOf(content: unknown): readonly unknown[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content : [];
}

function isText(part: unknown): part is TextPart {
  return isObject(part) && part["type"] === "text" && typeof part["text"] === "string";
}

function isImage(part: unknown): part is ImagePart {
  if (!isObject(part) || part["type"] !== "image" || typeof part["mimeType"] !== "string") return false;
  return [part["media"], part["data"], part["fileName"]].every(
    (each) => each === undefined || typeof each === "string",
  );
}

function isThinking(part: unknown): part is ThinkingPart {
  return isObject(part) && part["type"] === "thinking" && typeof part["thinking"] === "string";
}

function isCall(part: unknown): part is ToolCallPart {
  if (!isObject(part) || part["type"] !== "toolCall") return false;
  return typeof part["id"] === "string" && typeof part["name"] === "string" && isObject(part["arguments"]);
}

function usageOf(value: unknown): Usage {
  const usage = isObject(value) ? value : {};
  const cost = isObject(usage["cost"]) ? usage["cost"] : {};
  return {
    input: numberAt(usage, "input"),
    output: numberAt(usage, "output"),
    cacheRead: numberAt(usage, "cacheRead"),
    cacheWrite: numberAt(usage, "cacheWrite"),
    totalTokens: numberAt(usage, "totalTokens"),
    cost: {
      input: numberAt(cost, "input"),
      output: numberAt(cost, "output"),
      cacheRead: numberAt(cost, "cacheRead"),
      cacheWrite: numberAt(cost, "cacheWrite"),
      total: numberAt(cost, "total"),
    },
  };
}

function textAt(value: JsonObject, name: string): string {
  const text = value[name];
  return typeof text === "string" ? text : "";
}

function numberAt(value: JsonObject, name: string): number {
  const number = value[name];
  return isNumber(number) ? number : 0;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function timeOf(written: unknown): number {
  const time = typeof written === "string" ? Date.parse(written) : Number.NaN;
  return Number.isNaN(time) ? 0 : time;
}
