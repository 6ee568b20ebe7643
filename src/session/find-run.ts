import { lineFrom, lineStarts, readFrom, readRun, type Run } from "../store/lines.ts";
import type { Log } from "../store/log.ts";
import { parseLine, type Line } from "./entry-line.ts";
import { landmarks } from "./landmarks.ts";
import type { Measure } from "./place.ts";
import { seek, type Stone } from "./seek.ts";

/** A line that could be read, and where it is. */
export interface Located {
  readonly line: Line;
  readonly offset: number;
  readonly length: number;
}

export interface Aim {
  readonly target: number;
  /** The value of the last line. */
  readonly most: number;
  /** Bytes to read beside what is looked for: what is wanted next is at hand then. */
  readonly size: number;
}

/**
 * Finds, in a transcript's file, a run with the first line whose value is above a target, and hardly any before it; an
 * empty one when there is none. Remembers where it was, so that it mostly takes one read.
 */
export function runFinder(log: Log): (value: Measure, aim: Aim) => Promise<Run> {
  const passed = landmarks();
  return async (value, { target, most, size }) => {
    let seen: Run = { offset: 0, bytes: new Uint8Array(0) };
    const offset = await seek({
      target,
      ...passed.around(value, target, { offset: log.size, value: most }),
      lead: LEAD,
      async probe(from) {
        for (let at = from; at < log.size;) {
          seen = await readFrom(log, at, size + 2 * LEAD);
          const starts = lineStarts(seen);
          const [first, last] = [readable(seen, starts), readable(seen, starts.toReversed())];
          if (first && last) {
            passed.add(first, log.size);
            return { first: stone(first, value), last: stone(last, value) };
          }
          at = seen.offset + Math.max(seen.bytes.length, 1);
        }
        return undefined;
      },
    });
    const start = offset - seen.offset;
    if (start < 0 || start >= seen.bytes.length) return readRun(log, offset, size + LEAD);
    return cutBefore({ offset, bytes: seen.bytes.subarray(start) }, (line) => value(line) <= target);
  };
}

/** As far as a good guess is off, about. */
const LEAD = 16 * 1024;

/** The first of the lines that begin there that is one of ours and sound; a damaged one is told when it is read for itself. */
function readable(run: Run, starts: readonly number[]): Located | undefined {
  for (const start of starts) {
    const { bytes, text, offset } = lineFrom(run, start);
    const line = parseLine({ bytes, text });
    if (typeof line === "object") return { line, offset, length: bytes.length };
  }
  return undefined;
}

function stone({ line, offset, length }: Located, value: Measure): Stone {
  return { value: value(line), offset, end: offset + length + 1 };
}

/** The run without the lines at its beginning that are `before` something; what nobody can read may stay. */
function cutBefore(run: Run, before: (line: Line) => boolean): Run {
  const starts = lineStarts(run);
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = readable(run, starts.slice(middle, high));
    if (found && before(found.line)) low = starts.indexOf(found.offset - run.offset) + 1;
    else high = middle;
  }
  const start = starts[low] ?? run.bytes.length;
  return { offset: run.offset + start, bytes: run.bytes.subarray(start) };
}
