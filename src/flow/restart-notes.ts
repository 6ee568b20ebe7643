import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { parseJson } from "../kit/json.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "./turns.ts";

/** Characters of a note: it is written into the conversation as one message. */
export const maxNote = 4000;

export interface RestartNote {
  /** The full key of the session that is told. */
  readonly sessionKey: string;
  /** What asked for the restart, such as `config.apply`. */
  readonly by: string;
  /** The asker's own words; at most `maxNote` characters. */
  readonly note?: string | undefined;
}

/**
 * What sessions are told of a restart when it is over (cli.md 2.9): kept in `<state>/restart-sentinel.json` until it is
 * in the conversation, and told exactly once, whatever kills the process in between.
 */
export interface RestartNotes {
  /** Resolves when it is on the disk. A session that does not exist is not told. */
  add(note: RestartNote): Promise<void>;
  /** Tells all that wait: that the restart is over, or why there was none. What cannot be told waits for the next start. */
  tell(refusal?: Failure): Promise<void>;
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

export interface RestartNotesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly sessions: Pick<Sessions, "get" | "transcript">;
  readonly turns: Pick<Turns, "inject">;
}

const KEY = "restart-sentinel.json";
/** Sessions that wait to be told; each restart empties the list. */
const maxWaiting = 16;
/** What was never told by then is no news any more. */
const newsMs = 24 * 3600_000;

const waitingSchema = v.array(
  v.object({
    /** The id of the run that the note counts as: the transcript says by it whether it was written. */
    runId: v.string(),
    sessionKey: v.string(),
    /** The session's transcript when the restart was asked for, and its newest entry: the note comes after it. */
    sessionId: v.string(),
    afterSeq: v.number(),
    by: v.string(),
    note: v.optional(v.string()),
    askedAt: v.number(),
  }),
);
type Waiting = v.InferOutput<typeof waitingSchema>[number];

export function createRestartNotes({ clock, log, store, sessions, turns }: RestartNotesOptions): RestartNotes {
  const lanes = createLanes();
  const inTurn = (work: () => Promise<void>): Promise<void> => lanes.run(KEY, work);

  async function add({ sessionKey, by, note }: RestartNote): Promise<void> {
    const row = sessions.get(sessionKey);
    if (!row) return log.info("there is no such session to tell of the restart", { session: sessionKey, by });
    const { sessionId } = row;
    const afterSeq = await sessions.transcript(row).last();
    const waiting = { runId: `restart-${uuid()}`, sessionKey, sessionId, afterSeq, by, note, askedAt: clock.now() };
    await store.change(KEY, (old) => textOf([...waitingIn(old), waiting].slice(-maxWaiting)));
  }

  async function tell(refusal: Failure | undefined): Promise<void> {
    const text = await store.read(KEY);
    if (text === undefined) return;
    const told = new Set<string>();
    for (const waiting of waitingIn(text)) {
      try {
        await tellOne(waiting, refusal);
        told.add(waiting.runId);
      } catch (error) {
        const { message } = Failure.from(error);
        log.error("a session could not be told of the restart", { session: waiting.sessionKey, error: message });
      }
    }
    await store.change(KEY, (old) => textOf(waitingIn(old).filter(({ runId }) => !told.has(runId))));
  }

  async function tellOne({ runId, sessionKey, sessionId, afterSeq, by, note, askedAt }: Waiting, refusal?: Failure) {
    const row = sessions.get(sessionKey);
    if (!row || Math.abs(clock.now() - askedAt) > newsMs)
      return log.info("a session is not told of the restart: it is gone, or that is long ago", { session: sessionKey });
    const since = await sessions.transcript(row).after(row.sessionId === sessionId ? afterSeq : 0);
    // A kill after the note was written, and before this file said so.
    if (since.some((entry) => entry.type === "message" && entry.runId === runId)) return;
    const news = refusal
      ? `The gateway was not restarted, which ${by} asked for: ${refusal.message}`
      : `The gateway has restarted: ${by} asked for it.`;
    await turns.inject({ sessionKey, runId, text: note ? `${news}\n\n${note}` : news });
  }

  return {
    add: (note) => inTurn(() => add(note)),
    tell: (refusal) =>
      inTurn(() =>
        tell(refusal).catch((error: unknown) => {
          // The restart itself must not fail for it.
          log.error("sessions could not be told of the restart", { error: Failure.from(error).message });
        }),
      ),
    close: () => inTurn(() => Promise.resolve()),
  };
}

/** A file that makes no sense tells nobody, and is replaced. */
function waitingIn(text: string | undefined): readonly Waiting[] {
  const parsed = v.safeParse(waitingSchema, parseJson(text ?? ""));
  return parsed.success ? parsed.output : [];
}

function textOf(waiting: readonly Waiting[]): string | undefined {
  return waiting.length === 0 ? undefined : `${JSON.stringify(waiting)}\n`;
}
