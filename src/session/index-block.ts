import { toBase64Url } from "../kit/ids.ts";
import { isObject, parseJson } from "../kit/json.ts";
import { utf8Length } from "../kit/text.ts";
import { readRun } from "../store/lines.ts";
import type { Log } from "../store/log.ts";
import { seal, unseal } from "../store/seal.ts";
import { rowLine, type HeldRow, type StoredRow } from "./held-row.ts";

/**
 * Many rows of an index as one piece: a line that tells the digest of what follows, a line with the heads of all rows,
 * then their own lines. Who opens the index needs not look at those, only at the digest, which every runtime computes
 * beside its own thread.
 */
export interface Block {
  /** Where in the log it begins, and where what follows it does. */
  readonly start: number;
  readonly end: number;
  /** Undefined when its lines are not those that were written. */
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
  };
  const parts = [JSON.stringify(heads), ...lines];
  const bytes = new TextEncoder().encode(parts.map((line) => `${line}\n`).join(""));
  return [seal({ block: { bytes: bytes.length, sha256: await digest(bytes) } }), ...parts];
}

/** The block that begins at this offset; undefined when something else does. Its rows may still be on their way. */
export async function readBlock(log: Log, start: number): Promise<Block | undefined> {
  const { bytes } = await readRun(log, start, FIRST_LINE);
  const line = bytes.subarray(0, bytes.indexOf(NEWLINE));
  if (line.length === 0) return undefined;
  const read = unseal({ bytes: line, text: new TextDecoder().decode(line) });
  const block = read?.sealed ? read.record["block"] : undefined;
  if (!isObject(block) || typeof block["bytes"] !== "number") return undefined;
  const from = start + line.length + 1;
  const end = from + block["bytes"];
  const rows = log
    .read(from, end)
    .then(async (run) => ((await digest(run)) === block["sha256"] ? rowsIn(run) : undefined));
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
}

/** Bytes that the first line of a block takes, and some more. */
const FIRST_LINE = 256;
const NEWLINE = 10;

/** Its columns are behind the digest that this program wrote. */
function isHeads(value: unknown): value is Heads {
  return isObject(value) && Array.isArray(value["lengths"]);
}

/** The rows of a block's lines, the first of which tells their heads. */
function rowsIn(run: Uint8Array): readonly StoredRow[] | undefined {
  const first = run.indexOf(NEWLINE);
  const heads = parseJson(new TextDecoder().decode(run.subarray(0, first)));
  if (!isHeads(heads)) return undefined;
  let start = first + 1;
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
