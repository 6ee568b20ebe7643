import type { QueueMode } from "../session/sessions.ts";

/** As much of a waiting message as decides when it is taken. */
export interface Waiting {
  readonly mode: QueueMode;
  readonly acceptedAt: number;
  /** It came while something else was going on: more may follow it. */
  readonly queued: boolean;
  /** Messages with the same texts here may be answered together. */
  readonly together: string;
}

export type NextTurn =
  | { readonly kind: "none" }
  /** The first `count` messages are the next turn. */
  | { readonly kind: "take"; readonly count: number }
  /** Nothing before so many milliseconds: whoever writes is not done. */
  | { readonly kind: "wait"; readonly ms: number };

/**
 * Which of the waiting messages make the next turn (cli.md 8.14). `followup` and `interrupt` are answered one by one;
 * `collect`, and `steer` that came too late to steer, are answered together after a pause.
 */
export function nextTurn(
  waiting: readonly Waiting[],
  { now, debounceMs }: { now: number; debounceMs: number },
): NextTurn {
  const [first] = waiting;
  if (!first) return { kind: "none" };
  if (first.mode === "followup" || first.mode === "interrupt") return { kind: "take", count: 1 };
  const other = waiting.findIndex(({ mode, together }) => !collects(mode) || together !== first.together);
  const count = other < 0 ? waiting.length : other;
  const last = waiting[count - 1] ?? first;
  // A clock that was set back must not hold messages up.
  const since = Math.max(0, now - last.acceptedAt);
  if (last.queued && other < 0 && since < debounceMs) return { kind: "wait", ms: debounceMs - since };
  return { kind: "take", count };
}

function collects(mode: QueueMode): boolean {
  return mode === "collect" || mode === "steer";
}
