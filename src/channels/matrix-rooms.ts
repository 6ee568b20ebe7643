import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import { createRecent } from "./channel-recent.ts";
import type { ChannelContext } from "./channel.ts";
import type { MatrixApi } from "./matrix-api.ts";

/** The rooms that we are in, as far as somebody asked: which are conversations with one person, and which one is whose. */
export interface MatrixRooms {
  /** Reads which rooms are marked as direct; `self` is who we are. */
  begin(self: string): Promise<void>;
  /** The mark has changed, as the homeserver says. */
  marked(content: unknown): void;
  /** Who is in a room, or its name, has changed. */
  changed(roomId: string): void;
  isDirect(roomId: string): Promise<boolean>;
  /** Marks a room as the one of this person. */
  mark(roomId: string, person: string): Promise<void>;
  /** The room of a person, made unless there is one. */
  direct(person: string): Promise<string>;
  /** The room that an alias leads to now. */
  resolve(alias: string): Promise<string>;
}

const MAX_KNOWN = 1000;

export function matrixRooms({ log }: ChannelContext, api: MatrixApi): MatrixRooms {
  const known = createRecent<boolean>(MAX_KNOWN);
  const lanes = createLanes();
  let own = "";
  let marks: Readonly<Record<string, readonly string[]>> = {};

  const isMarked = (roomId: string): boolean => Object.values(marks).some((rooms) => rooms.includes(roomId));
  const of = (roomId: string): string => `v3/rooms/${encodeURIComponent(roomId)}`;

  /** Two people are a conversation; more never are, whoever marked the room. */
  async function look(roomId: string): Promise<boolean> {
    const { joined } = await api.call(`${of(roomId)}/joined_members`, membersShape);
    if (Object.keys(joined).length > 2) return false;
    if (isMarked(roomId)) return true;
    return api.call(`${of(roomId)}/state/m.room.name`, v.unknown()).then(
      () => false,
      (error: unknown) => {
        if (Failure.from(error).code === "not-found") return true;
        throw error;
      },
    );
  }

  /** A room that he has left, or we, is of no use. */
  async function stays(roomId: string, person: string): Promise<boolean> {
    const path = `${of(roomId)}/state/m.room.member/${encodeURIComponent(person)}`;
    const found = await api.call(path, memberShape).catch((error: unknown) => {
      if (["not-found", "forbidden"].includes(Failure.from(error).code)) return { membership: "leave" };
      throw error;
    });
    return found.membership === "join" || found.membership === "invite";
  }

  const rooms: MatrixRooms = {
    async begin(self) {
      own = self;
      const path = `v3/user/${encodeURIComponent(self)}/account_data/m.direct`;
      const content = await api.call(path, v.unknown()).catch((error: unknown) => {
        if (Failure.from(error).code === "not-found") return {};
        throw error;
      });
      rooms.marked(content);
    },
    marked(content) {
      const parsed = v.safeParse(marksShape, content);
      if (!parsed.success) return log.warn("the list of direct rooms cannot be read: it is left as it was");
      marks = parsed.output;
      for (const [roomId] of known.entries()) known.set(roomId, undefined);
    },
    changed: (roomId) => known.set(roomId, undefined),
    async isDirect(roomId) {
      const before = known.get(roomId);
      if (before !== undefined) return before;
      const found = await look(roomId);
      known.set(roomId, found);
      return found;
    },
    mark: (roomId, person) =>
      lanes.run("marks", async () => {
        if (isMarked(roomId)) return;
        const next = { ...marks, [person]: [...(marks[person] ?? []), roomId] };
        const path = `v3/user/${encodeURIComponent(own)}/account_data/m.direct`;
        await api.call(path, v.unknown(), { method: "PUT", json: next });
        rooms.marked(next);
      }),
    direct: (person) =>
      lanes.run(`person ${person}`, async () => {
        for (const roomId of (marks[person] ?? []).toReversed()) if (await stays(roomId, person)) return roomId;
        const json = { is_direct: true, preset: "trusted_private_chat", invite: [person] };
        const { room_id: roomId } = await api.call("v3/createRoom", createdShape, { method: "POST", json });
        await rooms.mark(roomId, person);
        return roomId;
      }),
    async resolve(alias) {
      const { room_id: roomId } = await api.call(`v3/directory/room/${encodeURIComponent(alias)}`, createdShape);
      return roomId;
    },
  };
  return rooms;
}

const membersShape = v.looseObject({ joined: v.record(v.string(), v.unknown()) });
const memberShape = v.looseObject({ membership: v.string() });
const createdShape = v.looseObject({ room_id: v.string() });
const marksShape = v.record(v.string(), v.array(v.string()));
