import { rowAfter } from "./row-after.ts";
import type { SessionRow } from "./sessions.ts";
import type { Entry } from "./transcript.ts";
import type { Append, CopiedEntries } from "./transcripts.ts";

/**
 * Writes copies of entries, oldest first, into the transcript of a session that is being made; answers its row with what
 * follows from them. Copies have ids of their own and the times of the originals.
 */
export async function copyEntries(
  row: SessionRow,
  batches: AsyncIterable<readonly Entry[]>,
  append: Append,
): Promise<SessionRow> {
  const newIds = new Map<string, string>();
  let copied = row;
  for await (const batch of batches) {
    for (const part of startingAtCompactions(batch)) {
      const made = await append(part.map((entry) => copyOf(entry, newIds)));
      for (const [index, { id }] of part.entries()) newIds.set(id, made[index]?.id ?? id);
      for (const entry of made) copied = { ...copied, ...rowAfter(copied, entry) };
    }
  }
  const { lastInteractionAt = 0 } = copied;
  return {
    ...copied,
    updatedAt: row.updatedAt,
    // The clock that wrote it may have been ahead of this one.
    ...(lastInteractionAt > row.updatedAt ? { lastInteractionAt: row.updatedAt } : {}),
    // What the copied answers have used was used there.
    inputTokens: 0,
    outputTokens: 0,
    estimatedCostUsd: undefined,
  };
}

/** A compaction names an entry before it: the new id of that one must be known when the compaction is copied. */
function startingAtCompactions(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts: Entry[][] = [];
  for (const entry of entries) {
    const open = parts.at(-1);
    if (open && entry.type !== "compaction") open.push(entry);
    else parts.push([entry]);
  }
  return parts;
}

function copyOf(entry: Entry, newIds: ReadonlyMap<string, string>): CopiedEntries[number] {
  const { id: _id, parentId: _parentId, seq: _seq, ...content } = entry;
  if (content.type !== "compaction") return content;
  return { ...content, firstKeptEntryId: newIds.get(content.firstKeptEntryId) ?? content.firstKeptEntryId };
}
