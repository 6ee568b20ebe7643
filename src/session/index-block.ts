import { toBase64Url } from "../kit/ids.ts";
import { isObject } from "../kit/json.ts";
import { utf8Length } from "../kit/text.ts";
import { readRun } from "../store/lines.ts";
import type { Log } from "../store/log.ts";
import { seal, unseal } from "../store/seal.ts";
import { rowLine, type HeldRow, type StoredRow } from "./held-row.ts";

/**
 * Many rows of an index as one piece: a line that tells the heads of all of them, then their own lines. Who opens the
 * index needs not look at those, only at their digest, which every runtime computes beside its own thread.
 */
export interface Block {
  /** Where in the log the rows' lines begin and end. */
  readonly start: number;
  readonly end: number;
  /** Undefined when the lines are not those that the heads tell of. */
  readonly rows: Promise<readonly StoredRow[] | undefined>;
}

/** The lines of a block of these rows. */
export async function blockLines(rows: readonly HeldRow[]): Promise<readonly string[]> {
  const lines = rows.map(rowLine);
  const heads: Heads = {
    lengths: lines.map(utf8Length),
    keys: rows.map(({ key }) => key),
    agentIds: rows.map(({ agentId }) => agentId),
    sessionIds: rows.map(({ sessionId }) => sessionId),
    kinds: rows.map(({ kind }) => kind),
    archivedAt: rows.map(({ archivedAt }) => archivedAt ?? null),
    updatedAt: rows.map(({ updatedAt }) => updatedAt),
    sha256: await digest(new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))),
  };
  return [seal({ heads }), ...lines];
}

/** The block that begins at this offset; undefined when something else does. Its rows may still be on their way. */
export async function readBlock(log: Log, offset: number): Promise<Block | undefined> {
  const { bytes } = await readRun(log, offset, HEADS);
  const line = bytes.subarray(0, bytes.indexOf(NEWLINE));
  if (line.length === 0) return undefined;
  const read = unseal({ bytes: line, text: new TextDecoder().decode(line) });
  const heads = read?.sealed ? read.record["heads"] : undefined;
  if (!isHeads(heads)) return undefined;
  const start = offset + line.length + 1;
  const end = start + heads.lengths.reduce((sum, length) => sum + length + 1, 0);
  const rows = log
    .read(start, end)
    .then(async (run) => ((await digest(run)) === heads.sha256 ? rowsIn(run, heads) : undefined));
  rows.catch(() => undefined); // whoever waits for them is told
  return { start, end, rows };
}

/** A column for each thing that is told: read many times faster than an object for each row. */
interface Heads {
  readonly lengths: readonly number[];
  readonly keys: readonly string[];
  readonly agentIds: readonly string[];
  readonly sessionIds: readonly string[];
  readonly kinds: readonly StoredRow["kind"][];
  readonly archivedAt: readonly (number | null)[];
  readonly updatedAt: readonly number[];
  /** Of the rows' lines. */
  readonly sha256: string;
}

/** Bytes that the heads of a block take, about. */
const HEADS = 128 * 1024;
const NEWLINE = 10;

/** Its columns are behind the checksum that this program wrote. */
function isHeads(value: unknown): value is Heads {
  return isObject(value) && typeof value["sha256"] === "string" && Array.isArray(value["lengths"]);
}

function rowsIn(run: Uint8Array, heads: Heads): readonly StoredRow[] {
  let start = 0;
  return heads.lengths.map((length, index): StoredRow => {
    const at = start;
    start += length + 1;
    return {
      key: heads.keys[index] ?? "",
      agentId: heads.agentIds[index] ?? "",
      sessionId: heads.sessionIds[index] ?? "",
      kind: heads.kinds[index] ?? "unknown",
      archivedAt: heads.archivedAt[index] ?? undefined,
      updatedAt: heads.updatedAt[index] ?? 0,
      run,
      start: at,
      end: at + length,
    };
  });
}

async function digest(bytes: Uint8Array): Promise<string> {
  // What is read from a log, or encoded, lies in memory of its own.
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}
