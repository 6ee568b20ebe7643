import type { RunOutcome } from "../agent/runner.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { type AssistantMessage, noUsage, type UserMessage } from "../session/message.ts";
import { rowAfter } from "../session/row-after.ts";
import type { RowChanges, Sessions } from "../session/sessions.ts";
import type { Aside, Entry, NewEntry } from "../session/transcript.ts";
import { answerId, type Answers, type Said } from "./answers.ts";
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
  writeMessages(runs: readonly Run[], options?: { aside?: Aside; before?: string | undefined }): Promise<void>;
  /** Writes a command and the answer to it, together; a crash may have left the command alone. */
  writeReply(run: Run, text: string): Promise<void>;
  /** Writes a word of the gateway's own; an aside is kept from the model. */
  writeNote(to: NoteTo): Promise<Entry>;
  /** Sends a word of the gateway's own to whoever wrote, before the run that it is about begins. */
  say(run: Run, text: string): Promise<void>;
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

export type Outcome = Pick<RunState, "outcome" | "error" | "mergedInto"> & {
  readonly status: Exclude<RunState["status"], "pending">;
  /** What whoever wrote is told, where it is not the outcome itself. */
  readonly said?: Said | undefined;
};

export interface RecorderOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly book: RunBook;
  /** The way to the chats that messages came from; absent where there are none. */
  readonly answers?: Answers | undefined;
  readonly emit: (event: TurnEvent) => void;
}

export function createRecorder({ clock, log, sessions, journal, book, answers, emit }: RecorderOptions): Recorder {
  function tell(run: Run, news: TurnNews): void {
    const { runId, sessionKey, agentId, reply } = run.input;
    const sessionId = sessions.get(sessionKey)?.sessionId ?? run.sessionId;
    emit({ runId, sessionKey, sessionId, agentId, ts: clock.now(), ...(reply && { reply }), ...news });
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

  async function writeNote({ text, aside, runId, ...to }: NoteTo): Promise<Entry> {
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
  }

  /**
   * Puts the answer on its way to whoever wrote. False when that could not be written down: the run is not settled then,
   * and the next start finds the answer in the transcript. What is not there yet is answered by the next start too.
   */
  async function sent(run: Run | undefined, outcome: Outcome): Promise<boolean> {
    const said = saidOf(outcome);
    if (!run?.written || !said || !answers) return true;
    const { sessionKey, agentId } = run.input;
    const id = answerId(outcome.mergedInto ?? run.input.runId);
    try {
      // Told apart, as a run whose end a crash cut off is repeated, and may succeed then.
      await answers.send(said.kind === "failure" ? `${id}:failed` : id, run.input, said);
      return true;
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      log.error("an answer could not be put on its way", { run: run.input.runId, error: message });
      if (code !== "rate-limited" && code !== "invalid-request") return false;
      await writeNote({ sessionKey, agentId, text: `⚠️ This answer was not delivered: ${message}`, aside: true });
      return true;
    }
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
      const messages = [...(run.written ? [] : [userMessage(run)]), ownMessage(text, clock.now())];
      const entries = await append(
        run.input,
        messages.map((message) => ({ type: "message", runId, aside: true, message })),
      );
      run.written = true;
      for (const entry of entries) tell(run, { kind: "entry", entry, injected: false });
    },
    writeNote,
    async say({ input }, text) {
      await answers?.send(`${answerId(input.runId)}:note`, input, { kind: "command", text });
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
    async settle(runs, given) {
      const { said: _, ...outcome } = given;
      const [primary] = runs;
      const mayEnd = await sent(primary, given);
      const endedAt = clock.now();
      const states = runs.map(({ input: { runId, sessionKey, agentId }, acceptedAt, startedAt }): RunState => {
        const merged = runId === primary?.input.runId ? {} : { mergedInto: primary?.input.runId };
        return { runId, sessionKey, agentId, acceptedAt, startedAt, endedAt, ...outcome, ...merged };
      });
      // What is not in the conversation stays in the journal: the next start writes and answers it.
      const kept = states.filter((_, at) => mayEnd && runs[at]?.written);
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

/** What whoever wrote is told of an outcome; nothing where a person ended it. */
function saidOf({ status, said, outcome, error }: Outcome): Said | undefined {
  if (said || status === "aborted") return said;
  if (status !== "ok") return { kind: "failure", failure: error ?? { code: "failed" } };
  return outcome && { kind: "answer", texts: outcome.payloads.map(({ text }) => text), by: outcome };
}

const statusAfter = { ok: "done", error: "failed", timeout: "timeout", aborted: "killed" } as const;

/** A message as the conversation has it. */
export function userMessage({ input, acceptedAt }: Run, before?: string): UserMessage {
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
