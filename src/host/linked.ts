import { clampCode, clampReason, type Socket, type SocketEvents } from "./socket.ts";

/** One end of a connection within this process. */
export interface End {
  readonly socket: Socket;
  /** Who hears what comes to this end. */
  attach(events: SocketEvents): void;
}

/** Two sockets, each the other's peer, without a network between them. What is sent arrives in a later microtask. */
export function linkedSockets(): readonly [End, End] {
  const ends: readonly [Side, Side] = [createSide(() => ends[1]), createSide(() => ends[0])];
  return ends;
}

interface Side extends End {
  receive(text: string): void;
  ended(code: number, reason: string): void;
}

function createSide(peer: () => Side): Side {
  const queue: string[] = [];
  let queued = 0;
  let events: SocketEvents | undefined;
  let paused = false;
  let delivering = false;
  let over = false;

  const socket: Socket = {
    buffered: 0,
    send(text) {
      if (over) return -1;
      peer().receive(text);
      return 0;
    },
    ping: () => queueMicrotask(() => over || events?.pong(socket)),
    trust: () => undefined,
    pause: () => void (paused = true),
    resume() {
      paused = false;
      deliver();
    },
    close(code, reason) {
      end(clampCode(code), clampReason(reason));
    },
    terminate: () => end(1006, ""),
  };

  function end(code: number, reason: string): void {
    if (over) return;
    peer().ended(code, reason);
    ended(code, reason);
  }

  /** Whatever was sent before the end arrives before it. */
  function ended(code: number, reason: string): void {
    if (over) return;
    over = true;
    queueMicrotask(() => {
      for (const text of queue.splice(0)) events?.message(socket, text);
      events?.close(socket, code, reason);
    });
  }

  function receive(text: string): void {
    queue.push(text);
    queued += text.length;
    if (queued > maxQueued) return end(1009, "");
    deliver();
  }

  /** A message may pause its socket, or end it. */
  function next(): string | undefined {
    return events && !paused && !over ? queue.shift() : undefined;
  }

  function deliver(): void {
    if (delivering) return;
    delivering = true;
    queueMicrotask(() => {
      delivering = false;
      for (let text = next(); text !== undefined; text = next()) {
        queued -= text.length;
        events?.message(socket, text);
      }
    });
  }

  return {
    socket,
    attach(listener) {
      events = listener;
      queueMicrotask(() => {
        listener.open(socket);
        deliver();
      });
    },
    receive,
    ended,
  };
}

/** More than any side sends while the other does not read. */
const maxQueued = 64 * 1024 * 1024;
