import type { Clock } from "../host/host.ts";

/** How late this process's timers ran in the last minute. */
export interface LoopState {
  readonly degraded: boolean;
  /** Milliseconds since 1970. */
  readonly degradedSinceMs: number | null;
  readonly reasons: readonly string[];
  readonly intervalMs: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

export interface LoopMeter {
  read(): LoopState;
  start(): () => void;
}

const intervalMs = 1000;
const samples = 60;
const degradedMs = 1000;

/** Measures the event loop by how late a timer of one second fires: too cheap to notice, enough to see a stall. */
export function createLoopMeter(clock: Clock): LoopMeter {
  const delays: number[] = [];
  let degradedSinceMs: number | null = null;
  return {
    start() {
      let last = clock.monotonic();
      return clock.every(intervalMs, () => {
        const now = clock.monotonic();
        delays.push(Math.max(0, now - last - intervalMs));
        if (delays.length > samples) delays.shift();
        last = now;
        degradedSinceMs = Math.max(...delays) >= degradedMs ? (degradedSinceMs ?? clock.now()) : null;
      });
    },
    read() {
      const sorted = delays.toSorted((a, b) => a - b);
      const degraded = degradedSinceMs !== null;
      return {
        degraded,
        degradedSinceMs,
        reasons: degraded ? ["event_loop_delay"] : [],
        intervalMs,
        delayP99Ms: rounded(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0),
        delayMaxMs: rounded(sorted.at(-1) ?? 0),
      };
    },
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
