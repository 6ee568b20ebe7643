import { utf8Length } from "../kit/text.ts";
import type { Clock, DialOptions } from "./host.ts";
import { clampCode, clampReason, type Socket, type SocketEvents } from "./socket.ts";

/** The part of the web's WebSocket that is used here: browsers, Deno and workerd have it alike. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount?: number;
  binaryType?: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export interface WebSocketLimits {
  readonly clock: Pick<Clock, "after">;
  /** Largest message in bytes; a larger one closes with 1009. */
  readonly maxPayload: number;
  /** Bytes taken before `trust`; more closes with 1009. Without it, all are. */
  readonly maxUntrusted?: number;
}

const OPEN = 1;
const CLOSING = 2;
const closeMs = 2000;
const drainMs = 50;

/**
 * A Socket over the web's WebSocket. What that lacks, and what is done instead: it cannot stop reading, so a paused one
 * queues up to `maxPayload` and closes with 1009 beyond; it is told of no frame before that is whole; it cannot ping, so
 * finding peers that are gone is left to the runtime; it cannot cut, so `terminate` closes and listens no more; it does
 * not say when everything is sent, so that is looked at while there is something.
 */
export function overWebSocket(web: WebSocketLike, events: SocketEvents, limits: WebSocketLimits): Socket {
  const { clock, maxPayload } = limits;
  const queue: string[] = [];
  let queued = 0;
  let paused = false;
  let closing = false;
  let over = false;
  let left = limits.maxUntrusted ?? Infinity;
  let stopLooking: (() => void) | undefined;
  let stopWaiting: (() => void) | undefined;

  const socket: Socket = {
    get buffered() {
      return web.bufferedAmount ?? 0;
    },
    send(text) {
      if (over || closing || web.readyState !== OPEN) return -1;
      web.send(text);
      if (socket.buffered > 0) lookForDrain();
      return socket.buffered;
    },
    // Taken as answered: the gateway cuts whoever leaves a ping unanswered.
    ping: () => queueMicrotask(() => over || events.pong(socket)),
    trust: () => void (left = Infinity),
    pause: () => void (paused = true),
    resume() {
      paused = false;
      for (let text = next(); text !== undefined; text = next()) {
        queued -= text.length;
        events.message(socket, text);
      }
    },
    close(code, reason) {
      if (over || closing) return;
      closing = true;
      closeWith(web, clampCode(code), clampReason(reason));
      stopWaiting = clock.after(closeMs, () => finish(1006, "the peer did not answer the close"));
    },
    terminate() {
      if (over) return;
      if (web.readyState < CLOSING) web.close();
      finish(1006, "");
    },
  };

  /** A message may pause its socket again. */
  function next(): string | undefined {
    return paused || closing || over ? undefined : queue.shift();
  }

  function receive(data: unknown): void {
    if (over || closing) return;
    const text = textOf(data);
    if (text === undefined) return socket.close(1007, "invalid UTF-8");
    const size = utf8Length(text);
    if (size > maxPayload || (left -= size) < 0) return socket.close(1009, "");
    if (!paused && queue.length === 0) return events.message(socket, text);
    queue.push(text);
    queued += text.length;
    if (queued > maxPayload) socket.close(1009, "");
  }

  function lookForDrain(): void {
    stopLooking ??= clock.after(drainMs, () => {
      stopLooking = undefined;
      if (over) return;
      if (socket.buffered > 0) lookForDrain();
      else events.drain(socket);
    });
  }

  function finish(code: number, reason: string): void {
    if (over) return;
    over = true;
    stopLooking?.();
    stopWaiting?.();
    queue.length = 0;
    events.close(socket, code, reason);
  }

  web.binaryType = "arraybuffer";
  web.addEventListener("message", ({ data }) => receive(data));
  web.addEventListener("close", ({ code, reason }) => {
    // workerd leaves the answer to a close to us; elsewhere it is answered already.
    if (web.readyState === CLOSING && !closing) web.close();
    finish(code || 1006, reason);
  });
  // What went wrong is told to nobody; where no close follows, as on workerd, it is over all the same.
  web.addEventListener("error", () => void clock.after(0, () => finish(1006, "the connection failed")));
  if (web.readyState === OPEN) queueMicrotask(() => over || events.open(socket));
  else web.addEventListener("open", () => over || events.open(socket));
  return socket;
}

/** Opens WebSockets as a client with the web's own class: it sends no headers and checks no fingerprint. */
export function dialOverWeb(create: new (url: string) => WebSocketLike, clock: Pick<Clock, "after">) {
  return (url: string, events: SocketEvents, options: DialOptions = {}): Socket => {
    if (options.fingerprint !== undefined || options.headers !== undefined || options.certificate !== undefined)
      return refused(events, "this runtime's WebSocket takes no headers, fingerprint or certificate");
    const stop = clock.after(options.timeoutMs ?? 10_000, () => socket.terminate());
    const socket = overWebSocket(
      new create(url),
      {
        ...events,
        open(opened) {
          stop();
          events.open(opened);
        },
        close(closed, code, reason) {
          stop();
          events.close(closed, code, reason);
        },
      },
      { clock, maxPayload: options.maxPayload ?? Infinity },
    );
    return socket;
  };
}

function refused(events: SocketEvents, why: string): Socket {
  const nothing = (): void => undefined;
  const socket: Socket = {
    buffered: 0,
    send: () => -1,
    ping: nothing,
    trust: nothing,
    pause: nothing,
    resume: nothing,
    close: nothing,
    terminate: nothing,
  };
  queueMicrotask(() => events.close(socket, 1006, why));
  return socket;
}

function textOf(data: unknown): string | undefined {
  if (typeof data === "string") return data;
  if (!(data instanceof ArrayBuffer)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return undefined; // answered with 1007, which says the same
  }
}

/** Where only 1000 and 3000 up may be said, as in browsers and Deno, 1008 becomes 4008 (RFC 6455 7.4.2: private use). */
function closeWith(web: WebSocketLike, code: number, reason: string): void {
  try {
    web.close(code, reason);
  } catch {
    web.close(code >= 3000 ? code : code + 3000, reason);
  }
}
