import type { Runner } from "../agent/runner.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { allows } from "../protocol/scope.ts";
import { hostOffset, isStale } from "../session/freshness.ts";
import { agentOfKey } from "../session/key.ts";
import type { UserMessage } from "../session/message.ts";
import type { QueueSettings, SessionRow, Sessions } from "../session/sessions.ts";
import type { Logs } from "../store/log.ts";
import type { Answers } from "./answers.ts";
import { mayGive, obey, parseCommand, type CommandContext, type Parsed } from "./command.ts";
import { openJournal, type Taken } from "./journal.ts";
import { nextTurn } from "./next-turn.ts";
import { perform, shutdown, type Turn } from "./perform.ts";
import { createRecorder, ownOutcome, type Outcome } from "./recorder.ts";
import { createRunBook, type Run } from "./run-book.ts";
import { createSlots } from "./slots.ts";
import type { Accepted, AbortTarget, TurnEvent, TurnInput, TurnOrigin, Turns } from "./turns.ts";
import { keyOf, writtenOf, type WrittenAnswer } from "./written.ts";

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

/** What goes on in one session. One thing at a time: a chore or a turn. */
interface Lane {
  readonly key: string;
  readonly waiting: Run[];
  readonly chores: (() => Promise<void>)[];
  turn: Turn | undefined;
  busy: boolean;
  /** Ends the pause for more messages. */
  wake: (() => void) | undefined;
  /** First words of messages that did not fit the queue. */
  readonly dropped: string[];
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
  const lanes = new Map<string, Lane>();
  /** Commands of one session, which do not wait for its runs. */
  const commands = createLanes();
  const ending = new AbortController();
  let windingDown = false;
  const working = new Set<Promise<void>>();

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
    const { input, acceptedAt, sessionId, afterSeq, attempts } = taken;
    const { model, thinking, extraSystemPrompt, promptMode, origin, reply } = input;
    return {
      input,
      acceptedAt,
      sessionId,
      afterSeq,
      attempts,
      mode: written ? "collect" : (input.queueMode ?? queue(row).mode),
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

  function scopesOf({ origin }: TurnInput): ReadonlySet<string> {
    return new Set(options.scopesOf?.(origin) ?? origin.scopes);
  }

  function mayWrite(input: TurnInput): boolean {
    return allows(scopesOf(input), "operator.write");
  }

  function begin(run: Run): void {
    if (!mayWrite(run.input)) return track(setAside([run], unwelcome));
    const parsed = parseCommand(run.input, textCommands());
    if (!parsed) return enqueue(run);
    const key = run.input.sessionKey;
    const act = () => command(run, parsed);
    // Who may not give the command must not stop a run by it either.
    const allowed = mayGive(parsed, run.input.origin, scopesOf(run.input));
    const interrupts = parsed.command.interrupts === true && allowed;
    const interrupted = interrupts ? stopAll(key) : Promise.resolve();
    track(interrupted.then(() => (parsed.command.exclusive ? exclusive(key, act) : commands.run(key, act))));
  }

  async function command(run: Run, parsed: Parsed): Promise<void> {
    const context = { ...options.commands, queue, abort: (sessionKey: string) => abort({ sessionKey }) };
    const left = await obey(run, parsed, {
      log,
      sessions,
      recorder,
      context,
      signal: ending.signal,
      allowed: mayGive(parsed, run.input.origin, scopesOf(run.input)),
    });
    if (!left) return;
    const next = { ...run, input: left };
    book.add(next);
    enqueue(next);
  }

  // Waiting and running

  function laneOf(key: string): Lane {
    const lane = lanes.get(key) ?? {
      key,
      waiting: [],
      chores: [],
      turn: undefined,
      busy: false,
      wake: undefined,
      dropped: [],
    };
    lanes.set(key, lane);
    return lane;
  }

  function enqueue(run: Run): void {
    const lane = laneOf(run.input.sessionKey);
    run.queued = lane.busy || lane.waiting.length > 0;
    if (run.mode === "interrupt" && lane.busy) track(stopAll(lane.key).then(() => void 0));
    lane.waiting.push(run);
    const row = sessions.get(lane.key);
    if (row) shorten(lane, queue(row));
    pump(lane);
  }

  /** Sets the oldest of too many messages aside: they stay in the conversation, and are not answered one by one. */
  function shorten(lane: Lane, { cap, drop }: QueueSettings): void {
    while (lane.waiting.length > cap) {
      const at = lane.waiting.findIndex(({ written }) => !written);
      const [run] = at < 0 ? [] : lane.waiting.splice(at, 1);
      if (!run) return;
      const [part] = run.input.content;
      if (drop === "summarize" && part?.type === "text") {
        lane.dropped.push(part.text.replaceAll(/\s+/g, " ").slice(0, 160));
        lane.dropped.splice(0, lane.dropped.length - maxDropped);
      }
      track(setAside([run], "the queue was full"));
    }
  }

  function pump(lane: Lane): void {
    lane.wake?.();
    lane.wake = undefined;
    if (lane.busy || ending.signal.aborted) return;
    const chore = lane.chores.shift();
    if (chore) return work(lane, chore);
    if (windingDown) return;
    const { debounceMs } = queue(sessions.get(lane.key));
    const next = nextTurn(lane.waiting, { now: clock.now(), debounceMs });
    if (next.kind === "none") return void (lane.dropped.length === 0 && lanes.delete(lane.key));
    if (next.kind === "wait") return void (lane.wake = clock.after(next.ms, () => pump(lane)));
    const turn: Turn = {
      runs: lane.waiting.splice(0, next.count),
      abort: new AbortController(),
      startedAt: clock.now(),
      begun: false,
      text: "",
    };
    lane.turn = turn;
    work(lane, () => perform(turn, { clock, log, config, sessions, runner, journal, recorder, slots, ...lives }));
  }

  /** Gives the lane to one piece of work, which never rejects. */
  function work(lane: Lane, piece: () => Promise<void>): void {
    lane.busy = true;
    track(
      piece().finally(() => {
        lane.busy = false;
        lane.turn = undefined;
        pump(lane);
      }),
    );
  }

  const lives = {
    async freshen(sessionKey: string): Promise<void> {
      const row = sessions.get(sessionKey);
      const { session } = config.current().value;
      const over = row && isStale(row, session, { now: clock.now(), offset: hostOffset });
      if (over) await sessions.reset(sessionKey, "stale");
    },
    steer(turn: Turn): readonly UserMessage[] {
      const [primary] = turn.runs;
      const lane = primary && lanes.get(primary.input.sessionKey);
      if (!lane) return [];
      const end = lane.waiting.findIndex(({ mode, together }) => mode !== "steer" || together !== primary.together);
      const taken = lane.waiting.splice(0, end < 0 ? lane.waiting.length : end);
      for (const run of taken) run.startedAt = clock.now();
      turn.runs.push(...taken);
      return taken.map(({ input, acceptedAt }) => ({
        role: "user",
        content: input.content,
        timestamp: acceptedAt,
        idempotencyKey: keyOf(input.runId),
      }));
    },
    remarks(sessionKey: string): string | undefined {
      const dropped = lanes.get(sessionKey)?.dropped.splice(0) ?? [];
      const lines = dropped.map((text) => `- ${text}`).join("\n");
      const tooFast = lines && `Earlier messages that came too fast to be answered one by one:\n${lines}`;
      return [options.remarks?.(sessionKey), tooFast].filter(Boolean).join("\n\n") || undefined;
    },
  };

  // Ending

  async function abort({ sessionKey, runId, keepQueued = false }: AbortTarget): Promise<readonly string[]> {
    const key = runId === undefined ? sessionKey : book.get(runId)?.input.sessionKey;
    const lane = key === undefined || (sessionKey !== undefined && key !== sessionKey) ? undefined : lanes.get(key);
    if (!lane) return [];
    const picked = (run: Run): boolean => runId === undefined || run.input.runId === runId;
    const running = lane.turn?.runs.some(picked) ? lane.turn : undefined;
    const waiting = keepQueued ? [] : lane.waiting.filter(picked);
    const ids = [...(running?.runs ?? []), ...waiting].map(({ input }) => input.runId);
    if (ids.length === 0) return [];
    // Written first: what a person stopped must not begin again after a crash.
    await journal.stop(ids);
    // What waited may have got its turn meanwhile.
    if (lane.turn?.runs.some(({ input }) => ids.includes(input.runId))) {
      lane.turn.abort.abort(new Failure("aborted", "stopped by a person"));
    }
    const removed = waiting.filter((run) => {
      const at = lane.waiting.indexOf(run);
      return at >= 0 && lane.waiting.splice(at, 1).length > 0;
    });
    await setAside(removed, "stopped before its turn");
    return ids;
  }

  async function stopAll(key: string): Promise<void> {
    await abort({ sessionKey: key });
  }

  /** Ends messages that will not be answered. They stay in the conversation: they were acknowledged. */
  async function setAside(runs: readonly Run[], why: string): Promise<void> {
    if (runs.length === 0) return;
    await recorder.writeMessages(runs, { aside: true });
    const outcome = { ...ownOutcome(""), status: "aborted" as const, stopReason: "rpc" };
    for (const run of runs)
      await recorder.settle([run], { status: "aborted", outcome, error: new Failure("aborted", why) });
  }

  async function dismiss(): Promise<void> {
    const theirs = [...lanes.values()]
      .flatMap(({ turn, waiting }) => [...(turn?.runs ?? []), ...waiting])
      .filter(({ input }) => !mayWrite(input));
    for (const { input } of theirs) await abort({ runId: input.runId });
  }

  function exclusive<T>(sessionKey: string, piece: () => Promise<T>): Promise<T> {
    const lane = laneOf(sessionKey);
    return new Promise<T>((resolve, reject) => {
      lane.chores.push(() => piece().then(resolve, reject));
      pump(lane);
    });
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
    for (const lane of lanes.values()) pump(lane);
  }

  async function takeUp(taken: Taken): Promise<void> {
    const { sessionKey, agentId, runId } = taken.input;
    const row = await sessions.ensure(sessionKey, { agentId });
    const since = await sessions.transcript(row).after(row.sessionId === taken.sessionId ? taken.afterSeq : 0);
    const written = writtenOf(runId, since);
    const run = runOf(taken, row, written.kind !== "nothing");
    book.add(run);
    if (written.kind === "answer") await recorder.settle([run], outcomeOf(written, runId));
    else if (taken.stopped) await setAside([run], "stopped before the gateway ended");
    else if (!mayWrite(run.input)) await setAside([run], unwelcome);
    else if (run.written) resume(run);
    else begin(run);
  }

  /** Puts a message that the model may have seen before all that have not been begun. */
  function resume(run: Run): void {
    const { waiting } = laneOf(run.input.sessionKey);
    const at = waiting.findIndex(({ written }) => !written);
    waiting.splice(at < 0 ? waiting.length : at, 0, run);
  }

  // Looking

  function queue(row: SessionRow | undefined): QueueSettings & { readonly depth: number } {
    const { byChannel, ...settings } = config.current().value.messages.queue;
    const { mode, debounceMs, cap, drop } = settings;
    const ofChannel = row?.channel === undefined ? undefined : byChannel[row.channel];
    const depth = row ? (lanes.get(row.key)?.waiting.length ?? 0) : 0;
    return { debounceMs, cap, drop, mode: ofChannel ?? mode, ...row?.queue, depth };
  }

  function textCommands(): boolean {
    return config.current().value.commands.text;
  }

  function track(piece: Promise<void>): void {
    const watched = piece.catch((error: unknown) => log.error("a turn failed", { error: Failure.from(error).message }));
    working.add(watched);
    void watched.then(() => working.delete(watched));
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
    exclusive,
    run: (runId) => book.state(runId),
    wait: (runId, timeoutMs, signal) => book.wait(runId, timeoutMs, signal),
    active(sessionKey) {
      const turn = lanes.get(sessionKey)?.turn;
      const [primary] = turn?.runs ?? [];
      if (!turn || !primary) return undefined;
      const { runId, agentId, reply } = primary.input;
      // The lane is let go a moment after the end is told: whoever hears of it must not be shown a run.
      if (book.state(runId)?.status !== "pending") return undefined;
      return { runId, sessionKey, agentId, startedAt: turn.startedAt, text: turn.text, ...(reply && { reply }) };
    },
    pending(sessionKey) {
      return (lanes.get(sessionKey)?.waiting ?? []).map(({ input, acceptedAt }) => ({
        runId: input.runId,
        acceptedAt,
        message: { role: "user", content: input.content, timestamp: acceptedAt, idempotencyKey: keyOf(input.runId) },
      }));
    },
    async inject({ sessionKey, text, runId }) {
      const agentId = sessions.get(sessionKey)?.agentId ?? agentOfKey(sessionKey) ?? "main";
      return { messageId: (await recorder.writeNote({ sessionKey, agentId, text, runId })).id };
    },
    onEvent: (listener) => events.on("turn", listener),
    get load() {
      const queued = [...lanes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
      return { running: slots.used, queued, lanes: lanes.size };
    },
    async windDown(ms, signal) {
      windingDown = true;
      // Who waits for a place among the running would only begin now.
      for (const { turn } of lanes.values()) if (turn && !turn.begun) turn.abort.abort(shutdown());
      const count = (): number => [...lanes.values()].filter(({ turn }) => turn?.begun).length;
      const over = new AbortController();
      const late = clock.after(ms, () => over.abort());
      const asked = (): void => over.abort();
      signal?.addEventListener("abort", asked);
      if (signal?.aborted) over.abort();
      const given = new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve()));
      while (count() > 0 && !over.signal.aborted) await Promise.race([Promise.all(working), given]);
      late();
      signal?.removeEventListener("abort", asked);
      return count();
    },
    async close() {
      ending.abort(shutdown());
      for (const lane of lanes.values()) {
        lane.wake?.();
        lane.turn?.abort.abort(shutdown());
      }
      await new Promise<void>((resolve) => {
        const giveUp = clock.after(closeMs, resolve);
        void Promise.all(working).then(() => {
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
/** First words kept of messages that did not fit the queue. */
const maxDropped = 20;
