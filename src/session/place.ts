import { counted, type Line, type Skip } from "./entry-line.ts";

/** How far along the path something is. */
export type Place = Pick<Line, "seq" | "counts">;

/** A number that never falls along the path. */
export type Measure = (at: Place) => number;

/** What of the path a line has behind it; one that is off the path, what the path had before it was left. */
export function placeOf(line: Place, skips: readonly Skip[]): Place {
  const skip = skipAround(skips, line.seq);
  return skip ? { seq: skip.from - 1, counts: skip.counts } : { seq: line.seq, counts: line.counts };
}

/** The same before the line. */
export function placeBefore(line: Line, skips: readonly Skip[]): Place {
  if (skipAround(skips, line.seq)) return placeOf(line, skips);
  return { seq: line.seq - 1, counts: counted(line.counts, line.entry?.type, -1) };
}

/** The skip that a line lies in. Skips are in order and do not meet. */
export function skipAround(skips: readonly Skip[], seq: number): Skip | undefined {
  let [low, high] = [0, skips.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const skip = skips[middle];
    if (!skip) return undefined;
    if (seq < skip.from) high = middle - 1;
    else if (seq > skip.to) low = middle + 1;
    else return skip;
  }
  return undefined;
}
