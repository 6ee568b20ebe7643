/** What `seek` needs to know of a file of lines whose values never fall. */
export interface Ground {
  /** Bytes of the file. */
  readonly end: number;
  readonly target: number;
  /** The value of the last line. */
  readonly most: number;
  /** The first and the last readable line of the next few at or behind an offset; undefined when there are no more. */
  readonly probe: (from: number) => Promise<{ readonly first: Stone; readonly last: Stone } | undefined>;
}

export interface Stone {
  readonly value: number;
  /** Where the line begins, and where the next one does. */
  readonly offset: number;
  readonly end: number;
}

/**
 * Where a line begins at or shortly before the first whose value is above `target`; the end of the file when there is
 * none. Guesses by proportion, and halves where lines are so uneven that guessing does not help: a handful of small
 * reads in a file of any size.
 */
export async function seek({ end, target, most, probe }: Ground): Promise<number> {
  if (most <= target) return end;
  // Lines before `low` are not above the target; those from `edge` on need no look.
  let [low, edge] = [0, end];
  let [lowValue, edgeValue] = [0, most];
  for (let guessing = true; edge - low > NEAR_BYTES && target - lowValue > NEAR_LINES; guessing = !guessing) {
    const share = guessing ? (target - lowValue) / Math.max(edgeValue - lowValue, 1) : 0.5;
    const from = low + Math.floor((edge - low) * Math.min(share, 1));
    const stones = await probe(from);
    if (!stones || stones.first.offset >= edge) edge = from;
    else if (stones.first.value > target) [edge, edgeValue] = [from, stones.first.value];
    else if (stones.last.value > target) return stones.first.offset;
    else [low, lowValue] = [stones.last.end, stones.last.value];
  }
  return low;
}

const NEAR_BYTES = 4 * 1024;
const NEAR_LINES = 20;
