import * as v from "valibot";
import { pause } from "./channel-connection.ts";
import type { ChannelContext } from "./channel.ts";
import type { MatrixApi } from "./matrix-api.ts";

/** What happened since the last time. Events are as they came: each is read by itself. */
export interface MatrixBatch {
  /** The content of `m.direct`, when it has changed. */
  readonly marks?: unknown;
  readonly invitations: readonly Invitation[];
  readonly rooms: readonly RoomNews[];
}

export interface Invitation {
  readonly roomId: string;
  readonly inviter: string;
  readonly isDirect: boolean;
}

export interface RoomNews {
  readonly roomId: string;
  readonly events: readonly unknown[];
  /** Who is in it, or its name, is not what it was. */
  readonly changed: boolean;
  /** Names that people of this room have given themselves, by id. */
  readonly names: ReadonlyMap<string, string>;
}

export interface Following {
  readonly self: string;
  /** From now on what happens is told. */
  readonly ready: () => void;
  /** Resolves when all of it was taken in; rejects when it is to come again. */
  readonly heard: (batch: MatrixBatch) => Promise<void>;
}

const POLL_MS = 30_000;
const IDLE_MS = 1000;
const MAX_BYTES = 32 * 1024 * 1024;
/** Pages of a hundred events that are read where more came than one answer holds. */
const PAGES = 10;

/**
 * Follows what happens in Matrix by its sync, for ever. The place in the stream is kept once everything before it was
 * taken in. Where there is none yet, it begins now: what was said before is not answered.
 */
export async function follow(context: ChannelContext, api: MatrixApi, following: Following): Promise<never> {
  const { self, ready, heard } = following;
  const name = `since ${self}`;
  let since = await context.kept.read(name);
  if (since === undefined) {
    const { next_batch: now, ...answer } = await sync(api, {});
    const { marks, invitations } = await batchOf(context, api, { answer, self });
    await heard({ marks, invitations, rooms: [] });
    await context.kept.write(name, now);
    since = now;
  }
  ready();
  for (;;) {
    const { next_batch: next, ...answer } = await sync(api, { since });
    await heard(await batchOf(context, api, { answer, self, since }));
    if (next !== since) await context.kept.write(name, next);
    // A homeserver that has nothing to say is to say it late.
    else await pause(context, IDLE_MS);
    since = next;
  }
}

async function sync(api: MatrixApi, { since }: { readonly since?: string }): Promise<Answer & { next_batch: string }> {
  const query = new URLSearchParams({ filter: JSON.stringify(filterOf(since === undefined ? 1 : 50)) });
  if (since !== undefined) query.set("since", since);
  query.set("timeout", since === undefined ? "0" : String(POLL_MS));
  return api.call(`v3/sync?${query}`, syncShape, { timeoutMs: POLL_MS * 2, maxBytes: MAX_BYTES });
}

/** Of the state, only what came with it about those who speak. */
function filterOf(limit: number): object {
  return {
    presence: { types: [] },
    account_data: { types: ["m.direct"] },
    room: {
      account_data: { types: [] },
      ephemeral: { types: [] },
      state: { types: ["m.room.member"], lazy_load_members: true, include_redundant_members: true },
      timeline: { limit, types: timelineTypes },
    },
  };
}

const timelineTypes = ["m.room.message", "m.room.encrypted", "m.room.member", "m.room.name"];

async function batchOf(
  context: ChannelContext,
  api: MatrixApi,
  { answer, self, since }: { readonly answer: Answer; readonly self: string; readonly since?: string },
): Promise<MatrixBatch> {
  const { rooms: { join = {}, invite = {} } = {}, account_data: account } = answer;
  const rooms: RoomNews[] = [];
  for (const [roomId, { timeline, state }] of Object.entries(join)) {
    const missed = since === undefined ? [] : await missedIn(context, api, { roomId, timeline, since });
    const events = [...missed, ...(timeline?.events ?? [])];
    const members = [...(state?.events ?? []), ...events];
    const changed = events.some((event) => v.is(changeShape, event));
    rooms.push({ roomId, events: events.slice(entryIn(events, self)), changed, names: namesIn(members) });
  }
  const marks = account?.events.find((event) => v.is(marksShape, event));
  const invitations = Object.entries(invite).flatMap(
    ([
      roomId,
      {
        invite_state: { events },
      },
    ]) => invitationIn(roomId, events, self),
  );
  return { marks: v.is(marksShape, marks) ? marks.content : undefined, invitations, rooms };
}

/** What was said between the last time and the beginning of what came now. */
async function missedIn(
  { log }: ChannelContext,
  api: MatrixApi,
  { roomId, timeline, since }: { readonly roomId: string; readonly timeline: Timeline; readonly since: string },
): Promise<readonly unknown[]> {
  let from = timeline?.limited === true ? timeline.prev_batch : undefined;
  const found: unknown[] = [];
  for (let page = 0; from !== undefined; page++) {
    if (page === PAGES) {
      log.warn("more was said than can be caught up with: the older part is left out", { room: roomId });
      break;
    }
    const query = new URLSearchParams({ dir: "b", from, to: since, limit: "100" });
    query.set("filter", JSON.stringify({ types: timelineTypes }));
    const path = `v3/rooms/${encodeURIComponent(roomId)}/messages?${query}`;
    const { chunk, end } = await api.call(path, pageShape, { maxBytes: MAX_BYTES });
    found.push(...chunk);
    from = end === from ? undefined : end;
  }
  return found.toReversed();
}

/** Where our own time in a room begins, if that is in here: what was said before we were asked in is not for us. */
function entryIn(events: readonly unknown[], self: string): number {
  const entry = events.findIndex(
    (event) =>
      v.is(memberShape, event) &&
      event.state_key === self &&
      (event.content.membership === "invite" ||
        (event.content.membership === "join" && event.unsigned?.prev_content?.membership !== "join")),
  );
  return entry + 1;
}

function namesIn(events: readonly unknown[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const event of events)
    if (v.is(memberShape, event) && typeof event.content.displayname === "string")
      names.set(event.state_key, event.content.displayname.slice(0, 200));
  return names;
}

/** Of an invitation our own homeserver vouches for nothing but who sent it. */
function invitationIn(roomId: string, events: readonly unknown[], self: string): readonly Invitation[] {
  for (const event of events)
    if (v.is(memberShape, event) && event.state_key === self && event.content.membership === "invite")
      return [{ roomId, inviter: event.sender, isDirect: event.content.is_direct === true }];
  return [];
}

const events = v.array(v.unknown());
const text = v.optional(v.string());

const memberShape = v.looseObject({
  type: v.literal("m.room.member"),
  sender: v.string(),
  state_key: v.string(),
  content: v.looseObject({
    membership: v.string(),
    displayname: v.optional(v.unknown()),
    is_direct: v.optional(v.unknown()),
  }),
  unsigned: v.optional(v.looseObject({ prev_content: v.optional(v.looseObject({ membership: text })) })),
});

const changeShape = v.looseObject({ type: v.picklist(["m.room.member", "m.room.name"]) });
const marksShape = v.looseObject({ type: v.literal("m.direct"), content: v.unknown() });

const timelineShape = v.optional(v.looseObject({ events, limited: v.optional(v.boolean()), prev_batch: text }));
type Timeline = v.InferOutput<typeof timelineShape>;

const answerEntries = {
  rooms: v.optional(
    v.looseObject({
      join: v.optional(
        v.record(v.string(), v.looseObject({ timeline: timelineShape, state: v.optional(v.looseObject({ events })) })),
      ),
      invite: v.optional(v.record(v.string(), v.looseObject({ invite_state: v.looseObject({ events }) }))),
    }),
  ),
  account_data: v.optional(v.looseObject({ events })),
};
const answerShape = v.looseObject(answerEntries);
type Answer = v.InferOutput<typeof answerShape>;

const syncShape = v.looseObject({ ...answerEntries, next_batch: v.pipe(v.string(), v.minLength(1)) });
const pageShape = v.looseObject({ chunk: events, end: text });
