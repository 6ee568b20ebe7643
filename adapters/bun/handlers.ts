import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import type { ServeOptions } from "../../src/host/host.ts";
import {
  clampCode,
  clampReason,
  isHandshake,
  type Fetch,
  type Socket,
  type SocketEvents,
} from "../../src/host/socket.ts";

/** What Bun keeps beside each socket. */
export interface Data {
  readonly events: SocketEvents;
  socket?: BunSocket;
}

/** What `Bun.serve` is given to answer requests and serve WebSockets. */
export interface Handlers {
  fetch(request: Request, server: Server<Data>): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<Data>;
}

const closeMs = 2000;
/** Above the gateway's own cut-off: Bun must never drop a message in the middle of a stream. */
const backpressureLimit = 256 * 1024 * 1024;

/**
 * Requests and WebSockets of Bun's own server. What it lacks, and what is done instead: it cannot stop reading a socket,
 * so a paused one queues up to `maxPayload`; it counts no bytes of an unfinished frame, so `maxUntrusted` is only checked
 * on whole messages, by the gateway.
 */
export function createHandlers({ maxPayload }: Pick<ServeOptions, "maxPayload">, fetch: Fetch): Handlers {
  return {
    async fetch(request, server) {
      const peer = server.requestIP(request);
      const asks = request.headers.get("upgrade")?.toLowerCase() === "websocket";
      // Bun passes on a Host that makes no URL; nobody behind expects a request without one.
      if (!URL.canParse(request.url) || (asks && !isHandshake(request.headers)))
        return new Response("Bad Request", { status: 400 });

      let accepted = false;
      const response = await fetch(request, {
        peer: { address: peer?.address ?? "", port: peer?.port ?? 0 },
        upgrade(events) {
          accepted = server.upgrade(request, { data: { events } });
          return accepted ? new Response(null) : new Response("Bad Request", { status: 400 });
        },
      });
      // Bun has answered an accepted upgrade itself.
      return accepted ? undefined : response;
    },
    websocket: {
      maxPayloadLength: maxPayload,
      backpressureLimit,
      closeOnBackpressureLimit: true,
      perMessageDeflate: false,
      idleTimeout: 0,
      sendPings: false,
      open(ws) {
        ws.data.socket = new BunSocket(ws, maxPayload);
        ws.data.events.open(ws.data.socket);
      },
      message(ws, data) {
        if (typeof data === "string") return ws.data.socket?.receive(data);
        try {
          ws.data.socket?.receive(new TextDecoder("utf-8", { fatal: true }).decode(data));
        } catch {
          ws.data.socket?.close(1007, "invalid UTF-8"); // Bun checks text frames only
        }
      },
      pong: ({ data: { events, socket } }) => socket && events.pong(socket),
      drain: (ws) => ws.data.socket?.drained(),
      close: ({ data: { events, socket } }, code, reason) => socket && events.close(socket, code, reason),
    },
  };
}

/** There may be ten thousand of them, idle: what they do is on the prototype, and the queue is made when one is paused. */
class BunSocket implements Socket {
  readonly #ws: ServerWebSocket<Data>;
  readonly #maxQueued: number;
  /** What came while nothing was to be read. */
  #queue: string[] | undefined;
  #queued = 0;
  #paused = false;
  /** Set once it is to be closed, with what closes it when everything has been sent. */
  #closing: { readonly code: number; readonly reason: string } | undefined;

  constructor(ws: ServerWebSocket<Data>, maxQueued: number) {
    this.#ws = ws;
    this.#maxQueued = maxQueued;
  }

  get buffered(): number {
    return this.#ws.getBufferedAmount();
  }

  send(text: string): number {
    if (this.#ws.readyState !== 1 || this.#closing) return -1;
    const sent = this.#ws.send(text);
    if (sent > 0) return 0;
    // 0 means dropped: a stream with a hole is worse than none.
    if (sent === 0) this.#ws.terminate();
    return this.#ws.getBufferedAmount();
  }

  ping(): void {
    this.#ws.ping();
  }

  trust(): void {
    // Nothing was held back: see above.
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (let text = this.#next(); text !== undefined; text = this.#next()) {
      this.#queued -= text.length;
      this.#ws.data.events.message(this, text);
    }
  }

  close(code: number, reason: string): void {
    const ws = this.#ws;
    if (this.#closing || ws.readyState !== 1) return;
    this.#closing = { code: clampCode(code), reason: clampReason(reason) };
    if (ws.getBufferedAmount() === 0) return this.drained();
    // Once closed Bun cannot cut a peer any more, so one that has not read everything gets its time before that.
    setTimeout(() => ws.readyState === 1 && ws.terminate(), closeMs).unref();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  receive(text: string): void {
    if (this.#closing) return;
    if (!this.#paused && !this.#queue?.length) return this.#ws.data.events.message(this, text);
    (this.#queue ??= []).push(text);
    this.#queued += text.length;
    if (this.#queued > this.#maxQueued) this.close(1009, "");
  }

  drained(): void {
    if (this.#closing) return this.#ws.close(this.#closing.code, this.#closing.reason);
    this.#ws.data.events.drain(this);
  }

  /** A message may pause its socket again. */
  #next(): string | undefined {
    return this.#paused || this.#closing ? undefined : this.#queue?.shift();
  }
}
