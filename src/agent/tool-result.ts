import { Failure } from "../kit/error.ts";
import type { Media } from "../session/media.ts";
import type { ImagePart, TextPart, ToolCallPart, ToolResultMessage } from "../session/message.ts";
import type { ToolResult } from "../tools/tool.ts";
import { clip } from "./clip.ts";

/** A tool's result as it is kept and shown: bounded, its pictures stored apart as media. Never rejects. */
export async function keptResult(result: ToolResult, media: Pick<Media, "save">): Promise<ToolResult> {
  const { content, details, isError = false } = result;
  const parts = await Promise.all(content.slice(0, MOST_PARTS).map((part) => keptPart(part, media)));
  return { content: withinText(parts), isError, ...(isSmall(details) ? { details } : {}) };
}

/** The message that gives a call's result to the model. */
export function resultMessage({ id, name }: ToolCallPart, result: ToolResult, timestamp: number): ToolResultMessage {
  return { role: "toolResult", toolCallId: id, toolName: name, isError: false, ...result, timestamp };
}

const MOST_PARTS = 32;
/** Of all texts of a result, in letters. */
const MOST_TEXT = 100_000;
const MOST_DETAILS = 100_000;
/** Letters of base64: about 7.5 MB of picture. */
const MOST_PICTURE = 10 * 2 ** 20;

async function keptPart(part: TextPart | ImagePart, media: Pick<Media, "save">): Promise<TextPart | ImagePart> {
  if (part.type === "text" || part.data === undefined) return part;
  const { data, ...rest } = part;
  if (data.length > MOST_PICTURE) return { type: "text", text: `[Picture (${part.mimeType}): too large to be kept]` };
  try {
    return { ...rest, media: await media.save(data) };
  } catch (error) {
    return { type: "text", text: `[Picture (${part.mimeType}): not kept: ${Failure.from(error).message}]` };
  }
}

/** The texts cut in the middle so that they stay within the limit together. */
function withinText(parts: readonly (TextPart | ImagePart)[]): readonly (TextPart | ImagePart)[] {
  let left = MOST_TEXT;
  return parts.map((part) => {
    if (part.type !== "text") return part;
    const note = `\n[… ${part.text.length - left} of ${part.text.length} characters left out: ask for less at once …]\n`;
    const text = clip(part.text, Math.max(left, note.length), note);
    left = Math.max(0, left - text.length);
    return { ...part, text };
  });
}

/** Details are for programs alone: what is too large, or no JSON at all, is left out. */
function isSmall(details: unknown): boolean {
  if (details === undefined) return false;
  try {
    return (JSON.stringify(details)?.length ?? Number.POSITIVE_INFINITY) <= MOST_DETAILS;
  } catch {
    return false; // a cycle or a bigint: no transcript could hold it
  }
}
