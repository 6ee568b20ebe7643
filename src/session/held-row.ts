import { Failure } from "../kit/error.ts";
import { isObject, parseJson, type JsonObject } from "../kit/json.ts";
import { seal, unseal } from "../store/seal.ts";
import { rowOf } from "./row.ts";
import type { SessionRow } from "./sessions.ts";

/**
 * A row as it is held in memory: whole, or, until somebody asks for the rest, as the line it was read from. There are
 * very many rows, and few of them are ever asked for.
 */
export type HeldRow = SessionRow | StoredRow;

/** What lists are ordered and counted by. */
export type RowHead = Pick<SessionRow, "key" | "agentId" | "sessionId" | "kind" | "archivedAt" | "updatedAt">;

/** A row's line among others that were read with it. */
export interface StoredRow extends RowHead {
  readonly run: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The row itself. */
export function wholeRow(held: HeldRow): SessionRow {
  if (!isStored(held)) return held;
  const row = rowOf(unseal(lineOf(held))?.record ?? {});
  if (row) return row;
  // Its checksum was right when it was read.
  throw new Failure("internal", `the row of ${held.key} changed in memory`);
}

/** The row's line for the index, its head first so that a reader may stop there. */
export function rowLine(held: HeldRow): string {
  if (isStored(held)) return lineOf(held).text;
  const { key, agentId, sessionId, kind, archivedAt, updatedAt } = held;
  return seal({ key, agentId, sessionId, kind, archivedAt, updatedAt, ...held } as SessionRow & JsonObject);
}

/** A line whose checksum is right as a row of which only the head is read; undefined when the head is not at its start. */
export function storedRow(line: Omit<StoredRow, keyof RowHead>, decoder: TextDecoder): StoredRow | undefined {
  const { run, start, end } = line;
  const text = decoder.decode(run.subarray(start, Math.min(start + LONGEST_HEAD, end)));
  // No string of JSON holds this: it would have to escape the quotes.
  const head = parseJson(`${text.slice(0, text.indexOf(HEAD_END))}}`);
  return isHead(head) ? { ...head, run, start, end } : undefined;
}

const HEAD_END = ',"createdAt":';
const LONGEST_HEAD = 240;

function isStored(held: HeldRow): held is StoredRow {
  return "run" in held;
}

function lineOf({ run, start, end }: StoredRow): { readonly bytes: Uint8Array; readonly text: string } {
  const bytes = run.subarray(start, end);
  return { bytes, text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
}

function isHead(value: unknown): value is RowHead {
  if (!isObject(value)) return false;
  const { key, agentId, sessionId, kind, updatedAt } = value;
  if (typeof key !== "string" || typeof agentId !== "string" || typeof sessionId !== "string") return false;
  return typeof kind === "string" && Number.isFinite(updatedAt);
}
