import type { Config } from "../config/schema.ts";
import type { Message, ToolResultMessage } from "../session/message.ts";
import { clip } from "./clip.ts";

export type Pruning = Config["agents"]["defaults"]["contextPruning"];

/**
 * Messages with the results of old tool calls cut, as `agents.defaults.contextPruning` says (cli.md 8.6). Only for a
 * request: nothing changes on the disk. With `cache-ttl` only what lies before the last long pause is cut: until the next
 * one, requests begin alike, and the provider's cache knows them.
 */
export function prune(messages: readonly Message[], settings: Pruning, windowTokens: number): readonly Message[] {
  const { mode, keepLastAssistants } = settings;
  if (mode === "off") return messages;
  const end = mode === "cache-ttl" ? coldUntil(messages, milliseconds(settings.ttl)) : messages.length;
  const old = beforeAnswers(messages, { end, count: keepLastAssistants });
  if (mode === "aggressive") return replace(messages, old, cleared);
  // Four letters are about a token: shares of the window are compared in letters.
  const window = windowTokens * 4;
  const before = lettersOf(messages.slice(0, end));
  if (before / window <= SOFT_SHARE) return messages;
  const trimmed = replace(messages, old, shortened);
  if (lettersOf(trimmed.slice(0, end)) / window <= HARD_SHARE || prunable(messages, old) < HARD_LEAST) return trimmed;
  return replace(trimmed, old, cleared);
}

const SOFT_SHARE = 0.3;
const HARD_SHARE = 0.5;
/** Clearing gives up all of a result: it must be worth it. */
const HARD_LEAST = 50_000;
const SOFT_FROM = 4000;
const SOFT_END = 1500;
const CLEARED = "[Old tool result content cleared]";

/** The number of messages before the newest pause that was longer than a cache lives. */
function coldUntil(messages: readonly Message[], ttl: number): number {
  for (let index = messages.length - 1; index > 0; index--) {
    const pause = (messages[index]?.timestamp ?? 0) - (messages[index - 1]?.timestamp ?? 0);
    if (pause > ttl) return index;
  }
  return 0;
}

/** The number of messages before the last `count` answers of those before `end`. */
function beforeAnswers(messages: readonly Message[], { end, count }: { end: number; count: number }): number {
  const answers = messages.slice(0, end).flatMap(({ role }, index) => (role === "assistant" ? [index] : []));
  return count === 0 ? end : (answers.at(-count) ?? 0);
}

function replace(
  messages: readonly Message[],
  end: number,
  change: (message: ToolResultMessage) => ToolResultMessage,
): readonly Message[] {
  return messages.map((message, index) => (index < end && isPrunable(message) ? change(message) : message));
}

/** Results with pictures stay: a picture cannot be cut, and what is left would not say what it was. */
function isPrunable(message: Message): message is ToolResultMessage {
  return message.role === "toolResult" && message.content.every(({ type }) => type === "text");
}

function shortened(message: ToolResultMessage): ToolResultMessage {
  const text = resultText(message);
  if (text.length <= SOFT_FROM) return message;
  const gap = `\n[… ${text.length - 2 * SOFT_END} characters of this old tool result left out …]\n`;
  return { ...message, content: [{ type: "text", text: clip(text, 2 * SOFT_END + gap.length, gap) }] };
}

function cleared(message: ToolResultMessage): ToolResultMessage {
  return { ...message, content: [{ type: "text", text: CLEARED }] };
}

function prunable(messages: readonly Message[], end: number): number {
  return lettersOf(messages.slice(0, end).filter(isPrunable));
}

function lettersOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + letters(message), 0);
}

function letters(message: Message): number {
  let sum = 0;
  for (const part of message.content) {
    if (part.type === "text") sum += part.text.length;
    else if (part.type === "thinking") sum += part.thinking.length;
    else if (part.type === "toolCall") sum += JSON.stringify(part.arguments).length;
  }
  return sum;
}

function resultText({ content }: ToolResultMessage): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** `5m`, `90s`, `1h`; anything else is the five minutes of the default. */
function milliseconds(text: string): number {
  const [, amount, unit = "m"] = /^(\d{1,9})\s*(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return amount === undefined ? 300_000 : Number(amount) * (units[unit] ?? 60_000);
}
