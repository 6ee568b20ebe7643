/** What `seek` needs to know of a file of lines whose values never fall. */
export interface Ground {
  /** Bytes of the file. */
  readonly end: number;
  readonly target: number;
  /** The value of the last line. */
  readonly most: number;
  /** The first readable lines that begin at or behind an offset, in order; none when there are no more. */
  readonly probe: (from: number) => Promise<readonly Stone[]>;
}

export interface Stone {
  readonly value: number;
  /** Where the line begins, and where the next one does. */
  readonly offset: number;
  readonly end: number;
}

/**
 * The offset of the first line whose value is above `target`; the end of the file when there is none. Guesses by
 * proportion, and halves where lines are so uneven that guessing does not help: a handful of reads in a file of any size.
 */
export async function seek({ end, target, most, probe }: Ground): Promise<number> {
  if (most <= target) return end;
  // Lines before `low` are not above the target; those from `edge` on are not worth a look; `answer` is the best so far.
  let [low, edge, answer] = [0, end, end];
  let [lowValue, edgeValue] = [0, most];
  for (let guessing = true; edge - low > NEAR_BYTES && target - lowValue > NEAR_LINES; guessing = !guessing) {
    const share = guessing ? (target - lowValue) / Math.max(edgeValue - lowValue, 1) : 0.5;
    const from = low + Math.floor((edge - low) * Math.min(share, 1));
    const stones = (await probe(from)).filter(({ offset }) => offset < edge);
    const [first] = stones;
    const last = stones.at(-1);
    if (!first || !last) edge = from;
    else if (first.value > target) [edge, answer, edgeValue] = [from, first.offset, first.value];
    else if (last.value > target) return stones.find(({ value }) => value > target)?.offset ?? answer;
    else [low, lowValue] = [last.end, last.value];
  }
  for (let from = low; from < edge;) {
    const stones = await probe(from);
    const above = stones.find(({ value }) => value > target);
    if (above) return Math.min(above.offset, answer);
    from = stones.at(-1)?.end ?? edge;
  }
  return answer;
}

const NEAR_BYTES = 8 * 1024;
const NEAR_LINES = 40;
