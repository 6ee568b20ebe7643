import { textOf, type AssistantMessage, type UserMessage } from "./message.ts";
import type { RowChanges, SessionRow } from "./sessions.ts";
import type { Entry } from "./transcript.ts";
import { firstWords } from "./words.ts";

/** What an entry that was just appended changes in its session's row. */
export function rowAfter(row: SessionRow, entry: Entry): RowChanges {
  switch (entry.type) {
    case "message":
      if (entry.message.role === "user") return afterUser(row, entry.message, entry.aside !== undefined);
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
  const text = textOf(message);
  const title = aside || row.derivedTitle !== undefined ? "" : firstWords(text, MAX_TITLE);
  return {
    ...at(row, message.timestamp),
    lastInteractionAt: Math.max(row.lastInteractionAt ?? 0, message.timestamp),
    ...preview(text),
    ...(title === "" ? {} : { derivedTitle: title }),
  };
}

function afterAssistant(row: SessionRow, message: AssistantMessage): RowChanges {
  const { usage, provider, model, stopReason } = message;
  const context = usage.totalTokens || usage.input + usage.cacheRead + usage.cacheWrite + usage.output;
  return {
    ...at(row, message.timestamp),
    ...preview(textOf(message)),
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
  const words = firstWords(text, MAX_PREVIEW);
  return words === "" ? {} : { lastMessagePreview: words };
}
