import type { Message } from "../session/message.ts";
import { clip } from "./clip.ts";
import { messageTokens } from "./tokens.ts";

/**
 * Messages cut until they take about `room` tokens: first what tools answered, the same for all, then the oldest
 * messages. It is the last resort of a request that compaction cannot help, such as one large result in a small window;
 * what was asked last always stays.
 */
export function fit(messages: readonly Message[], room: number): readonly Message[] {
  let out = messages;
  for (const size of RESULT_SIZES) {
    if (tokensOf(out) <= room) return out;
    out = messages.map((message) => withResult(message, size));
  }
  return withoutOldest(out, room);
}

/** Letters that are left of a tool's result, one step after the other. */
const RESULT_SIZES = [32_000, 8000, 2000, 500] as const;

function tokensOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}

function withResult(message: Message, size: number): Message {
  if (message.role !== "toolResult") return message;
  const content = message.content.map((part) =>
    part.type === "text"
      ? { ...part, text: clip(part.text, size, "\n[… left out, as the context is full …]\n") }
      : part,
  );
  return { ...message, content };
}

/** Cuts before a user's message or an answer, never between a call and its result. */
function withoutOldest(messages: readonly Message[], room: number): readonly Message[] {
  let left = tokensOf(messages);
  let start = 0;
  for (const [index, message] of messages.entries()) {
    if (message.role !== "toolResult") {
      start = index;
      if (left <= room) break;
    }
    left -= messageTokens(message);
  }
  if (start === 0) return messages;
  const note: Message = {
    role: "user",
    content: [{ type: "text", text: "[Older messages are left out here, as the context is full.]" }],
    timestamp: messages[start]?.timestamp ?? 0,
  };
  return [note, ...messages.slice(start)];
}
