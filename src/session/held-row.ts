import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import { judgedRecord, seal } from "../store/seal.ts";
import { rowOf } from "./row.ts";
import type { SessionRow } from "./sessions.ts";

/**
 * A row as it is held in memory: whole, or, until somebody asks for the rest, as the line it was read from. There are
 * very many rows, and few of them are ever asked for.
 */
export type HeldRow = SessionRow | StoredRow;

/** What lists are ordered and counted by. */
export type RowHead = Pick<SessionRow, "key" | "agentId" | "sessionId" | "kind" | "archivedAt" | "updatedAt">;

/** A row's line among others that were read with it, and are known to be what was written. */
export interface StoredRow extends RowHead {
  readonly run: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The row itself. */
export function wholeRow(held: HeldRow): SessionRow {
  if (!isStored(held)) return held;
  const row = rowOf(judgedRecord(rowLine(held)) ?? {});
  if (row) return row;
  throw new Failure("internal", `the row of ${held.key} is not what was read: restart this gateway`);
}

/** What a row is known by to people, in lower case: a search looks in there. */
export function namesOf(held: HeldRow): string {
  // Of a stored row only these are looked at: to judge all of it takes twice as long, and there are very many.
  const record: JsonObject = isStored(held) ? (judgedRecord(rowLine(held)) ?? {}) : { ...held };
  const names = ["key", "label", "displayName", "derivedTitle"].map((name) => record[name]);
  return names
    .filter((name) => typeof name === "string")
    .join("\n")
    .toLowerCase();
}

/**
 * Whether a row may have all these words, in lower case. Looked for in its line as it lies there, which takes a fraction
 * of making it whole; words that JSON writes otherwise are left to whoever looks closer.
 */
export function mayHave(held: HeldRow, words: readonly string[]): boolean {
  const plain = words.filter((word) => !/["\\\p{Cc}]/u.test(word));
  if (!isStored(held) || plain.length === 0) return true;
  const line = rowLine(held).toLowerCase();
  return plain.every((word) => line.includes(word));
}

/** The row's line for the index. */
export function rowLine(held: HeldRow): string {
  return isStored(held) ? decoder().decode(bytesOf(held)) : seal({ ...held });
}

function isStored(held: HeldRow): held is StoredRow {
  return "run" in held;
}

function bytesOf({ run, start, end }: StoredRow): Uint8Array {
  return run.subarray(start, end);
}

function decoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
