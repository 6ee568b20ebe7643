import type { RunOutcome } from "../agent/runner.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { type AssistantMessage, noUsage, type UserMessage } from "../session/message.ts";
import { rowAfter } from "../session/row-after.ts";
import type { RowChanges, Sessions } from "../session/sessions.ts";
import type { Entry, NewEntry } from "../session/transcript.ts";
import type { Journal } from "./journal.ts";
import type { Run, RunBook } from "./run-book.ts";
import type { RunState, TurnEvent } from "./turns.ts";
import { keyOf } from "./written.ts";

/** What becomes of messages, written down and told: every entry and every end goes through here. */
export interface Recorder {
  tell(run: Run, event: TurnNews): void;
  /** Runs begin that have one answer: the first gives it its id. */
  start(runs: readonly Run[]): void;
  /**
   * Writes the messages into the transcript. Aside ones are kept, and not given to the model. `before` are words of other
   * people's messages, so they stand in the first message and never among the gateway's own instructions.
   */
  writeMessages(runs: readonly Run[], options?: { aside?: true; before?: string | undefined }): Promise<void>;
  /** Writes a command and the answer to it, together. */
  writeReply(run: Run, text: string): Promise<void>;
  /** Writes a word of the gateway's own; an aside is kept from the model. */
  writeNote(to: NoteTo): Promise<Entry>;
  /** Writes why a run had no answer, so that the conversation shows it. */
  writeFailure(run: Run, failure: Failure): Promise<void>;
  /** The end of runs that had one outcome; the first is the one that was answered, the others were collected into it. */
  settle(runs: readonly Run[], outcome: Outcome): Promise<void>;
}

export interface NoteTo {
  readonly sessionKey: string;
  readonly agentId: string;
  readonly text: string;
  readonly aside?: true;
  /** By what it is found again in the transcript, where somebody has to know whether it was written. */
  readonly runId?: string | undefined;
}

export type TurnNews = DistributiveOmit<TurnEvent, "runId" | "sessionKey" | "sessionId" | "agentId" | "ts">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Outcome = Pick<RunState, "outcome" | "error"> & { readonly status: Exclude<RunState["status"], "pending"> };

export interface RecorderOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly book: RunBook;
  readonly emit: (event: TurnEvent) => void;
}

export function createRecorder({ clock, log, sessions, journal, book, emit }: RecorderOptions): Recorder {
  function tell(run: Run, news: TurnNews): void {
    const { runId, sessionKey, agentId } = run.input;
    const sessionId = sessions.get(sessionKey)?.sessionId ?? run.sessionId;
    emit({ runId, sessionKey, sessionId, agentId, ts: clock.now(), ...news });
  }

  async function append(to: { sessionKey: string; agentId: string }, entries: readonly NewEntry[]) {
    const row = await sessions.ensure(to.sessionKey, { agentId: to.agentId });
    const written = await sessions.transcript(row).append(entries);
    for (const entry of written) {
      const now = sessions.get(to.sessionKey);
      if (now) sessions.note(to.sessionKey, rowAfter(now, entry));
    }
    return written;
  }

  /** What rows say of runs is in the journal and the transcript too: the disk may have it later. */
  function noteRun(run: Run | undefined, changes: RowChanges): void {
    if (run && sessions.get(run.input.sessionKey)) sessions.note(run.input.sessionKey, changes);
  }

  return {
    tell,
    start(runs) {
      const startedAt = clock.now();
      const [primary] = runs;
      noteRun(primary, {
        status: "running",
        lastRunId: primary?.input.runId,
        runStartedAt: startedAt,
        abortedLastRun: false,
        lastRunError: undefined,
      });
      for (const run of runs) {
        run.startedAt = startedAt;
        tell(run, { kind: "started", startedAt });
      }
    },
    async writeMessages(runs, { aside, before } = {}) {
      const fresh = runs.filter((run) => !run.written);
      const [first] = fresh;
      if (!first) return;
      const entries = await append(
        first.input,
        fresh.map((run) => ({
          type: "message",
          runId: run.input.runId,
          message: userMessage(run, run === first ? before : undefined),
          ...(aside ? { aside } : {}),
        })),
      );
      for (const [at, run] of fresh.entries()) {
        run.written = true;
        const entry = entries[at];
        if (entry) tell(run, { kind: "entry", entry, injected: false });
      }
    },
    async writeReply(run, text) {
      const { runId } = run.input;
      const entries = await append(run.input, [
        { type: "message", runId, aside: true, message: userMessage(run) },
        { type: "message", runId, aside: true, message: ownMessage(text, clock.now()) },
      ]);
      run.written = true;
      for (const entry of entries) tell(run, { kind: "entry", entry, injected: false });
    },
    async writeNote({ text, aside, runId, ...to }) {
      const message = ownMessage(text, clock.now());
      const [entry] = await append(to, [
        { type: "message", message, ...(aside ? { aside } : {}), ...(runId === undefined ? {} : { runId }) },
      ]);
      if (!entry) throw new Failure("internal", "the transcript did not answer the entry it wrote");
      const sessionId = sessions.get(to.sessionKey)?.sessionId ?? "";
      emit({
        kind: "entry",
        entry,
        injected: true,
        runId: `inject-${entry.id}`,
        sessionKey: to.sessionKey,
        sessionId,
        agentId: to.agentId,
        ts: clock.now(),
      });
      return entry;
    },
    async writeFailure(run, failure) {
      const message = {
        ...ownMessage("", clock.now()),
        content: [],
        stopReason: "error",
        errorMessage: failure.message,
      };
      const [entry] = await append(run.input, [
        { type: "message", runId: run.input.runId, message: message as AssistantMessage },
      ]);
      if (entry) tell(run, { kind: "entry", entry, injected: false });
    },
    async settle(runs, outcome) {
      const endedAt = clock.now();
      const [primary] = runs;
      const states = runs.map(({ input: { runId, sessionKey, agentId }, acceptedAt, startedAt }): RunState => {
        const merged = runId === primary?.input.runId ? {} : { mergedInto: primary?.input.runId };
        return { runId, sessionKey, agentId, acceptedAt, startedAt, endedAt, ...outcome, ...merged };
      });
      // What is not in the conversation stays in the journal: the next start writes and answers it.
      const kept = states.filter((_, at) => runs[at]?.written);
      try {
        await journal.settle(
          kept.map(({ runId, sessionKey, agentId, acceptedAt }) => ({
            runId,
            sessionKey,
            agentId,
            acceptedAt,
            endedAt,
            status: outcome.status,
          })),
        );
      } catch (error) {
        // The answer is in the transcript, where the next start finds it: people need not wait for the disk.
        log.error("the end of a run could not be written", { run: primary?.input.runId ?? "", error: String(error) });
      }
      noteRun(primary, {
        status: statusAfter[outcome.status],
        runEndedAt: endedAt,
        abortedLastRun: outcome.status === "aborted",
        lastRunError: outcome.error?.message,
      });
      for (const [at, state] of states.entries()) {
        const run = runs[at];
        if (!run) continue;
        book.end(state);
        tell(run, { kind: "ended", state, startedAt: run.startedAt ?? run.acceptedAt });
      }
    },
  };
}

const statusAfter = { ok: "done", error: "failed", timeout: "timeout", aborted: "killed" } as const;

function userMessage({ input, acceptedAt }: Run, before?: string): UserMessage {
  const words = before === undefined ? [] : [{ type: "text" as const, text: `${before}\n\n` }];
  const content = [...words, ...input.content];
  return { role: "user", content, timestamp: acceptedAt, idempotencyKey: keyOf(input.runId) };
}

/** A message that the gateway wrote in the assistant's place. */
function ownMessage(text: string, timestamp: number): AssistantMessage {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    api: "gateway",
    provider: "clawlet",
    model: "gateway",
    usage: noUsage,
    stopReason: "injected",
    timestamp,
  };
}

/** The outcome of a run that no model took part in. */
export function ownOutcome(text: string): RunOutcome {
  const payloads = text === "" ? [] : [{ text }];
  return { status: "ok", payloads, stopReason: "stop", usage: noUsage, provider: "clawlet", model: "gateway" };
}
