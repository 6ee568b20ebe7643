// Longer than most: what takes messages, begins, ends and takes up turns decides over one journal and one set of lanes.
import type { Runner } from "../agent/runner.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { createTasks } from "../kit/tasks.ts";
import { allows } from "../protocol/scope.ts";
import { hostOffset, isStale } from "../session/freshness.ts";
import { agentOfKey } from "../session/key.ts";
import type { UserMessage } from "../session/message.ts";
import type { QueueSettings, SessionRow, Sessions } from "../session/sessions.ts";
import type { Aside } from "../session/transcript.ts";
import type { Logs } from "../store/log.ts";
import type { Answers } from "./answers.ts";
import { mayGive, obey, parseCommand, type CommandContext, type Parsed } from "./command.ts";
import { openJournal, type Taken } from "./journal.ts";
import { overflowOf } from "./overflow.ts";
import { perform, shutdown, type Turn } from "./perform.ts";
import { createRecorder, ownOutcome, userMessage, type Outcome } from "./recorder.ts";
import { createRunBook, newRun, type Run } from "./run-book.ts";
import { createSlots } from "./slots.ts";
import { createTurnLanes } from "./turn-lanes.ts";
import type { Accepted, AbortTarget, TurnEvent, TurnInput, TurnOrigin, Turns } from "./turns.ts";
import { writtenOf, type WrittenAnswer } from "./written.ts";

export interface TurnsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ConfigStore;
  readonly logs: Logs;
  readonly sessions: Sessions;
  readonly runner: Runner;
  /** What commands are given beside the turns themselves. */
  readonly commands: CommandContext;
  /** What a sender may do now: never more than when it wrote. Where it is absent, nothing is ever taken back. */
  readonly scopesOf?: ((origin: TurnOrigin) => readonly string[]) | undefined;
  /** The way to the chats that messages came from; absent where there are none. */
  readonly answers?: Answers | undefined;
  /** What a session is to be told before its next message; undefined for nothing. */
  readonly remarks?: ((sessionKey: string) => string | undefined) | undefined;
  /** Why no message is taken now; undefined when they are. */
  readonly closed?: (() => Failure | undefined) | undefined;
}

export interface OpenTurns extends Turns {
  /** The queue settings in force for a session, and how many messages wait in it. */
  queue(row: SessionRow): QueueSettings & { readonly depth: number };
  /** Takes up what a crash left behind. */
  recover(): Promise<void>;
  /** Takes up what the process that owned the state until now left behind. */
  takeOver(): Promise<void>;
  /** Ends the runs of senders who may not write any more, and sets aside what waits from them. */
  dismiss(): Promise<void>;
  /**
   * Begins no more turns, and resolves when those that run have ended, `ms` have passed or the signal says so; answers
   * how many run still. Messages are taken as before: they have their turn at the next start.
   */
  windDown(ms: number, signal?: AbortSignal): Promise<number>;
  /** Stops every run without settling it: it goes on at the next start. */
  close(): Promise<void>;
}

export async function openTurns(options: TurnsOptions): Promise<OpenTurns> {
  const { clock, log, config, sessions, runner } = options;
  const journal = await openJournal(options);
  const book = createRunBook(clock, journal);
  const events = createEvents<{ turn: TurnEvent }>((error) =>
    log.error("a listener of turns failed", { error: String(error) }),
  );
  const recorder = createRecorder({ ...options, journal, book, emit: (event) => events.emit("turn", event) });
  const slots = createSlots(() => config.current().value.agents.defaults.maxConcurrent);
  const tasks = createTasks((error) => log.error("a turn failed", { error: Failure.from(error).message }));
  const lanes = createTurnLanes({
    clock,
    tasks,
    settings: (sessionKey) => queue(sessions.get(sessionKey)),
    perform: (turn) =>
      perform(turn, { clock, log, config, sessions, runner, journal, recorder, slots, freshen, steer, write }),
    interrupt: (sessionKey) => tasks.add(stopAll(sessionKey)),
    overflow: (run, { drop }) =>
      tasks.add(setAside([run], "the queue was full", drop === "summarize" ? "overflow" : true)),
  });
  /** Commands of one session, which do not wait for its runs. */
  const commands = createLanes();
  /** What is written of a session's messages, one after the other. */
  const writing = createLanes();
  const ending = new AbortController();

  // Accepting

  async function accept(input: TurnInput): Promise<Accepted> {
    const { runId } = input;
    const known = accepting.get(runId);
    if (known) await known;
    const state = book.state(runId);
    if (state) return { runId, status: state.status === "pending" ? "in_flight" : "ok" };
    const taking = take(input);
    accepting.set(runId, taking);
    try {
      begin(await taking);
    } finally {
      accepting.delete(runId);
    }
    return { runId, status: "started" };
  }

  const accepting = new Map<string, Promise<Run>>();

  async function take(input: TurnInput): Promise<Run> {
    if (ending.signal.aborted) throw shutdown();
    const why = options.closed?.();
    if (why) throw why;
    const { count, letters } = book.load();
    if (count >= maxPending || letters >= maxPendingLetters) {
      throw new Failure("rate-limited", `${count} messages wait for an answer already, over all sessions: try later`);
    }
    const createdVia = createdBy[input.origin.channel] ?? "channel";
    const row = await sessions.ensure(input.sessionKey, { agentId: input.agentId, createdVia });
    const { cap, drop, depth } = queue(row);
    if (drop === "new" && depth >= cap && !parseCommand(input, textCommands())) {
      throw new Failure(
        "rate-limited",
        `${depth} messages wait in this session already (messages.queue.cap): try later`,
      );
    }
    const acceptedAt = clock.now();
    const { sessionId } = row;
    const afterSeq = await sessions.transcript(row).last();
    await journal.take({ input, acceptedAt, sessionId, afterSeq });
    const run = runOf({ input, acceptedAt, sessionId, afterSeq, attempts: 0, stopped: false }, row);
    book.add(run);
    recorder.tell(run, { kind: "accepted" });
    return run;
  }

  function runOf(taken: Taken, row: SessionRow, written = false): Run {
    const mode = written ? "collect" : (taken.input.queueMode ?? queue(row).mode);
    return newRun(taken, { mode, written });
  }

  function scopesOf({ origin }: TurnInput): ReadonlySet<string> {
    return new Set(options.scopesOf?.(origin) ?? origin.scopes);
  }

  function mayWrite(input: TurnInput): boolean {
    return allows(scopesOf(input), "operator.write");
  }

  function begin(run: Run): void {
    if (!mayWrite(run.input)) return tasks.add(setAside([run], unwelcome));
    const parsed = parseCommand(run.input, textCommands());
    if (!parsed) return lanes.enqueue(run);
    const key = run.input.sessionKey;
    const act = () => command(run, parsed);
    // Who may not give the command must not stop a run by it either.
    const allowed = mayGive(parsed, run.input.origin, scopesOf(run.input));
    const interrupts = parsed.command.interrupts === true && allowed;
    const interrupted = interrupts ? stopAll(key) : Promise.resolve();
    tasks.add(interrupted.then(() => (parsed.command.exclusive ? lanes.exclusive(key, act) : commands.run(key, act))));
  }

  async function command(run: Run, parsed: Parsed): Promise<void> {
    const context = { ...options.commands, queue, abort: (sessionKey: string) => abort({ sessionKey }) };
    const { origin } = run.input;
    const allowed = mayGive(parsed, origin, scopesOf(run.input));
    if (allowed) recorder.tell(run, { kind: "command", command: parsed.command.name, origin });
    const left = await obey(run, parsed, { log, sessions, recorder, context, signal: ending.signal, allowed });
    if (!left) return;
    const next = { ...run, input: left };
    book.add(next);
    lanes.enqueue(next);
  }

  // Running

  async function freshen(sessionKey: string): Promise<void> {
    const row = sessions.get(sessionKey);
    const { session } = config.current().value;
    const over = row && isStale(row, session, { now: clock.now(), offset: hostOffset });
    if (over) await sessions.reset(sessionKey, "stale");
  }

  function steer(turn: Turn): readonly UserMessage[] {
    return lanes.steer(turn).map((run) => userMessage(run));
  }

  /**
   * Writes a turn's messages, with what the model is told beside them. Nothing that did not fit the queue comes between
   * the look and the write: it is named to this turn, or stands behind it and is named to the next one.
   */
  function write({ runs }: Turn, sessionKey: string): Promise<void> {
    return writing.run(sessionKey, async () => {
      const isFresh = runs.some(({ written }) => !written);
      await recorder.writeMessages(runs, { before: isFresh ? await remarks(sessionKey) : undefined });
    });
  }

  async function remarks(sessionKey: string): Promise<string | undefined> {
    const row = sessions.get(sessionKey);
    const left = row ? await overflowOf(sessions.transcript(row)) : [];
    const lines = left.map((text) => `- ${text}`).join("\n");
    const tooFast = lines && `Earlier messages that came too fast to be answered one by one:\n${lines}`;
    return [options.remarks?.(sessionKey), tooFast].filter(Boolean).join("\n\n") || undefined;
  }

  // Ending

  async function abort({ sessionKey, runId, keepQueued = false }: AbortTarget): Promise<readonly string[]> {
    const key = runId === undefined ? sessionKey : book.get(runId)?.input.sessionKey;
    if (key === undefined || (sessionKey !== undefined && key !== sessionKey)) return [];
    const picked = (run: Run): boolean => runId === undefined || run.input.runId === runId;
    const running = lanes.turn(key)?.runs ?? [];
    const waiting = keepQueued ? [] : lanes.waiting(key).filter(picked);
    const ids = [...(running.some(picked) ? running : []), ...waiting].map(({ input }) => input.runId);
    if (ids.length === 0) return [];
    // Written first: what a person stopped must not begin again after a crash.
    await journal.stop(ids);
    // What waited may have got its turn meanwhile.
    const turn = lanes.turn(key);
    if (turn?.runs.some(({ input }) => ids.includes(input.runId))) {
      turn.abort.abort(new Failure("aborted", "stopped by a person"));
    }
    await setAside(
      waiting.filter((run) => lanes.remove(run)),
      "stopped before its turn",
    );
    return ids;
  }

  async function stopAll(key: string): Promise<void> {
    await abort({ sessionKey: key });
  }

  /** Ends messages that will not be answered. They stay in the conversation: they were acknowledged. */
  async function setAside(runs: readonly Run[], why: string, aside: Aside = true): Promise<void> {
    const [first] = runs;
    if (!first) return;
    await writing.run(first.input.sessionKey, () => recorder.writeMessages(runs, { aside }));
    const outcome = { ...ownOutcome(""), status: "aborted" as const, stopReason: "rpc" };
    for (const run of runs)
      await recorder.settle([run], { status: "aborted", outcome, error: new Failure("aborted", why) });
  }

  async function dismiss(): Promise<void> {
    const theirs = lanes.runs().filter(({ input }) => !mayWrite(input));
    for (const { input } of theirs) await abort({ runId: input.runId });
  }

  // Coming back

  async function recover(): Promise<void> {
    for (const taken of journal.pending()) {
      const { runId, sessionKey } = taken.input;
      if (book.get(runId)) continue;
      try {
        await takeUp(taken);
      } catch (error) {
        // It stays in the journal: the next start tries again, and the others go on now.
        log.error("a message could not be taken up", { run: runId, session: sessionKey, error: String(error) });
      }
    }
    lanes.pump();
  }

  async function takeUp(taken: Taken): Promise<void> {
    const { sessionKey, agentId, runId } = taken.input;
    const row = await sessions.ensure(sessionKey, { agentId });
    const since = await sessions.transcript(row).after(row.sessionId === taken.sessionId ? taken.afterSeq : 0);
    const written = writtenOf(runId, since);
    const run = runOf(taken, row, written.kind !== "nothing");
    book.add(run);
    const isOver = written.kind === "aside" && (written.why === "overflow" || !parseCommand(run.input, textCommands()));
    if (written.kind === "answer") await recorder.settle([run], outcomeOf(written, runId));
    else if (taken.stopped) await setAside([run], "stopped before the gateway ended");
    else if (!mayWrite(run.input)) await setAside([run], unwelcome);
    else if (isOver) await setAside([run], "set aside before the gateway ended");
    else if (written.kind === "message") lanes.resume(run);
    else begin(run);
  }

  // Looking

  function queue(row: SessionRow | undefined): QueueSettings & { readonly depth: number } {
    const { byChannel, ...settings } = config.current().value.messages.queue;
    const { mode, debounceMs, cap, drop } = settings;
    const ofChannel = row?.channel === undefined ? undefined : byChannel[row.channel];
    const depth = row ? lanes.waiting(row.key).length : 0;
    return { debounceMs, cap, drop, mode: ofChannel ?? mode, ...row?.queue, depth };
  }

  function textCommands(): boolean {
    return config.current().value.commands.text;
  }

  return {
    accept,
    abort,
    queue,
    recover,
    async takeOver() {
      await journal.reload();
      await recover();
    },
    dismiss,
    exclusive: (sessionKey, work) => lanes.exclusive(sessionKey, work),
    run: (runId) => book.state(runId),
    wait: (runId, timeoutMs, signal) => book.wait(runId, timeoutMs, signal),
    active(sessionKey) {
      const turn = lanes.turn(sessionKey);
      const [primary] = turn?.runs ?? [];
      if (!turn || !primary) return undefined;
      const { runId, agentId, reply } = primary.input;
      // The lane is let go a moment after the end is told: whoever hears of it must not be shown a run.
      if (book.state(runId)?.status !== "pending") return undefined;
      return { runId, sessionKey, agentId, startedAt: turn.startedAt, text: turn.text, ...(reply && { reply }) };
    },
    pending(sessionKey) {
      return lanes.waiting(sessionKey).map((run) => ({
        runId: run.input.runId,
        acceptedAt: run.acceptedAt,
        message: userMessage(run),
      }));
    },
    async inject({ sessionKey, text, runId }) {
      const agentId = sessions.get(sessionKey)?.agentId ?? agentOfKey(sessionKey) ?? "main";
      return { messageId: (await recorder.writeNote({ sessionKey, agentId, text, runId })).id };
    },
    onEvent: (listener) => events.on("turn", listener),
    get load() {
      return { running: slots.used, ...lanes.load };
    },
    windDown: (ms, signal) => lanes.windDown(ms, signal),
    async close() {
      ending.abort(shutdown());
      lanes.close();
      await new Promise<void>((resolve) => {
        const giveUp = clock.after(closeMs, resolve);
        void tasks.settled().then(() => {
          giveUp();
          resolve();
        });
      });
      await journal.close();
    },
  };
}

/** The outcome of a run that the transcript knows to be over. */
function outcomeOf({ message, texts, isCommand, ...answer }: WrittenAnswer, runId: string): Outcome {
  const { provider, model, stopReason, errorMessage = "" } = message;
  const merged = answer.runId === runId ? {} : { mergedInto: answer.runId };
  if (isCommand) return { status: "ok", said: { kind: "command", text: texts.join("\n\n") } };
  if (stopReason === "aborted") return { status: "aborted", ...merged };
  if (stopReason === "error") return { status: "error", error: new Failure("failed", errorMessage), ...merged };
  return { status: "ok", said: { kind: "answer", texts, by: { provider, model } }, ...merged };
}

/** How sessions came to be, by who wrote first; chat networks are the rest. */
const createdBy: Readonly<Record<string, SessionRow["createdVia"]>> = {
  webchat: "operator",
  cron: "cron",
  heartbeat: "internal",
  hook: "internal",
};
/** How long the end of the gateway waits for runs to let go. */
const closeMs = 3000;
/** Messages on their way, over all sessions, and letters of all of them: each is kept in memory until it is answered. */
const maxPending = 2000;
const maxPendingLetters = 64 * 1024 * 1024;
const unwelcome = "whoever sent this may not write here any more";
