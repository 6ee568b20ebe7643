import type { Caller } from "../protocol/caller.ts";
import type { Close } from "../protocol/close.ts";
import type { EventName, EventPayload } from "../protocol/events.ts";
import { eventHead, eventTail } from "../protocol/frame.ts";
import { limits } from "../protocol/version.ts";
import type { Member } from "./hub.ts";

/** What a member needs of the connection under it. */
export interface Line {
  readonly buffered: number;
  send(text: string): void;
  end(close: Close): void;
}

/** A connection past its hello, as methods and the hub see it. */
export function createMember(line: Line, { caller, connectedAt }: Pick<Member, "caller" | "connectedAt">): Member {
  return new LineMember(line, caller, connectedAt);
}

/** There may be ten thousand of them: what they do is on the prototype. */
class LineMember implements Member {
  readonly caller: Caller;
  readonly connectedAt: number;
  seq = 0;
  readonly #line: Line;
  /** Most connections ask for no topic. */
  #subscriptions: Set<string> | undefined;

  constructor(line: Line, caller: Caller, connectedAt: number) {
    this.caller = caller;
    this.connectedAt = connectedAt;
    this.#line = line;
  }

  get subscriptions(): Set<string> {
    return (this.#subscriptions ??= new Set());
  }

  push<N extends EventName>(event: N, payload: EventPayload<N>): void {
    this.#line.send(eventHead(event, payload) + eventTail());
  }

  close(code: number, reason: string): void {
    this.#line.end({ code, reason });
  }

  deliver(text: string, droppable: boolean): void {
    if (droppable && this.#line.buffered > limits.maxBuffered / 2) return;
    this.#line.send(text);
  }
}
