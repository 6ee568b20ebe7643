import type { Clock } from "../host/host.ts";
import { createEvents } from "../kit/events.ts";
import type { QueueMode } from "../session/sessions.ts";
import type { Journal } from "./journal.ts";
import type { RunState, TurnInput } from "./turns.ts";

/** A message on its way: accepted, and not yet settled. */
export interface Run {
  readonly input: TurnInput;
  readonly acceptedAt: number;
  /** Where the transcript stood when it was accepted. */
  readonly sessionId: string;
  readonly afterSeq: number;
  /** How often it was begun before. */
  readonly attempts: number;
  readonly mode: QueueMode;
  readonly together: string;
  /** It came while a run went on. */
  queued: boolean;
  startedAt: number | undefined;
  /** Its user message is in the transcript. */
  written: boolean;
}

/** What is known of runs: those on their way, and how the last thousand ended. */
export interface RunBook {
  get(runId: string): Run | undefined;
  add(run: Run): void;
  /** How a run is, on its way or over. */
  state(runId: string): RunState | undefined;
  end(state: RunState): void;
  wait(runId: string, timeoutMs: number, signal: AbortSignal): Promise<RunState | undefined>;
}

const rememberMost = 1000;

export function createRunBook(clock: Clock, journal: Journal): RunBook {
  const runs = new Map<string, Run>();
  const ended = new Map<string, RunState>();
  const events = createEvents<Record<string, RunState>>(() => undefined);

  const state = (runId: string): RunState | undefined => {
    const run = runs.get(runId);
    const over = run ? undefined : (ended.get(runId) ?? journal.settled(runId));
    // What is in the journal alone was left by a crash, and is about to be taken up.
    const known = run ?? journal.taken(runId);
    if (over || !known) return over;
    const { sessionKey, agentId } = known.input;
    return { runId, sessionKey, agentId, status: "pending", acceptedAt: known.acceptedAt, startedAt: run?.startedAt };
  };

  return {
    get: (runId) => runs.get(runId),
    add: (run) => void runs.set(run.input.runId, run),
    state,
    end(over) {
      runs.delete(over.runId);
      ended.set(over.runId, over);
      for (const oldest of ended.keys()) {
        if (ended.size <= rememberMost) break;
        ended.delete(oldest);
      }
      events.emit(over.runId, over);
    },
    wait(runId, timeoutMs, signal) {
      const now = state(runId);
      if (now && now.status !== "pending") return Promise.resolve(now);
      return new Promise((resolve) => {
        const finish = (result: RunState | undefined): void => {
          off();
          stop();
          signal.removeEventListener("abort", giveUp);
          resolve(result);
        };
        const giveUp = (): void => finish(state(runId));
        const off = events.on(runId, finish);
        const stop = clock.after(timeoutMs, giveUp);
        if (signal.aborted) giveUp();
        else signal.addEventListener("abort", giveUp);
      });
    },
  };
}
