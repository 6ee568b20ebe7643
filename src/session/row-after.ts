import type { AssistantMessage, UserMessage } from "./message.ts";
import { textOf } from "./message.ts";
import type { RowChanges, SessionRow } from "./sessions.ts";
import type { Entry } from "./transcript.ts";

/** What an entry that was just appended changes in its session's row. */
export function rowAfter(row: SessionRow, entry: Entry): RowChanges {
  switch (entry.type) {
    case "message":
      if (entry.message.role === "user") return afterUser(row, entry.message, entry.aside === true);
      if (entry.message.role === "assistant") return afterAssistant(row, entry.message);
      return at(row, entry.message.timestamp);
    case "compaction":
      // How full the context is now shows with the next answer.
      return { compactionCount: row.compactionCount + 1, totalTokens: 0 };
    default:
      return {};
  }
}

const MAX_TITLE = 60;
const MAX_PREVIEW = 160;

function afterUser(row: SessionRow, message: UserMessage, aside: boolean): RowChanges {
  const text = oneLine(textOf(message));
  return {
    ...at(row, message.timestamp),
    lastInteractionAt: Math.max(row.lastInteractionAt ?? 0, message.timestamp),
    ...preview(text),
    ...(row.derivedTitle === undefined && text !== "" && !aside ? { derivedTitle: cutAtWord(text, MAX_TITLE) } : {}),
  };
}

function afterAssistant(row: SessionRow, message: AssistantMessage): RowChanges {
  const { usage, provider, model, stopReason } = message;
  const context = usage.totalTokens || usage.input + usage.cacheRead + usage.cacheWrite + usage.output;
  return {
    ...at(row, message.timestamp),
    ...preview(oneLine(textOf(message))),
    inputTokens: row.inputTokens + usage.input,
    outputTokens: row.outputTokens + usage.output,
    // An answer that was cut off before its usage came says nothing of the context.
    ...(context > 0 ? { totalTokens: context } : {}),
    ...(usage.cost.total > 0 ? { estimatedCostUsd: (row.estimatedCostUsd ?? 0) + usage.cost.total } : {}),
    ...(stopReason === "injected" ? {} : { modelProvider: provider, model }),
  };
}

function at(row: SessionRow, timestamp: number): RowChanges {
  return { updatedAt: Math.max(row.updatedAt, timestamp) };
}

function preview(text: string): RowChanges {
  return text === "" ? {} : { lastMessagePreview: cutAtWord(text, MAX_PREVIEW) };
}

function oneLine(text: string): string {
  return text.slice(0, 2000).replace(/\s+/g, " ").trim();
}

/** At most `length` characters, whole words where there are any, and never half of a character. */
function cutAtWord(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  const space = cut.lastIndexOf(" ");
  return `${(space > length / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
