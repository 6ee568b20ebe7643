import type { Clock } from "../host/host.ts";
import type { Tasks } from "../kit/tasks.ts";
import type { QueueSettings } from "../session/sessions.ts";
import { nextTurn } from "./next-turn.ts";
import { shutdown, type Turn } from "./perform.ts";
import type { Run } from "./run-book.ts";

/** What waits in each session, and has its turn there: one thing at a time, a turn or a piece of work. */
export interface TurnLanes {
  /** Puts a message behind all that wait in its session. Its turn begins when nothing is before it. */
  enqueue(run: Run): void;
  /** Puts a message that the model may have seen before all that have not been begun; `pump` begins its turn. */
  resume(run: Run): void;
  /** Begins what is next, wherever nothing goes on. */
  pump(): void;
  /** Runs work that must not meet a turn of this session, before what waits there. */
  exclusive<T>(sessionKey: string, piece: () => Promise<T>): Promise<T>;
  /** Moves the waiting messages that may steer a turn into it, and answers them. */
  steer(turn: Turn): readonly Run[];
  /** Takes a message out; false when it does not wait any more. */
  remove(run: Run): boolean;
  /** The turn that a session is in. */
  turn(sessionKey: string): Turn | undefined;
  /** The messages of a session whose turn has not come, in order. */
  waiting(sessionKey: string): readonly Run[];
  /** Every message that waits or has its turn. */
  runs(): readonly Run[];
  /** Messages that wait, over all sessions, and the sessions in which something goes on. */
  readonly load: { readonly queued: number; readonly lanes: number };
  /**
   * Begins no more turns, and resolves when those that run have ended, `ms` have passed or the signal says so; answers
   * how many run still.
   */
  windDown(ms: number, signal?: AbortSignal): Promise<number>;
  /** Begins nothing more, and tells what runs that the gateway ends. */
  close(): void;
}

export interface TurnLanesOptions {
  readonly clock: Clock;
  /** What goes on in the lanes is added here. */
  readonly tasks: Tasks;
  readonly settings: (sessionKey: string) => QueueSettings;
  /** Carries a turn out. Never rejects. */
  readonly perform: (turn: Turn) => Promise<void>;
  /** A message came that is not to wait for what goes on in its session. */
  readonly interrupt: (sessionKey: string) => void;
  /** A message did not fit its session's queue: it will have no turn. */
  readonly overflow: (run: Run, settings: QueueSettings) => void;
}

interface Lane {
  readonly key: string;
  readonly waiting: Run[];
  readonly chores: (() => Promise<void>)[];
  turn: Turn | undefined;
  busy: boolean;
  /** Ends the pause for more messages. */
  wake: (() => void) | undefined;
}

export function createTurnLanes(options: TurnLanesOptions): TurnLanes {
  const { clock, tasks, settings } = options;
  const lanes = new Map<string, Lane>();
  let windingDown = false;
  let closed = false;

  function laneOf(key: string): Lane {
    const lane = lanes.get(key) ?? { key, waiting: [], chores: [], turn: undefined, busy: false, wake: undefined };
    lanes.set(key, lane);
    return lane;
  }

  /** Takes the oldest of too many messages out; those that were begun stay. */
  function shorten({ key, waiting }: Lane): void {
    const limits = settings(key);
    while (waiting.length > limits.cap) {
      const at = waiting.findIndex(({ written }) => !written);
      const [run] = at < 0 ? [] : waiting.splice(at, 1);
      if (!run) return;
      options.overflow(run, limits);
    }
  }

  function pump(lane: Lane): void {
    lane.wake?.();
    lane.wake = undefined;
    if (lane.busy || closed) return;
    const chore = lane.chores.shift();
    if (chore) return work(lane, chore);
    if (windingDown) return;
    const { debounceMs } = settings(lane.key);
    const next = nextTurn(lane.waiting, { now: clock.now(), debounceMs });
    if (next.kind === "none") return void lanes.delete(lane.key);
    if (next.kind === "wait") return void (lane.wake = clock.after(next.ms, () => pump(lane)));
    const turn: Turn = {
      runs: lane.waiting.splice(0, next.count),
      abort: new AbortController(),
      startedAt: clock.now(),
      begun: false,
      text: "",
    };
    lane.turn = turn;
    work(lane, () => options.perform(turn));
  }

  /** Gives the lane to one piece of work, which never rejects. */
  function work(lane: Lane, piece: () => Promise<void>): void {
    lane.busy = true;
    tasks.add(
      piece().finally(() => {
        lane.busy = false;
        lane.turn = undefined;
        pump(lane);
      }),
    );
  }

  return {
    enqueue(run) {
      const lane = laneOf(run.input.sessionKey);
      run.queued = lane.busy || lane.waiting.length > 0;
      if (run.mode === "interrupt" && lane.busy) options.interrupt(lane.key);
      lane.waiting.push(run);
      shorten(lane);
      pump(lane);
    },
    resume(run) {
      const { waiting } = laneOf(run.input.sessionKey);
      const at = waiting.findIndex(({ written }) => !written);
      waiting.splice(at < 0 ? waiting.length : at, 0, run);
    },
    pump() {
      for (const lane of lanes.values()) pump(lane);
    },
    exclusive(sessionKey, piece) {
      const lane = laneOf(sessionKey);
      return new Promise((resolve, reject) => {
        lane.chores.push(() => piece().then(resolve, reject));
        pump(lane);
      });
    },
    steer(turn) {
      const [primary] = turn.runs;
      const lane = primary && lanes.get(primary.input.sessionKey);
      if (!lane) return [];
      const end = lane.waiting.findIndex(({ mode, together }) => mode !== "steer" || together !== primary.together);
      const taken = lane.waiting.splice(0, end < 0 ? lane.waiting.length : end);
      for (const run of taken) run.startedAt = clock.now();
      turn.runs.push(...taken);
      return taken;
    },
    remove(run) {
      const { waiting = [] } = lanes.get(run.input.sessionKey) ?? {};
      const at = waiting.indexOf(run);
      return at >= 0 && waiting.splice(at, 1).length > 0;
    },
    turn: (sessionKey) => lanes.get(sessionKey)?.turn,
    waiting: (sessionKey) => lanes.get(sessionKey)?.waiting ?? [],
    runs: () => [...lanes.values()].flatMap(({ turn, waiting }) => [...(turn?.runs ?? []), ...waiting]),
    get load() {
      const queued = [...lanes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
      return { queued, lanes: lanes.size };
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
      while (count() > 0 && !over.signal.aborted) await Promise.race([tasks.settled(), given]);
      late();
      signal?.removeEventListener("abort", asked);
      return count();
    },
    close() {
      closed = true;
      for (const lane of lanes.values()) {
        lane.wake?.();
        lane.turn?.abort.abort(shutdown());
      }
    },
  };
}
