import type { Clock } from "../host/host.ts";
import type { SearchIndex, SearchText } from "./search.ts";
import { mayHold, wordHashes } from "./text-index-filter.ts";
import { fold, wordsOf } from "./text-index-fold.ts";
import { parseTextLine } from "./text-index-line.ts";
import { byScore, hitOf, matchOf, type Match } from "./text-index-match.ts";
import type { Segment } from "./text-index-segment.ts";

type Query = Parameters<SearchIndex["query"]>[0];

export interface Sources {
  readonly clock: Clock;
  /** Texts that are not on the disk yet, oldest first. */
  readonly held: readonly SearchText[];
  /** The newest first. */
  readonly segments: readonly Segment[];
  /** What this session said is hidden wherever it is on the disk. */
  readonly isForgotten: (sessionId: string) => boolean;
}

/**
 * Looks for texts that hold every word, from the newest back: until there are several times as many as are asked for,
 * of which the best are answered, or until the time is over.
 */
export async function searchTexts(query: Query, sources: Sources): ReturnType<SearchIndex["query"]> {
  const { clock, held, segments, isForgotten } = sources;
  const words = wordsOf(query.text);
  const limit = Math.min(query.limit, MAX_HITS);
  if (words.length === 0 || limit < 1) return { hits: [], truncated: false };
  const until = clock.monotonic() + (query.deadlineMs ?? DEADLINE_MS);
  const now = clock.now();
  const found = new Map<string, Match>();
  const enough = (): boolean => found.size >= limit * CHOICE;
  let truncated = false;

  const consider = (text: SearchText): void => {
    const name = JSON.stringify([text.sessionId, text.entryId]);
    if (found.has(name) || !query.visible(text.sessionId)) return;
    const match = matchOf(text, words, now);
    if (match) found.set(name, match);
  };

  for (let at = held.length - 1; at >= 0 && !enough(); at--) {
    const text = held[at];
    if (text) consider(text);
  }
  const hashes = wordHashes(words);
  for (const segment of segments) {
    if (enough() || truncated) break;
    const loaded = await segment.load();
    for (const block of loaded.blocks().toReversed()) {
      if (block.filter && !mayHold(block.filter, hashes)) continue;
      truncated = clock.monotonic() >= until;
      if (enough() || truncated) break;
      for (const line of linesWith(words, await segment.read(block))) {
        const text = parseTextLine(line);
        if (text && !isForgotten(text.sessionId) && !loaded.isDead(text.sessionId, block)) consider(text);
      }
    }
  }
  const best = [...found.values()].sort(byScore).slice(0, limit);
  return { hits: best.map((match) => hitOf(match, words)), truncated };
}

const DEADLINE_MS = 500;
const MAX_HITS = 200;
/** How many are found for each that is answered. */
const CHOICE = 4;

/** The lines that hold all words somewhere, newest first: folded at once, and only those taken apart. */
function linesWith(words: readonly string[], block: string): readonly string[] {
  const folded = fold(block);
  if (!words.every((word) => folded.includes(word))) return [];
  const lines = block.split("\n");
  const keys = folded.split("\n");
  return lines.filter((_, at) => words.every((word) => keys[at]?.includes(word))).toReversed();
}
