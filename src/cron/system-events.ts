import * as v from "valibot";
import type { TurnEvent, Turns } from "../flow/turns.ts";
import type { Clock } from "../host/host.ts";
import { parseJson } from "../kit/json.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { truncateUtf8 } from "../kit/text.ts";
import { textOf } from "../session/message.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Store } from "../store/store.ts";

const eventSchema = v.object({
  /** The same one again is not queued again. */
  id: v.string(),
  sessionKey: v.string(),
  text: v.string(),
  at: v.number(),
  /** A turn is to be made of it at once, rather than with the next heartbeat or message. */
  now: v.boolean(),
});
export type SystemEvent = v.InferOutput<typeof eventSchema>;

const documentSchema = v.object({ events: v.array(eventSchema), done: v.array(v.string()) });

/**
 * What sessions are to be told with their next turn: reminders, calls from outside. Each is on the disk from when it is
 * taken until it is in the conversation, and is told exactly once.
 */
export interface SystemEvents {
  /** Resolves when it is on the disk; `coalesced` when the same is waiting already or was told. */
  add(event: Omit<SystemEvent, "at">): Promise<"queued" | "coalesced">;
  /** What waits for a session, as it stands before the next message; undefined for nothing. */
  remarks(sessionKey: string): string | undefined;
  /** Events that wait for a turn of their own. */
  urgent(sessionKey?: string): readonly SystemEvent[];
  readonly waiting: readonly SystemEvent[];
  /** What is in a conversation does not wait any more: follows the turns until the answer is called. */
  follow(turns: Pick<Turns, "onEvent">): () => void;
  /** Reads everything again, and leaves out what the conversations have. */
  reload(sessions: Pick<Sessions, "get" | "transcript">): Promise<void>;
}

const KEY = "system-events.json";
const MOST_BYTES = 4096;
/** Events that wait in one session, and in all; the oldest go first. */
const MOST_OF_SESSION = 20;
const MOST = 200;
/** Ids of events that were told: what made them may, after a crash, make them again. */
const MOST_DONE = 500;
const nothing = { events: [], done: [] };
/** Newest entries of a conversation in which an event is looked for that may have been told before a crash. */
const LOOK_BACK = 40;

export function createSystemEvents({ store, clock, log }: { store: Store; clock: Clock; log: Logger }): SystemEvents {
  let events: readonly SystemEvent[] = [];
  let done: readonly string[] = [];
  /** Ids that were given to a turn whose message is not written yet. */
  const given = new Map<string, readonly string[]>();
  const lanes = createLanes();

  async function save(nextEvents: readonly SystemEvent[], nextDone: readonly string[]): Promise<void> {
    const isEmpty = nextEvents.length === 0 && nextDone.length === 0;
    await store.change(KEY, () =>
      isEmpty ? undefined : `${JSON.stringify({ events: nextEvents, done: nextDone })}\n`,
    );
    [events, done] = [nextEvents, nextDone];
  }

  async function add(event: Omit<SystemEvent, "at">): Promise<"queued" | "coalesced"> {
    const text = truncateUtf8(event.text, MOST_BYTES);
    const same = ({ id, sessionKey, text: other }: SystemEvent): boolean =>
      id === event.id || (sessionKey === event.sessionKey && other === text);
    if (done.includes(event.id) || events.some(same)) return "coalesced";
    const mine = events.filter(({ sessionKey }) => sessionKey === event.sessionKey).slice(-(MOST_OF_SESSION - 1));
    const kept = events.filter((each) => each.sessionKey !== event.sessionKey || mine.includes(each));
    if (kept.length < events.length)
      log.warn("too many system events wait: the oldest is dropped", { session: event.sessionKey });
    await save([...kept, { ...event, text, at: clock.now() }].slice(-MOST), done);
    return "queued";
  }

  async function told(ids: readonly string[]): Promise<void> {
    await save(
      events.filter(({ id }) => !ids.includes(id)),
      [...done, ...ids].slice(-MOST_DONE),
    );
  }

  function see(event: TurnEvent): void {
    const ids = given.get(event.sessionKey);
    if (!ids) return;
    const isWritten = event.kind === "entry" && !event.injected;
    if (isWritten || event.kind === "ended") given.delete(event.sessionKey);
    if (isWritten)
      lanes
        .run(KEY, () => told(ids))
        .catch((error: unknown) => {
          // They are told again at the next start only if the conversation does not have them.
          log.error("system events that were told could not be taken off the list", { error: String(error) });
        });
  }

  async function load(sessions: Pick<Sessions, "get" | "transcript">): Promise<void> {
    const text = await store.read(KEY);
    const parsed = v.safeParse(documentSchema, text === undefined ? nothing : parseJson(text));
    if (!parsed.success) log.warn(`${KEY} is damaged: what waited in it is lost`);
    ({ events, done } = parsed.success ? parsed.output : nothing);
    const ids: string[] = [];
    for (const event of events) if (await isTold(sessions, event)) ids.push(event.id);
    if (ids.length === 0) return;
    await told(ids).catch((error: unknown) => {
      // A gateway that stands by may not write, and tells nobody: it reads again when it takes over.
      log.info("system events that were told are still on the list", { error: String(error) });
    });
  }

  return {
    add: (event) => lanes.run(KEY, () => add(event)),
    remarks(sessionKey) {
      const mine = events.filter((event) => event.sessionKey === sessionKey);
      if (mine.length === 0) return undefined;
      given.set(
        sessionKey,
        mine.map(({ id }) => id),
      );
      return mine.map(lineOf).join("\n");
    },
    urgent: (sessionKey) =>
      events.filter((event) => event.now && (sessionKey ?? event.sessionKey) === event.sessionKey),
    get waiting() {
      return events;
    },
    follow: (turns) => turns.onEvent(see),
    reload: (sessions) => lanes.run(KEY, () => load(sessions)),
  };
}

/** The line that an event is told by: its moment makes it one that no other event has. */
function lineOf({ at, text }: SystemEvent): string {
  return `System: [${new Date(at).toISOString()}] ${text.replaceAll("\n", "\n  ")}`;
}

async function isTold(sessions: Pick<Sessions, "get" | "transcript">, event: SystemEvent): Promise<boolean> {
  const row = sessions.get(event.sessionKey);
  if (!row) return false;
  const transcript = sessions.transcript(row);
  const entries = await transcript.after(Math.max(0, (await transcript.last()) - LOOK_BACK));
  const line = lineOf(event);
  return entries.some(
    (entry) => entry.type === "message" && entry.message.role === "user" && textOf(entry.message).includes(line),
  );
}
