import type { Measure, Place } from "./place.ts";
import type { Mark } from "./seek.ts";

/** Lines of one file that were come by before: from the nearest it is not far to what is asked for next. */
export interface Landmarks {
  /** The nearest on both sides of the first line whose value is above `target`; the beginning and the end else. */
  around(value: Measure, target: number, end: Mark): { readonly low: Mark; readonly edge: Mark };
  /** Remembers a line, unless there is one near it in a file of this size. */
  add(line: { readonly line: Place; readonly offset: number }, size: number): void;
}

/** A file's landmarks. Lines are never changed, so what is known of one stays true. */
export function landmarks(): Landmarks {
  /** In the order of the file. */
  let known: { readonly place: Place; readonly offset: number }[] = [];
  return {
    around(value, target, end) {
      const low = known.findLastIndex(({ place }) => value(place) <= target);
      const mark = (at: number): Mark | undefined =>
        known[at] && { offset: known[at].offset, value: value(known[at].place) };
      return { low: mark(low) ?? { offset: 0, value: 0 }, edge: mark(low + 1) ?? end };
    },
    add({ line: { seq, counts }, offset }, size) {
      const before = known.findLastIndex((each) => each.offset <= offset);
      const near = [known[before], known[before + 1]].some(
        (each) => each && Math.abs(each.offset - offset) < size / MOST,
      );
      if (near) return;
      known.splice(before + 1, 0, { place: { seq, counts }, offset });
      // The file has grown since the first were remembered.
      if (known.length > MOST) known = known.filter((_, at) => at % 2 === 0);
    },
  };
}

const MOST = 128;
