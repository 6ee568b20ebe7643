import type { AssistantMessage, Message } from "../session/message.ts";
import type { Entry } from "../session/transcript.ts";
import { compactionOf } from "./context.ts";

/** Tokens that a text takes, guessed from above: four letters of ASCII each, any other character one. */
export function textTokens(text: string): number {
  let other = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) other++;
  return Math.ceil((text.length - other) / 4) + other;
}

/** Tokens that a message takes in a request, guessed from above. */
export function messageTokens(message: Message): number {
  let tokens = MESSAGE_FRAME;
  for (const part of message.content) {
    if (part.type === "text") tokens += textTokens(part.text);
    else if (part.type === "image") tokens += PICTURE;
    else if (part.type === "thinking") tokens += textTokens(part.thinking);
    else tokens += textTokens(part.name) + textTokens(JSON.stringify(part.arguments));
  }
  return tokens;
}

/** Tokens of all these entries in a request. */
export function entriesTokens(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryTokens(entry), 0);
}

/** Tokens of an entry in a request; none for what models are not given. */
export function entryTokens(entry: Entry): number {
  if (entry.type === "compaction") return textTokens(entry.summary);
  return entry.type === "message" && !entry.aside ? messageTokens(entry.message) : 0;
}

/**
 * Tokens of the next request: what the provider counted for the last one, and a guess for what came since. Nothing that
 * was counted before a compaction holds after it. `fixed` is the guess for the system prompt and the tools.
 */
export function contextTokens(entries: readonly Entry[], fixed: number): number {
  const compacted = compactionOf(entries)?.seq ?? 0;
  let since = 0;
  for (const entry of entries.toReversed()) {
    const counted = entry.seq > compacted ? countedBy(entry) : undefined;
    if (counted !== undefined) return counted + since;
    since += entryTokens(entry);
  }
  return fixed + since;
}

const MESSAGE_FRAME = 4;
const PICTURE = 1500;

function countedBy(entry: Entry): number | undefined {
  if (entry.type !== "message" || entry.aside || entry.message.role !== "assistant") return undefined;
  return wasAnswered(entry.message) && entry.message.usage.totalTokens > 0
    ? entry.message.usage.totalTokens
    : undefined;
}

function wasAnswered({ stopReason }: AssistantMessage): boolean {
  return stopReason === "stop" || stopReason === "length" || stopReason === "toolUse";
}
