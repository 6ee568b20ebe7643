import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Log, Logs } from "../store/log.ts";
import { seal } from "../store/seal.ts";
import { rowLine, type HeldRow } from "./held-row.ts";
import { blockLines } from "./index-block.ts";
import { readIndex } from "./index-read.ts";
import { quarantine } from "./quarantine.ts";
import type { SessionRow } from "./sessions.ts";

/** The rows on the disk: a log to which each change appends the whole row, rewritten, into blocks, when many have gathered. */
export interface IndexLog {
  /** What was read at the opening. */
  readonly rows: readonly HeldRow[];
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
  const { rows, loose: read, damaged } = await readIndex(opened);
  await quarantine(logs, { key: INDEX, lines: damaged, log: logger });
  const isNew = opened.size === 0;

  let log: Promise<Log> | undefined = Promise.resolve(opened);
  /** Lines behind the blocks: changes since the index was last rewritten. */
  let loose = read;
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
    loose += texts.length;
  }

  /** A new index beside the old one, a slice at a time; requests go on, and what they write goes into both. */
  async function rewrite(): Promise<void> {
    const now = [...live().rows];
    await logs.remove(NEXT);
    const next = await logs.open(NEXT);
    try {
      for (let at = 0; at < now.length; at += SLICE) await next.append(await blockLines(now.slice(at, at + SLICE)));
    } catch (error) {
      await next.close();
      throw error;
    }
    const swapped = swap(next);
    swapping = swapped.then(
      () => void (swapping = undefined),
      () => void (swapping = undefined), // whoever writes next opens the index that is there: both are complete
    );
    await swapped;
  }

  async function swap(next: Log): Promise<void> {
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
    loose = behind.length;
    mustRewrite = false;
  }

  function rewriteWhenStale(): void {
    if (late || closed || (loose <= live().size * LOOSE_SHARE + SPARE && !mustRewrite)) return;
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
      } catch (error) {
        // Refused: it must not be found in the new index either.
        late = late?.filter((text) => !texts.includes(text));
        throw error;
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
/** Lines take several times as long to read as what is in blocks. */
const LOOSE_SHARE = 1 / 16;
const SLICE = 1000;

function lineOf(change: RowChange): string {
  return "deleted" in change ? seal(change) : rowLine(change);
}
