import type { Logger } from "../kit/log.ts";
import type { Logs } from "../store/log.ts";
import type { SearchText } from "./search.ts";
import { readCatalogue, removeSegments, writeCatalogue, type Catalogue } from "./text-index-catalogue.ts";
import { parseTextLine, textLine } from "./text-index-line.ts";
import { openSegment, segmentKeys, type Segment } from "./text-index-segment.ts";

/** The texts of the index on the disk, in segments of a few megabytes. What changes them must be called one at a time. */
export interface TextFiles {
  /** The newest timestamp on the disk; 0 when there is none. */
  readonly newest: number;
  append(texts: readonly SearchText[]): Promise<void>;
  /** Hides what these sessions said until now, and makes segments anew that hold more hidden than other texts. */
  forget(sessionIds: ReadonlySet<string>): Promise<void>;
  /** Lets `work` read the segments, the newest first; none of them is closed before it ends. */
  use<T>(work: (segments: readonly Segment[]) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TextFilesOptions {
  readonly logs: Logs;
  readonly log: Logger;
  /** Bytes from which a new segment is begun, and of all segments before the oldest is dropped. */
  readonly limits?: { readonly segment: number; readonly total: number };
}

export async function openTextFiles({ logs, log, limits = standard }: TextFilesOptions): Promise<TextFiles> {
  let catalogue = await readCatalogue(logs);
  let segments: readonly Segment[] = await Promise.all(catalogue.segments.map((id) => openSegment({ logs, log, id })));
  let newest = 0;
  let users = 0;
  /** Left out of the catalogue, and closed and removed when nobody reads. */
  let retired: readonly Segment[] = [];

  async function change(next: Catalogue): Promise<void> {
    await writeCatalogue(logs, next);
    catalogue = next;
  }

  async function grow(): Promise<Segment> {
    const total = segments.reduce((sum, { size }) => sum + size, 0);
    if (segments.length > 1 && total > limits.total) await exchange(segments.slice(0, 1), []);
    const id = catalogue.next;
    // Something of that number is there when an earlier process ended in the middle of this, or the catalogue was lost.
    await removeSegments(logs, [id]);
    await change({ ...catalogue, segments: [...catalogue.segments, id], next: id + 1 });
    const segment = await openSegment({ logs, log, id });
    segments = [...segments, segment];
    return segment;
  }

  /** Puts a segment of what is alive in them in the place of some neighbours. */
  async function compact(group: readonly Segment[]): Promise<void> {
    const lines: string[] = [];
    for (const segment of group) {
      const loaded = await segment.load();
      for (const block of loaded.blocks()) {
        const texts = (await segment.read(block)).split("\n");
        lines.push(...texts.filter((line) => isAlive(line, (id) => loaded.isDead(id, block))));
      }
    }
    if (lines.length === 0) return exchange(group, []);
    const id = catalogue.next;
    await removeSegments(logs, [id]);
    await logs.replace(segmentKeys(id).texts, lines);
    const segment = await openSegment({ logs, log, id });
    try {
      await segment.load();
      await exchange(group, [segment]);
    } finally {
      if (!segments.includes(segment)) await segment.close();
    }
  }

  /** Makes segments anew that hold more forgotten than living texts. */
  async function compactAll(): Promise<void> {
    const alive = new Map<Segment, number>();
    for (const segment of segments) alive.set(segment, segment.size - (await segment.load()).deadBytes);
    const aliveIn = (group: readonly Segment[]): number =>
      group.reduce((sum, segment) => sum + (alive.get(segment) ?? 0), 0);
    for (let at = segments.length - 1; at >= 0; at--) {
      const segment = segments.slice(at, at + 1);
      if (aliveIn(segment) * 2 >= (segment[0]?.size ?? 0)) continue;
      // With its neighbour when both fit into one: many small ones would cost as much as they hold.
      const both = segments.slice(Math.max(at - 1, 0), at + 1);
      const group = aliveIn(both) < limits.segment ? both : segment;
      await compact(group);
      at -= group.length - 1;
    }
  }

  async function exchange(old: readonly Segment[], made: readonly Segment[]): Promise<void> {
    const at = segments.findIndex((segment) => old.includes(segment));
    const next = segments.toSpliced(at, old.length, ...made);
    const ids = next.map(({ id }) => id);
    await change({
      segments: ids,
      next: Math.max(catalogue.next, ...ids.map((id) => id + 1)),
      retired: [...catalogue.retired, ...old.map(({ id }) => id)],
    });
    segments = next;
    retired = [...retired, ...old];
    await tidy();
  }

  async function tidy(): Promise<void> {
    if (users > 0 || catalogue.retired.length === 0) return;
    const closing = retired;
    retired = [];
    for (const segment of closing) await segment.close();
    await removeSegments(logs, catalogue.retired);
    await change({ ...catalogue, retired: [] });
  }

  // The older segments are loaded when they are first searched.
  for (const segment of segments.toReversed()) {
    newest = (await segment.load()).newest;
    if (newest > 0) break;
  }

  return {
    get newest() {
      return newest;
    },
    async append(texts) {
      await tidy();
      const last = segments.at(-1);
      const segment = last && last.size < limits.segment ? last : await grow();
      await segment.append(texts.map(textLine));
      newest = texts.reduce((latest, { timestamp }) => Math.max(latest, timestamp), newest);
    },
    async forget(sessionIds) {
      if (sessionIds.size === 0) return;
      await tidy();
      for (const segment of segments) await segment.forget(sessionIds);
      try {
        await compactAll();
      } catch (error) {
        // Nothing is lost but space, and what waits to be written must not wait for it.
        log.warn("forgotten texts stay in the search index for now", { error: String(error) });
      }
    },
    async use(work) {
      users++;
      try {
        return await work(segments.toReversed());
      } finally {
        users--;
      }
    },
    async close() {
      for (const segment of [...segments, ...retired]) await segment.close();
    },
  };
}

/** Filters take about a tenth of the texts, and are held in memory once they were asked. */
const standard = { segment: 8 * 1024 * 1024, total: 512 * 1024 * 1024 };

function isAlive(line: string, isDead: (sessionId: string) => boolean): boolean {
  const text = parseTextLine(line);
  return text !== undefined && !isDead(text.sessionId);
}
