import type { Logger } from "../kit/log.ts";
import { linesOf, readFrom, readRun, readTail, type Run } from "../store/lines.ts";
import type { Log, Logs } from "../store/log.ts";
import { noCounts, parseLine, type Counts, type Line, type Skip } from "./entry-line.ts";
import { runFinder, type Located } from "./find-run.ts";
import { placeBefore, placeOf, skipAround, type Measure } from "./place.ts";
import { quarantine } from "./quarantine.ts";
import type { Entry } from "./transcript.ts";

/**
 * The active path through a transcript's file, found without reading it: every line carries its place and what the path
 * held up to it, so that any place is a search over bytes away. What a rewind left behind is jumped over.
 */
export interface Path {
  readonly tip: Tip;
  /** The last line carries no numbers: another program wrote this file, or the end of it. */
  readonly foreign: boolean;
  readonly log: Log;
  /** Entries of the path whose measure is above `from` and at most `to`, oldest first. */
  select(measure: Measure, range: Range): Promise<readonly Entry[]>;
  /** The same as lines: entries, and what this program cannot read. */
  lines(measure: Measure, range: Range): Promise<readonly Line[]>;
  /** Lines that are off the path, in about so many bytes: the newest stretch first, each in the order of the file. */
  left(bytes: number): AsyncIterable<Line>;
  /** The entry of an id that says nothing of its place: reads the file until it is found. */
  search(id: string): Promise<Entry | undefined>;
  append(lines: readonly { readonly line: Line; readonly text: string }[], header?: string): Promise<void>;
  close(): Promise<void>;
}

/** Where the path ends. */
export interface Tip {
  /** Bytes of the file. */
  readonly size: number;
  /** `seq` of the newest line, on the path or not. */
  readonly last: number;
  /** `seq` of the newest entry on the path. */
  readonly seq: number;
  /** What the next entry's parent is. */
  readonly id: string | null;
  readonly counts: Counts;
  readonly compaction: number;
  readonly rewind: number;
  readonly skips: readonly Skip[];
}

export interface Range {
  readonly from: number;
  readonly to: number;
  readonly limit?: number | undefined;
}

/** Opens the path of the file in this log. */
export async function openPath(logs: Logs, { key, log: logger }: { key: string; log: Logger }): Promise<Path> {
  const log = await logs.open(key);
  const reported = new Set<number>();
  /** The newest lines of the file, without a gap to its end; `whole` when there are no others. */
  let recent: Located[] = [];
  let whole = true;
  let tip: Tip = emptyTip;
  const runAfter = runFinder(log);

  /** Reads the lines of a run, no further than the first that is not `wanted`. */
  async function parse(run: Run, wanted?: (each: Located) => boolean): Promise<Parsed> {
    const good: Located[] = [];
    const damaged: Run[] = [];
    let [foreign, ended] = [false, false];
    for (const each of linesOf(run)) {
      const line = parseLine(each);
      if (line === "damaged") damaged.push(each);
      else if (typeof line === "object") {
        const located = { line, offset: each.offset, length: each.bytes.length };
        ended = wanted?.(located) === false;
        if (ended) break;
        good.push(located);
      }
      if (line !== "header" && line !== "damaged") foreign = line === "foreign";
    }
    const unknown = damaged.filter(({ offset }) => !reported.has(offset));
    for (const { offset } of unknown) if (reported.size < MAX_REPORTED) reported.add(offset);
    await quarantine(logs, { key, lines: unknown, log: logger });
    const last = good.at(-1)?.offset ?? -1;
    return { good, foreign, ended, damagedBehind: damaged.filter(({ offset }) => offset > last).length };
  }

  async function readEnd(): Promise<Parsed> {
    for (let size = TAIL; ; size *= 4) {
      const parsed = await parse(await readTail(log, size));
      whole = size >= log.size;
      if (whole || parsed.good.length > 0 || parsed.foreign) return parsed;
    }
  }

  async function skipsAt(line: Line): Promise<readonly Skip[]> {
    if (line.rewind === 0 || line.rewind === line.seq) return line.skips;
    const known = recent.find((each) => each.line.seq === line.rewind);
    if (known) return known.line.skips;
    const rewind = await firstAfter(line.rewind - 1, line.seq);
    return rewind?.line.seq === line.rewind ? rewind.line.skips : [];
  }

  function trim(): void {
    const kept = newestOf(recent);
    if (kept.length < recent.length) [recent, whole] = [kept, false];
  }

  /** The first entry above this number, in a file whose last one is `most`. */
  async function firstAfter(seq: number, most: number): Promise<Located | undefined> {
    let run = await runAfter((line) => line.seq, { target: seq, most, size: 0 });
    for (; run.bytes.length > 0; run = await readRun(log, run.offset + run.bytes.length, NEAR)) {
      const found = (await parse(run)).good.find(({ line }) => line.seq > seq);
      if (found) return found;
    }
    return undefined;
  }

  async function offsetAfter(seq: number): Promise<number> {
    return (await firstAfter(seq, tip.last))?.offset ?? log.size;
  }

  const skipOf = (seq: number): Skip | undefined => skipAround(tip.skips, seq);

  async function select(measure: Measure, { from, to, limit = Number.POSITIVE_INFINITY }: Range): Promise<Line[]> {
    const found: Line[] = [];
    if (to <= from) return found;
    const isWithin = ({ line }: Located): boolean => {
      if (skipOf(line.seq)) return true;
      const value = measure(line);
      if (value > to || found.length >= limit) return false;
      if (value > from) found.push(line);
      return true;
    };
    const placed: Measure = (line) => measure(placeOf(line, tip.skips));
    const oldest = recent[0]?.line;
    if (whole || (oldest && measure(placeBefore(oldest, tip.skips)) <= from)) {
      const before = recent.findLastIndex(({ line }) => placed(line) <= from);
      recent.slice(before + 1).every(isWithin);
      return found;
    }
    // As much as this many entries take on the average.
    const size = Math.ceil((log.size / measure(tip)) * Math.min(to - from, limit) * 1.1);
    let run = await runAfter(placed, { target: from, most: measure(tip), size: Math.min(size, RUN * 8) });
    let read: readonly Located[] = [];
    while (run.bytes.length > 0) {
      const { good, ended } = await parse(run, isWithin);
      if (ended) return found;
      read = newestOf([...read, ...good]);
      let next = run.offset + run.bytes.length;
      const left = skipOf(good.at(-1)?.line.seq ?? 0);
      if (left) [next, read] = [Math.max(next, await offsetAfter(left.to)), []];
      run = await readRun(log, next, RUN);
    }
    // The end of the file is what is asked for most.
    recent = [...read];
    return found;
  }

  const end = await readEnd();
  recent = end.good;
  const newest = recent.at(-1)?.line;
  tip = { ...emptyTip, size: log.size, last: end.damagedBehind };
  if (newest) tip = tipAfter(newest, { size: log.size, skips: await skipsAt(newest) });
  if (newest) tip = { ...tip, last: tip.last + end.damagedBehind };
  trim();

  return {
    log,
    foreign: end.foreign,
    get tip() {
      return tip;
    },
    select: async (measure, range) => (await select(measure, range)).flatMap(({ entry }) => (entry ? [entry] : [])),
    lines: select,
    async *left(bytes) {
      let room = bytes;
      for (const { from, to } of tip.skips.toReversed()) {
        const begin = await offsetAfter(from - 1);
        const end = await offsetAfter(to);
        let at = Math.max(begin, end - room);
        while (at < end) {
          const run = await readFrom(log, at, Math.min(end - at, RUN * 8));
          const { good } = await parse(run);
          for (const { line } of good) if (line.seq >= from && line.seq <= to) yield line;
          at = run.offset + Math.max(run.bytes.length, 1);
        }
        room -= end - begin;
        if (room <= 0) return;
      }
    },
    async search(id) {
      for (let offset = 0; offset < log.size;) {
        const run = await readRun(log, offset, RUN * 4);
        offset += run.bytes.length;
        // Most of the file need not be parsed.
        if (!new TextDecoder().decode(run.bytes).includes(id)) continue;
        const { good } = await parse(run);
        const found = good.find(({ line }) => line.id === id && line.entry && !skipOf(line.seq));
        if (found) return found.line.entry;
      }
      return undefined;
    },
    async append(lines, header) {
      const texts = lines.map(({ text }) => text);
      await log.append(header === undefined ? texts : [header, ...texts]);
      // Offsets matter to those alone who seek, and what is kept here is not sought.
      for (const { line, text } of lines) {
        recent.push({ line, offset: log.size, length: text.length });
        tip = tipAfter(line, { size: log.size, skips: line.rewind === line.seq ? line.skips : tip.skips });
      }
      trim();
    },
    close: () => log.close(),
  };
}

interface Parsed {
  readonly good: Located[];
  /** Whether the last line that could be read is another program's. */
  readonly foreign: boolean;
  /** A line was not wanted any more. */
  readonly ended: boolean;
  /** Damaged lines behind the last good one. */
  readonly damagedBehind: number;
}

const TAIL = 32 * 1024;
const NEAR = 16 * 1024;
const RUN = 64 * 1024;
/** Bytes of lines that an open transcript keeps in memory. */
const KEPT = 128 * 1024;
const MAX_REPORTED = 1000;

const emptyTip: Tip = { size: 0, last: 0, seq: 0, id: null, counts: noCounts, compaction: 0, rewind: 0, skips: [] };

/** As many of the newest as may be kept. */
function newestOf(lines: readonly Located[]): Located[] {
  let first = lines.length;
  for (let bytes = 0; first > 0; first--) {
    bytes += lines[first - 1]?.length ?? 0;
    if (bytes > KEPT) break;
  }
  return lines.slice(first);
}

/** Where the path ends when this is the file's last line. */
function tipAfter(line: Line, { size, skips }: Pick<Tip, "size" | "skips">): Tip {
  const { seq: last, id, compaction, rewind } = line;
  return { ...placeOf(line, skips), size, last, id, compaction, rewind, skips };
}
