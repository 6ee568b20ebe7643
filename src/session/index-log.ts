import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { rangesOf, runsOf, type Run } from "../store/lines.ts";
import type { Log, Logs } from "../store/log.ts";
import { isIntact, seal, unseal } from "../store/seal.ts";
import { rowLine, storedRow, type HeldRow } from "./held-row.ts";
import { quarantine } from "./quarantine.ts";
import { rowOf } from "./row.ts";
import type { SessionRow } from "./sessions.ts";

/** The rows on the disk: a log to which each change appends the whole row, rewritten when most of it is out of date. */
export interface IndexLog {
  /** What was read at the opening. */
  readonly rows: ReadonlyMap<string, HeldRow>;
  /** There was no index. */
  readonly isNew: boolean;
  /** Lines could not be read: rows may be missing. */
  readonly damaged: boolean;
  /** `applied` runs when the changes are on the disk, before anybody can see that they are. */
  write(changes: readonly RowChange[], applied?: () => void): Promise<void>;
  close(): Promise<void>;
}

export type RowChange = SessionRow | { readonly key: string; readonly deleted: true };

export interface IndexOptions {
  readonly log: Logger;
  /** All rows as they are now. */
  readonly live: () => { readonly size: number; readonly rows: Iterable<HeldRow> };
}

export async function openIndexLog(logs: Logs, { log: logger, live }: IndexOptions): Promise<IndexLog> {
  const opened = await logs.open(INDEX);
  const { rows, lines: read, damaged } = await readRows(opened);
  await quarantine(logs, { key: INDEX, lines: damaged, log: logger });
  const isNew = opened.size === 0;

  let log: Promise<Log> | undefined = Promise.resolve(opened);
  let lines = read;
  let mustRewrite = damaged.length > 0;
  /** Lines on their way to the disk. */
  const writing = new Map<Promise<unknown>, readonly string[]>();
  /** While the index is rewritten: what belongs behind its slices. */
  let late: string[] | undefined;
  let rewriting: Promise<void> = Promise.resolve();
  let swapping: Promise<void> | undefined;
  let closed = false;

  async function append(texts: readonly string[]): Promise<void> {
    const file = await (log ??= logs.open(INDEX));
    await file.append(texts);
    lines += texts.length;
  }

  /** A new index beside the old one, a slice at a time; requests go on, and what they write goes into both. */
  async function rewrite(): Promise<void> {
    const now = [...live().rows];
    await logs.remove(NEXT);
    const next = await logs.open(NEXT);
    try {
      for (let at = 0; at < now.length; at += SLICE) await next.append(now.slice(at, at + SLICE).map(rowLine));
    } catch (error) {
      await next.close();
      throw error;
    }
    const swapped = swap(next, now.length);
    swapping = swapped.then(
      () => void (swapping = undefined),
      () => void (swapping = undefined), // whoever writes next opens the index that is there: both are complete
    );
    await swapped;
  }

  async function swap(next: Log, written: number): Promise<void> {
    await Promise.allSettled(writing.keys());
    const behind = late ?? [];
    try {
      if (behind.length > 0) await next.append(behind);
    } finally {
      await next.close();
    }
    const old = await log;
    log = undefined;
    await old?.close();
    await logs.move(NEXT, INDEX);
    lines = written + behind.length;
    mustRewrite = false;
  }

  function rewriteWhenStale(): void {
    if (late || closed || (lines <= 2 * live().size + SPARE && !mustRewrite)) return;
    late = [...writing.values()].flat();
    rewriting = rewrite()
      .catch((error: unknown) => logger.warn("the index of sessions could not be rewritten", { error }))
      .finally(() => (late = undefined));
  }

  return {
    rows,
    isNew,
    damaged: mustRewrite,
    async write(changes, applied) {
      for (let swap = swapping; swap; swap = swapping) await swap;
      if (closed) throw new Failure("unavailable", "the sessions are closed: this gateway is ending");
      const texts = changes.map(lineOf);
      late?.push(...texts);
      const written = append(texts);
      writing.set(written, texts);
      try {
        await written;
        applied?.();
      } finally {
        writing.delete(written);
      }
      rewriteWhenStale();
    },
    async close() {
      await rewriting;
      closed = true;
      await (await log)?.close();
    },
  };
}

const INDEX = "sessions/index.jsonl";
const NEXT = "sessions/index.next.jsonl";
/** A small index is not worth a rewrite. */
const SPARE = 1000;
const SLICE = 1000;
/** Damaged lines that are looked at closer. */
const MAX_DAMAGED = 10_000;

function lineOf(change: RowChange): string {
  return "deleted" in change ? seal(change) : rowLine(change);
}

interface Read {
  readonly rows: Map<string, HeldRow>;
  readonly lines: number;
  readonly damaged: Run[];
}

async function readRows(log: Log): Promise<Read> {
  const rows = new Map<string, HeldRow>();
  const damaged: Run[] = [];
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let lines = 0;
  for await (const { offset, bytes: run } of runsOf(log, 0, RUN))
    for (const { start, end } of rangesOf(run)) {
      lines++;
      const bytes = run.subarray(start, end);
      const change = isIntact(bytes) ? (storedRow({ run, start, end }, decoder) ?? changeIn(bytes)) : undefined;
      if (!change) {
        if (damaged.length < MAX_DAMAGED) damaged.push({ offset: offset + start, bytes: bytes.slice() });
      } else if ("deleted" in change) rows.delete(change.key);
      else rows.set(change.key, change);
    }
  return { rows, lines, damaged };
}

/** What a line says whose head is not at its start. */
function changeIn(bytes: Uint8Array): RowChange | undefined {
  const { record = {} } = unseal({ bytes, text: new TextDecoder().decode(bytes) }) ?? {};
  const { key, deleted } = record;
  return typeof key === "string" && deleted === true ? { key, deleted } : rowOf(record);
}

const RUN = 512 * 1024;
