import type { ToolCallPart, ToolResultMessage } from "../session/message.ts";

/** Notices a model that goes round in circles: the same call with the same result, round after round. */
export interface RepeatGuard {
  /** Takes the results of a round; answers them with a warning where a call repeats itself, and the call to stop at. */
  round(calls: readonly ToolCallPart[], results: readonly ToolResultMessage[]): Checked;
}

export interface Checked {
  readonly results: readonly ToolResultMessage[];
  /** This call was made too often. */
  readonly stuck?: ToolCallPart | undefined;
}

/** How often a call may repeat itself before the model is told, and before the run ends. */
export const repeats = { warn: 3, stop: 5 } as const;

export function createRepeatGuard(): RepeatGuard {
  // Only what the last round did can be repeated in a row, so that is all that is kept.
  let last = new Map<string, number>();
  return {
    round(calls, results) {
      const next = new Map<string, number>();
      let stuck: ToolCallPart | undefined;
      const checked = results.map((result, index) => {
        const call = calls[index];
        if (!call) return result;
        const key = JSON.stringify([call.name, call.arguments, result.content, result.isError]);
        const times = (next.get(key) ?? last.get(key) ?? 0) + 1;
        next.set(key, times);
        if (times >= repeats.stop) stuck ??= call;
        return times >= repeats.warn ? warned(result, times) : result;
      });
      last = next;
      return { results: checked, stuck };
    },
  };
}

function warned(result: ToolResultMessage, times: number): ToolResultMessage {
  const text = `[You have made this very call ${times} times in a row, with the same result. Do something else, or answer with what you have; after ${repeats.stop} times the run ends.]`;
  return { ...result, content: [...result.content, { type: "text", text }] };
}
