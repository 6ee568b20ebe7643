/** What `seek` needs to know of a file of lines whose values never fall. */
export interface Ground {
  readonly target: number;
  /** Where a line begins: those before it have at most this value, which is not above the target. */
  readonly low: Mark;
  /** The same for lines that need no look: the end of the file, or a line that is above the target. */
  readonly edge: Mark;
  /** Bytes by which a guess is early: what is looked for is then within what is probed, when the guess is good. */
  readonly lead: number;
  /** The first and the last readable line of those at or behind an offset; undefined when there are no more. */
  readonly probe: (from: number) => Promise<{ readonly first: Stone; readonly last: Stone } | undefined>;
}

export interface Mark {
  readonly offset: number;
  readonly value: number;
}

export interface Stone {
  readonly value: number;
  /** Where the line begins, and where the next one does. */
  readonly offset: number;
  readonly end: number;
}

/**
 * Where a line begins at or shortly before the first whose value is above `target`; the end of the file when there is
 * none. Guesses by proportion, and halves in turn where lines are so uneven that guessing does not help: one read or two
 * in most files, a handful in any of any size.
 */
export async function seek({ target, lead, probe, ...known }: Ground): Promise<number> {
  let { low, edge } = known;
  if (edge.value <= target) return edge.offset;
  for (let tries = 0; edge.offset - low.offset > NEAR_BYTES && target - low.value > NEAR_LINES; tries++) {
    const guessing = tries < GUESSES || tries % 2 === 0;
    const share = guessing ? (target - low.value) / Math.max(edge.value - low.value, 1) : 0.5;
    const guess = low.offset + Math.floor((edge.offset - low.offset) * Math.min(share, 1));
    const from = Math.max(low.offset, guess - (guessing ? lead : 0));
    const stones = await probe(from);
    if (!stones || stones.first.offset >= edge.offset) edge = { ...edge, offset: from };
    else if (stones.first.value > target) edge = { offset: from, value: stones.first.value };
    else if (stones.last.value > target) return stones.first.offset;
    else low = { offset: stones.last.end, value: stones.last.value };
  }
  return low.offset;
}

const NEAR_BYTES = 4 * 1024;
const NEAR_LINES = 20;
const GUESSES = 3;
