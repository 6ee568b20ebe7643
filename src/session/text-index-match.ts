import type { SearchText, TextHit } from "./search.ts";
import { fold } from "./text-index-fold.ts";

/** A text that holds every word of the query, and how well it does. */
export interface Match extends SearchText {
  readonly score: number;
}

/**
 * How well a text answers the query; undefined when a word is missing. Each word counts at most 2: 1 for being there,
 * the rest for standing alone and for being repeated. To that comes up to a half for being new, less every month.
 */
export function matchOf(text: SearchText, words: readonly string[], now: number): Match | undefined {
  const folded = fold(text.text);
  let score = 0;
  for (const word of words) {
    const first = folded.indexOf(word);
    if (first < 0) return undefined;
    score += 1 + (standsAlone(folded, word, first) ? 0.5 : 0) + Math.min(repeats(folded, word, first), 5) / 10;
  }
  const months = Math.max(now - text.timestamp, 0) / MONTH_MS;
  return { ...text, score: score + 0.5 ** (1 + months) };
}

/** The best first, and of equals the newest. */
export function byScore(a: Match, b: Match): number {
  return b.score - a.score || b.timestamp - a.timestamp;
}

export function hitOf({ text, ...match }: Match, words: readonly string[]): TextHit {
  return { ...match, snippet: snippetOf(text, words) };
}

const MONTH_MS = 30 * 24 * 3600 * 1000;
const SNIPPET = 160;

function standsAlone(text: string, word: string, at: number): boolean {
  return !isLetter(text[at - 1]) && !isLetter(text[at + word.length]);
}

function isLetter(character = ""): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}

/** How often the word comes again after `first`. */
function repeats(text: string, word: string, first: number): number {
  let count = 0;
  for (let at = text.indexOf(word, first + word.length); at >= 0 && count < 5; count++)
    at = text.indexOf(word, at + word.length);
  return count;
}

/** About 160 characters around the first match, cut between words where there is a space near. */
function snippetOf(text: string, words: readonly string[]): string {
  const characters = Array.from(text);
  if (characters.length <= SNIPPET) return text;
  const folded = fold(text);
  const first = characterAt(characters, Math.min(...words.map((word) => folded.indexOf(word))));
  const start = Math.max(0, Math.min(first - SNIPPET / 4, characters.length - SNIPPET));
  const end = start + SNIPPET;
  const cut = characters.slice(start, end).join("");
  const opened = start === 0 ? cut : `…${cut.replace(/^\S{0,12}\s/u, "")}`;
  return end >= characters.length ? opened : `${opened.replace(/\s\S{0,12}$/u, "")}…`;
}

/** Which character of the text stands at this place of the folded text: folding may make one into several. */
function characterAt(characters: readonly string[], place: number): number {
  let length = 0;
  for (const [index, character] of characters.entries()) {
    length += fold(character).length;
    if (length > place) return index;
  }
  return 0;
}
