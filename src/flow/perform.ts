import type { RunOutcome, Runner } from "../agent/runner.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Message } from "../session/message.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import type { Journal } from "./journal.ts";
import type { Recorder } from "./recorder.ts";
import type { Run } from "./run-book.ts";
import type { Slots } from "./slots.ts";
import { withUsage } from "./usage-footer.ts";
import { keyOf } from "./written.ts";

/** A run that has its session's lane: the messages it answers, and the way to end it. */
export interface Turn {
  /** The first gave the run its id; the others were collected with it, or steered it. */
  readonly runs: Run[];
  readonly abort: AbortController;
  readonly startedAt: number;
  /** It has its place among the runs that go on at once. */
  begun: boolean;
  /** What was streamed of the answer in progress. */
  text: string;
}

export interface PerformOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ConfigStore;
  readonly sessions: Sessions;
  readonly runner: Runner;
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly slots: Slots;
  /** Begins the session anew when its time is over. */
  freshen(sessionKey: string): Promise<void>;
  /** Messages that came meanwhile and steer the run. */
  steer(turn: Turn): readonly Message[];
  /** Writes the turn's messages into the conversation, with what the model is told beside them. */
  write(turn: Turn, sessionKey: string): Promise<void>;
}

/** A run that does not end this long after it was told to has lost its lane. */
const graceMs = 30_000;
/** A message whose run was begun this often, and never ended, is what ends the gateway. */
const maxAttempts = 3;

/** One turn, from its messages in the journal to its end there. Never rejects. */
export async function perform(turn: Turn, options: PerformOptions): Promise<void> {
  const { clock, log, sessions, slots, recorder } = options;
  const [primary] = turn.runs;
  if (!primary) return;
  const { signal } = turn.abort;
  const release = await slots.take();
  turn.begun = true;
  const timeoutMs = primary.input.timeoutMs ?? options.config.current().value.agents.defaults.timeoutSeconds * 1000;
  const stopDeadline = clock.after(timeoutMs, () =>
    turn.abort.abort(
      new Failure("timeout", `the run took longer than ${Math.round(timeoutMs / 1000)} s and was ended`),
    ),
  );
  try {
    const outcome = await answer(turn, primary, options);
    if (isShutdown(signal)) return;
    const { sessionKey, agentId } = primary.input;
    for (const text of outcome.warnings ?? []) await recorder.writeNote({ sessionKey, agentId, text, aside: true });
    const { status, error } = outcome;
    const shown = withUsage(outcome, sessions.get(sessionKey)?.responseUsage);
    await recorder.settle(turn.runs, { status, outcome: shown, ...(error ? { error } : {}) });
  } catch (thrown) {
    if (isShutdown(signal)) return;
    const error = Failure.from(thrown);
    const stopped = signal.aborted && thrown === signal.reason ? stoppedAs(error) : undefined;
    if (!stopped) {
      log.error("a run failed", { run: primary.input.runId, session: primary.input.sessionKey, error: error.message });
    }
    // Ended before the model was asked: what was acknowledged stays in the conversation.
    await recorder
      .writeMessages(turn.runs, stopped ? { aside: true } : {})
      .catch((why: unknown) =>
        log.error("a message could not be written", { run: primary.input.runId, error: String(why) }),
      );
    await recorder.settle(turn.runs, { status: stopped ?? "error", error: stopped ? error : error.shown() });
  } finally {
    stopDeadline();
    release();
  }
}

/** The reason that runs are ended with when the gateway ends: they are not settled, and go on at the next start. */
export function shutdown(): Failure {
  return new Failure("unavailable", "the gateway is stopping; the run goes on when it is back");
}

async function answer(turn: Turn, primary: Run, options: PerformOptions): Promise<RunOutcome> {
  const { clock, sessions, runner, journal, recorder } = options;
  const { runId, sessionKey, agentId, model, thinking, extraSystemPrompt, promptMode } = primary.input;
  const { signal } = turn.abort;
  signal.throwIfAborted();
  if (turn.runs.some(({ attempts }) => attempts >= maxAttempts)) {
    const failure = new Failure(
      "failed",
      `this message was begun ${maxAttempts} times and the gateway ended each time`,
    );
    await recorder.writeMessages(turn.runs);
    await recorder.writeFailure(primary, failure);
    throw failure;
  }
  if (!turn.runs.some(({ written }) => written)) await options.freshen(sessionKey);
  await journal.begin(turn.runs.map(({ input }) => input.runId));
  recorder.start(turn.runs);
  await options.write(turn, sessionKey);
  const row = await sessions.ensure(sessionKey, { agentId });
  signal.throwIfAborted();
  const running = runner.run({
    runId,
    sessionKey,
    sessionId: row.sessionId,
    agentId,
    signal,
    emit(event) {
      if (event.type === "text") turn.text = event.text;
      if (event.type === "entry") noteWritten(turn.runs, event.entry);
      // What is in the transcript, or is taken back, is not in flight any more.
      if (event.type === "entry" || event.type === "retract") turn.text = "";
      recorder.tell(primary, { kind: "progress", event });
    },
    steer: () => options.steer(turn),
    model,
    thinking,
    promptMode,
    extraSystemPrompt,
  });
  return Promise.race([running, overdue(clock, signal)]);
}

/** Messages that steer a run are written by the runner: they are in the conversation once their entries are. */
function noteWritten(runs: readonly Run[], entry: Entry): void {
  if (entry.type !== "message" || entry.message.role !== "user") return;
  const key = entry.message.idempotencyKey;
  for (const run of runs) run.written ||= keyOf(run.input.runId) === key;
}

/** Rejects when a run that was told to end has not done so in time: the lane goes to the next, its queue kept. */
function overdue(clock: Clock, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const arm = (): void => {
      clock.after(graceMs, () => reject(new Failure("timeout", "the run did not end when it was told to")));
    };
    if (signal.aborted) arm();
    else signal.addEventListener("abort", arm, { once: true });
  });
}

function stoppedAs({ code }: Failure): "aborted" | "timeout" | undefined {
  return code === "aborted" || code === "timeout" ? code : undefined;
}

function isShutdown({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Failure && reason.code === "unavailable";
}
