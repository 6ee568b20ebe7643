import { isObject, type JsonObject } from "../kit/json.ts";
import type { ImagePart, Message } from "./message.ts";
import type { Entry } from "./transcript.ts";

/** A message as clients are shown it (protocol.md 6.5); `__openclaw` says where in the conversation it is. */
export type PublicMessage = JsonObject & {
  readonly role: string;
  readonly __openclaw: JsonObject & { readonly id: string; readonly seq: number };
};

/** The kinds of entries that `publicMessage` has something to show of. */
export const shownKinds = ["message", "compaction"] as const satisfies readonly Entry["type"][];

/** Characters of each text unless a caller asks for more or fewer. */
export const defaultMaxChars = 12_000;

/** Bytes of JSON, about: a message that is longer with all its texts cut is shown as a note in its place. */
const maxMessage = 512 * 1024;

/**
 * An entry of a transcript for clients; undefined when it is none that people see. Long texts are cut, and say so;
 * pictures and the opaque proofs of providers are left out: a list of messages never carries megabytes.
 */
export function publicMessage(entry: Entry, maxChars = defaultMaxChars): PublicMessage | undefined {
  const shown = placed(entry, maxChars);
  return shown && (isTooLarge(JSON.stringify(shown), maxChars) ? leftOut(shown) : shown);
}

/** The same as JSON, for answers of many messages: kept as long as the entry is, as every window asks for the same end. */
export function publicJson(entry: Entry, maxChars = defaultMaxChars): string | undefined {
  const isUsual = maxChars === defaultMaxChars;
  const known = isUsual ? usual.get(entry) : undefined;
  if (known !== undefined) return known;
  const shown = placed(entry, maxChars);
  if (!shown) return undefined;
  const whole = JSON.stringify(shown);
  const json = isTooLarge(whole, maxChars) ? JSON.stringify(leftOut(shown)) : whole;
  if (isUsual) usual.set(entry, json);
  return json;
}

const usual = new WeakMap<Entry, string>();

function placed(entry: Entry, maxChars: number): PublicMessage | undefined {
  const place = { id: entry.id, seq: entry.seq, recordTimestampMs: Date.parse(entry.timestamp) };
  if (entry.type === "compaction") {
    return {
      role: "system",
      content: [{ type: "text", text: "Compaction" }],
      timestamp: place.recordTimestampMs,
      __openclaw: { ...place, kind: "compaction" },
    };
  }
  if (entry.type !== "message") return undefined;
  const { message, runId } = entry;
  const { idempotencyKey } = message.role === "user" ? message : {};
  const marks = {
    ...(runId === undefined ? {} : { runId }),
    ...place,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  // Assigned, not copied: this runs for every message of every page.
  return Object.assign(shownMessage(message, maxChars), { __openclaw: marks });
}

function isTooLarge(json: string, maxChars: number): boolean {
  return json.length > Math.max(maxMessage, maxChars * 2);
}

function leftOut({ role, timestamp, __openclaw }: PublicMessage): PublicMessage {
  return {
    role,
    content: [{ type: "text", text: "[message left out: it is too large to be shown in a list]" }],
    timestamp,
    __openclaw: { ...__openclaw, truncated: true, reason: "oversized" },
  };
}

/** What was said, without where it is: for a message that is in no transcript yet. */
export function shownMessage(message: Message, maxChars = defaultMaxChars): JsonObject & { role: string } {
  const content = partsOf(message).map((part) => shownPart(part, maxChars));
  if (message.role !== "toolResult") return { ...message, content };
  const { details, ...rest } = message;
  return { ...rest, content, ...(isSmall(details, maxChars) ? { details } : {}) };
}

/** What of a message is there to see: where a model failed before it said anything, why. */
function partsOf(message: Message): Message["content"] {
  if (message.role !== "assistant" || message.content.length > 0 || message.errorMessage === undefined)
    return message.content;
  return [{ type: "text", text: message.errorMessage }];
}

function shownPart(part: Message["content"][number], maxChars: number): JsonObject {
  switch (part.type) {
    case "text":
      return { type: "text", text: cut(part.text, maxChars) };
    case "thinking":
      return {
        type: "thinking",
        thinking: part.redacted ? "" : cut(part.thinking, maxChars),
        ...(part.redacted ? { redacted: true } : {}),
      };
    case "image":
      return shownImage(part);
    default:
      return { type: part.type, id: part.id, name: part.name, arguments: shortened(part.arguments, maxChars) };
  }
}

function shownImage({ mimeType, fileName }: ImagePart): JsonObject {
  return { type: "image", mimeType, ...(fileName === undefined ? {} : { fileName }), omitted: true };
}

/** The arguments of a call with long texts in them cut; what is nested deeply is left as it is, or left out. */
function shortened(args: JsonObject, maxChars: number): JsonObject {
  const entries = Object.entries(args).map(([name, value]): readonly [string, unknown] => {
    if (typeof value === "string") return [name, cut(value, maxChars)];
    return [name, isObject(value) || Array.isArray(value) ? (isSmall(value, maxChars) ? value : "[…]") : value];
  });
  return Object.fromEntries(entries);
}

function isSmall(value: unknown, maxChars: number): boolean {
  return value !== undefined && (JSON.stringify(value) ?? "").length <= maxChars;
}

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const whole = text.slice(0, maxChars).replace(/[\uD800-\uDBFF]$/, "");
  return `${whole}\n…(truncated)…`;
}
