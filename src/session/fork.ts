import { Failure } from "../kit/error.ts";
import { copyEntries } from "./copy.ts";
import { agentOfKey } from "./key.ts";
import { newRow } from "./row.ts";
import type { SessionRow } from "./sessions.ts";
import type { Entry, Transcript } from "./transcript.ts";
import type { Transcripts } from "./transcripts.ts";

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
  return transcripts.make(row, (append) => copyEntries(row, entriesBefore(from, stop), append));
}

async function* entriesBefore(from: Transcript, stop: number): AsyncGenerator<readonly Entry[]> {
  for (let seq = 0; ;) {
    const batch = await from.after(seq, { limit: BATCH });
    const wanted = batch.filter((entry) => entry.seq < stop);
    yield wanted;
    if (wanted.length < BATCH) return;
    seq = wanted.at(-1)?.seq ?? stop;
  }
}

const BATCH = 500;
