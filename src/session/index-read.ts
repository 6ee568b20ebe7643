import type { JsonObject } from "../kit/json.ts";
import { linesOf, runsOf, type Run } from "../store/lines.ts";
import type { Log } from "../store/log.ts";
import { unseal } from "../store/seal.ts";
import type { HeldRow, StoredRow } from "./held-row.ts";
import { readBlock, type Block } from "./index-block.ts";
import type { RowChange } from "./index-log.ts";
import { rowOf } from "./row.ts";

/** What an index says: its rows as the last change of each left them. */
export interface IndexContent {
  readonly rows: readonly HeldRow[];
  /** Lines outside of blocks. */
  readonly loose: number;
  readonly damaged: readonly Run[];
}

/** Reads an index: the blocks it begins with, and the lines of changes behind them. */
export async function readIndex(log: Log): Promise<IndexContent> {
  const { stored, end } = await readBlocks(log);
  /** What loose lines say of each key. */
  const changes = new Map<string, RowChange>();
  const damaged: Run[] = [];
  let loose = 0;

  /** The line before was the first of a block behind one that is damaged: this one tells its heads. */
  let isHeads = false;

  function readLines(run: Run): void {
    for (const line of linesOf(run)) {
      const read = unseal(line);
      const begins = read?.sealed === true && "block" in read.record;
      const skipped = begins || (isHeads && read?.sealed === false);
      isHeads = begins;
      if (skipped) continue;
      loose++;
      const change = read?.sealed ? changeOf(read.record) : undefined;
      if (change) changes.set(change.key, change);
      else if (damaged.length < MAX_DAMAGED) damaged.push({ offset: line.offset, bytes: line.bytes.slice() });
    }
  }

  for await (const run of runsOf(log, end, RUN)) readLines(run);
  return { rows: latest(stored.flat(), changes), loose, damaged };
}

/** Damaged lines that are looked at closer. */
const MAX_DAMAGED = 10_000;
const RUN = 512 * 1024;

interface Stored {
  readonly stored: readonly (readonly StoredRow[])[];
  /** Where loose lines begin: what is behind a damaged block may be anything. */
  readonly end: number;
}

/** The blocks at the beginning. All of them are on their way before the first is looked at. */
async function readBlocks(log: Log): Promise<Stored> {
  const blocks: Block[] = [];
  for (let block; (block = await readBlock(log, blocks.at(-1)?.end ?? 0));) blocks.push(block);
  const stored: (readonly StoredRow[])[] = [];
  for (const block of blocks) {
    const rows = await block.rows;
    if (!rows) return { stored, end: block.start };
    stored.push(rows);
  }
  return { stored, end: blocks.at(-1)?.end ?? 0 };
}

function changeOf(record: JsonObject): RowChange | undefined {
  const { key, deleted } = record;
  return typeof key === "string" && deleted === true ? { key, deleted } : rowOf(record);
}

function latest(stored: readonly StoredRow[], changes: ReadonlyMap<string, RowChange>): readonly HeldRow[] {
  const kept = changes.size === 0 ? stored : stored.filter(({ key }) => !changes.has(key));
  return [...kept, ...[...changes.values()].flatMap((change) => ("deleted" in change ? [] : [change]))];
}
