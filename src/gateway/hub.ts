import type { Connection, Connections } from "../app.ts";
import type { DoorObserver } from "../observe/observer.ts";
import { events, type EventName, type EventPayload } from "../protocol/events.ts";
import { eventHead, eventTail } from "../protocol/frame.ts";
import { allows } from "../protocol/scope.ts";

/** A connection past its hello, as the hub uses it. */
export interface Member extends Connection {
  /** The sequence number of the last event; one count per connection (protocol.md 1.1). */
  seq: number;
  /** Sends ready text; a droppable one is left out when the peer reads too slowly. */
  deliver(text: string, droppable: boolean): void;
}

export interface Hub extends Connections {
  join(member: Member): void;
  leave(member: Member): void;
  /** Sends an event to all who may see it. The payload is serialised once, each distinct frame once. */
  broadcast<N extends EventName>(event: N, payload: EventPayload<N>, only?: (connection: Connection) => boolean): void;
}

/** The connections that are past hello. `versions` are those that `presence` and `health` events carry. */
export function createHub(
  versions: () => { readonly presence: number; readonly health: number },
  observer?: Pick<DoorObserver, "sent">,
): Hub {
  const members = new Set<Member>();
  return {
    join: (member) => void members.add(member),
    leave: (member) => void members.delete(member),
    all: () => members,
    count: () => members.size,
    close(which, code, reason) {
      for (const member of members) if (which(member)) member.close(code, reason);
    },
    broadcast(event, payload, only) {
      const { scope, droppable = false, modern = false } = events[event];
      let head: string | undefined;
      const tail = eventTail(event === "presence" || event === "health" ? versions() : undefined);
      const frames = new Map<number, string>();
      let copies = 0;
      for (const member of members) {
        if (scope !== "none" && !allows(member.caller.scopes, scope)) continue;
        if (modern && member.caller.protocol < 4) continue;
        if (only && !only(member)) continue;
        head ??= eventHead(event, payload);
        const seq = ++member.seq;
        let frame = frames.get(seq);
        if (frame === undefined) frames.set(seq, (frame = `${head},"seq":${seq}${tail}`));
        member.deliver(frame, droppable);
        copies++;
      }
      observer?.sent(event, copies);
    },
  };
}
