import { Failure } from "../kit/error.ts";
import { agentOfKey } from "./key.ts";
import { newRow } from "./row.ts";
import { rowAfter } from "./row-after.ts";
import type { SessionRow } from "./sessions.ts";
import type { Entry } from "./transcript.ts";
import type { CopiedEntries, Transcripts } from "./transcripts.ts";

export interface ForkOptions {
  readonly newKey: string;
  readonly beforeEntryId: string | undefined;
  readonly label: string | undefined;
  readonly now: number;
}

/** The row of a session that goes on from another one, with what the person had chosen there. */
export function forkedRow(source: SessionRow, { newKey, beforeEntryId, label, now }: ForkOptions): SessionRow {
  const { kind, chatType, channel, accountId, contextTokens, modelProvider, model, queue } = source;
  const { thinkingLevel, verboseLevel, reasoningLevel, elevatedLevel, responseUsage, sendPolicy } = source;
  const { providerOverride, modelOverride, modelOverrideSource, authProfileOverride } = source;
  const kept = {
    kind,
    chatType,
    channel,
    accountId,
    contextTokens,
    modelProvider,
    model,
    queue,
    thinkingLevel,
    verboseLevel,
    reasoningLevel,
    elevatedLevel,
    responseUsage,
    sendPolicy,
    providerOverride,
    modelOverride,
    modelOverrideSource,
    authProfileOverride,
  };
  return newRow(
    newKey,
    {
      agentId: agentOfKey(newKey) ?? source.agentId,
      ...kept,
      label,
      parentSessionKey: source.key,
      forkSource: { sessionKey: source.key, sessionId: source.sessionId, entryId: beforeEntryId },
    },
    now,
  );
}

/**
 * Copies the conversation up to, and without, the entry of this id into the new session's transcript; answers the row
 * with what follows from the copies. The transcript is whole on the disk before there is a row that names it.
 */
export async function fork(
  transcripts: Transcripts,
  { source, row, beforeEntryId }: { source: SessionRow; row: SessionRow; beforeEntryId: string | undefined },
): Promise<SessionRow> {
  const from = transcripts.get(source);
  const end = beforeEntryId === undefined ? undefined : await from.find(beforeEntryId);
  if (beforeEntryId !== undefined && !end)
    throw new Failure("not-found", `the conversation of ${source.key} has no entry ${beforeEntryId}`);
  const stop = end?.seq ?? (await from.last()) + 1;
  const newIds = new Map<string, string>();
  let forked = row;
  for (let seq = 0; ;) {
    const batch = await from.after(seq, { limit: BATCH });
    const wanted = batch.filter((entry) => entry.seq < stop);
    for (const part of startingAtCompactions(wanted)) {
      const made = await transcripts.copy(
        row,
        part.map((entry) => copyOf(entry, newIds)),
      );
      for (const [index, { id }] of part.entries()) newIds.set(id, made[index]?.id ?? id);
      for (const entry of made) forked = { ...forked, ...rowAfter(forked, entry) };
    }
    seq = batch.at(-1)?.seq ?? stop;
    if (wanted.length < batch.length || batch.length < BATCH) break;
  }
  // What the copied answers have used was used there.
  return { ...forked, updatedAt: row.updatedAt, inputTokens: 0, outputTokens: 0, estimatedCostUsd: undefined };
}

const BATCH = 500;

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
