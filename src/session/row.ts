import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { JsonObject } from "../kit/json.ts";
import type { NewSession, RowChanges, SessionRow } from "./sessions.ts";

/** The row of a session that begins now. */
export function newRow(key: string, { agentId, ...first }: NewSession, now: number): SessionRow {
  return {
    key: checkedSessionKey(key),
    agentId,
    sessionId: uuid(),
    createdAt: now,
    updatedAt: now,
    startedAt: now,
    kind: kindOfKey(key, first.chatType),
    ...noUse,
    ...first,
  };
}

/** A row as it was written; undefined when what every session has is not there. */
export function rowOf(record: JsonObject): SessionRow | undefined {
  const texts = [record["key"], record["agentId"], record["sessionId"], record["kind"]];
  const numbers = [record["createdAt"], record["updatedAt"], record["startedAt"]];
  if (!texts.every((text) => typeof text === "string") || !numbers.every(Number.isFinite)) return undefined;
  // The rest is behind the checksum that this program wrote.
  return record as JsonObject & SessionRow;
}

/** The row with changes; a time that goes back is not taken over. */
export function changed(row: SessionRow, changes: RowChanges): SessionRow {
  const next = { ...row, ...changes };
  return next.updatedAt < row.updatedAt ? { ...next, updatedAt: row.updatedAt } : next;
}

/** What a session that has not spoken to a model has used, and how it fares. */
export const noUse = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  compactionCount: 0,
  systemSent: false,
  abortedLastRun: false,
} as const satisfies RowChanges;

const MAX_KEY = 512;

function checkedSessionKey(key: string): string {
  // eslint-disable-next-line no-control-regex
  if (key !== "" && key.length <= MAX_KEY && !/[\u0000-\u001f\u007f]/.test(key)) return key;
  throw new Failure(
    "invalid-request",
    `${JSON.stringify(key.slice(0, 80))} is not a session key: use 1 to ${MAX_KEY} characters without line breaks`,
  );
}

function kindOfKey(key: string, chatType: SessionRow["chatType"]): SessionRow["kind"] {
  if (key === "global" || key === "unknown") return key;
  return chatType === "group" || chatType === "channel" ? "group" : "direct";
}
