import type { Clock } from "../host/host.ts";
import { createEvents } from "../kit/events.ts";
import type { QueueMode } from "../session/sessions.ts";
import type { Journal, Taken } from "./journal.ts";
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
  /** Messages with the same texts here may be answered together. */
  readonly together: string;
  /** It came while a run went on. */
  queued: boolean;
  startedAt: number | undefined;
  /** Its user message is in the transcript. */
  written: boolean;
}

/** A run of what was accepted, now or by the process before. */
export function newRun(
  { input, acceptedAt, sessionId, afterSeq, attempts }: Taken,
  { mode, written }: Pick<Run, "mode" | "written">,
): Run {
  const { model, thinking, extraSystemPrompt, promptMode, origin, reply } = input;
  return {
    input,
    acceptedAt,
    sessionId,
    afterSeq,
    attempts,
    mode,
    together: JSON.stringify([
      written,
      model,
      thinking,
      extraSystemPrompt,
      promptMode,
      origin.channel,
      origin.sender,
      origin.scopes.toSorted(),
      origin.trusted,
      reply?.accountId,
      reply?.target,
    ]),
    queued: false,
    startedAt: undefined,
    written,
  };
}

/** What is known of runs: those on their way, and how the last thousand ended, or fewer when they said very much. */
export interface RunBook {
  get(runId: string): Run | undefined;
  add(run: Run): void;
  /** How many are on their way, and how long their texts are together. */
  load(): { readonly count: number; readonly letters: number };
  /** How a run is, on its way or over. */
  state(runId: string): RunState | undefined;
  end(state: RunState): void;
  wait(runId: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<RunState | undefined>;
}

const rememberMost = 1000;
const rememberLetters = 16 * 1024 * 1024;

export function createRunBook(clock: Clock, journal: Journal): RunBook {
  const runs = new Map<string, Run>();
  const ended = new Map<string, RunState>();
  let said = 0;
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
    load() {
      let letters = 0;
      for (const { input } of runs.values())
        for (const part of input.content) if (part.type === "text") letters += part.text.length;
      return { count: runs.size, letters };
    },
    state,
    end(over) {
      runs.delete(over.runId);
      ended.set(over.runId, over);
      said += lettersOf(over);
      for (const [runId, oldest] of ended) {
        if (runId === over.runId || (ended.size <= rememberMost && said <= rememberLetters)) break;
        ended.delete(runId);
        said -= lettersOf(oldest);
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
        const stop = timeoutMs === undefined ? () => undefined : clock.after(timeoutMs, giveUp);
        if (signal.aborted) giveUp();
        else signal.addEventListener("abort", giveUp);
      });
    },
  };
}

/** Of what a run said, as far as that is kept with it. */
function lettersOf({ outcome }: RunState): number {
  const { payloads = [], message } = outcome ?? {};
  const texts = [...payloads, ...(message?.content ?? [])];
  return texts.reduce(
    (sum, part) => sum + ("text" in part ? part.text.length : "thinking" in part ? part.thinking.length : 0),
    0,
  );
}
