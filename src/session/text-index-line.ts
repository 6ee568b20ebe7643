import { parseJson } from "../kit/json.ts";
import { truncateUtf8 } from "../kit/text.ts";
import type { SearchText } from "./search.ts";

/** A text as a line of the index: one line, without control characters, cut to its first kilobytes. */
export function textLine({ sessionId, entryId, role, timestamp, text }: SearchText): string {
  return JSON.stringify([sessionId, entryId, role === "user" ? "u" : "a", timestamp, text]);
}

/** `text` as the index keeps it. */
export function keptText(text: string): string {
  const start = text.slice(0, MAX_TEXT);
  return truncateUtf8(start.replace(/[\s\p{Cc}]+/gu, " ").trim(), MAX_TEXT);
}

/** The text of a line; undefined when the line is damaged. */
export function parseTextLine(line: string): SearchText | undefined {
  const fields = parseJson(line);
  if (!Array.isArray(fields) || fields.length !== 5) return undefined;
  const [sessionId, entryId, role, timestamp, text] = fields as unknown[];
  if (typeof sessionId !== "string" || typeof entryId !== "string" || typeof text !== "string") return undefined;
  if ((role !== "u" && role !== "a") || typeof timestamp !== "number") return undefined;
  return { sessionId, entryId, role: role === "u" ? "user" : "assistant", timestamp, text };
}

/** Bytes. With quotes and backslashes escaped a line stays far below the size of a block. */
const MAX_TEXT = 8192;
