import type { Surroundings } from "../host/host.ts";

/** How often the memory is looked at: also the least time between two rests. */
const LOOK_MS = 60_000;
/** What it may grow by before that is worth a rest: megabytes, or for who has much a part of it. */
const GROWTH_BYTES = 16 * 1024 * 1024;
const GROWTH_SHARE = 1 / 4;

/** What is given back is gone a moment later. */
const SETTLED_MS = 2000;

/** Has the runtime give back what the start took, and what a busy time took, once it is much. The answer stops it. */
export function restWhenGrown({
  clock,
  processes,
  rest,
}: Pick<Surroundings, "clock" | "processes" | "rest">): () => void {
  if (!rest || !processes) return () => undefined;
  let rested: number | undefined;
  const doRest = (): void => {
    rest();
    // What is in use then is no growth.
    stopSettling = clock.after(SETTLED_MS, () => void (rested = processes.memory()));
  };
  let stopSettling = clock.after(SETTLED_MS, doRest);
  const stopLooking = clock.every(LOOK_MS, () => {
    const now = processes.memory();
    rested = Math.min(rested ?? now, now);
    if (now >= rested + Math.max(GROWTH_BYTES, rested * GROWTH_SHARE)) doRest();
  });
  return () => {
    stopLooking();
    stopSettling();
  };
}
