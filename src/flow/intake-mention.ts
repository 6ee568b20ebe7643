import type { Logger } from "../kit/log.ts";

/** Tells whether a text has a word in it by which people call an agent (`mentionPatterns`). */
export type Mentions = (patterns: readonly string[], text: string) => boolean;

/**
 * Patterns are an owner's, and texts are anybody's: a pattern that some text could keep busy for seconds is refused as a
 * broken one is, with one line in the log, and no more than the beginning of a text is looked at.
 */
export function createMentions(log: Logger): Mentions {
  const known = new Map<string, RegExp | undefined>();

  function patternOf(pattern: string): RegExp | undefined {
    if (known.has(pattern)) return known.get(pattern);
    if (known.size >= MOST_KNOWN) known.clear();
    const { regExp, problem } = compiled(pattern);
    if (problem !== undefined)
      log.warn("a mention pattern is left out", { pattern: pattern.slice(0, LONGEST_PATTERN), problem });
    known.set(pattern, regExp);
    return regExp;
  }

  return (patterns, text) => {
    const seen = text.slice(0, LONGEST_TEXT);
    return patterns.slice(0, MOST_PATTERNS).some((pattern) => patternOf(pattern)?.test(seen) === true);
  };
}

const LONGEST_TEXT = 500;
const LONGEST_PATTERN = 200;
const MOST_PATTERNS = 50;
const MOST_KNOWN = 500;

function compiled(pattern: string): { regExp?: RegExp; problem?: string } {
  if (pattern.trim() === "") return { problem: "it is blank, and would match everything" };
  if (pattern.length > LONGEST_PATTERN) return { problem: `it has more than ${LONGEST_PATTERN} characters` };
  const cost = costOf(pattern);
  if (cost === undefined) return { problem: "it repeats a group that has choices in it, or refers back to one" };
  if (cost > MOST_STEPS) return { problem: "some texts would take too long: use fewer *, + and ?" };
  try {
    return { regExp: new RegExp(pattern, "i") };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Some hundred milliseconds of work at the very worst. */
const MOST_STEPS = 2.5e8;

/**
 * The most ways, about, in which a backtracking engine can try a pattern: each place to begin, for each way of every
 * repetition, for each choice. Undefined where that grows without such bounds: a repeated group with choices inside.
 */
function costOf(pattern: string): number | undefined {
  const groups: boolean[] = [];
  let cost = LONGEST_TEXT;
  let closedChoice = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    const choice = (times: number): void => {
      cost *= times;
      groups.fill(true);
    };
    const repeats = character === "*" || character === "+" || (character === "{" && /^\{\d/.test(pattern.slice(at)));
    if (repeats && closedChoice) return undefined;
    closedChoice = false;
    if (character === "\\") {
      if (/[1-9k]/.test(pattern[at + 1] ?? "")) return undefined;
      at++;
    } else if (character === "[") at = endOfClass(pattern, at);
    else if (character === "(") {
      groups.push(false);
      // `(?:` and the like are no choices.
      if (pattern[at + 1] === "?") at++;
    } else if (character === ")") closedChoice = groups.pop() === true;
    else if (repeats) choice(LONGEST_TEXT);
    else if (character === "?" || character === "|") choice(2);
  }
  return cost;
}

function endOfClass(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "]") return at;
  }
  return pattern.length;
}
