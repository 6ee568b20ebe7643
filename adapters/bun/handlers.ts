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
  wired?: Wired;
}

interface Wired {
  readonly socket: Socket;
  receive(text: string): void;
  drained(): void;
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
        const wired = wire(ws, maxPayload);
        ws.data.wired = wired;
        ws.data.events.open(wired.socket);
      },
      message(ws, data) {
        if (typeof data === "string") return ws.data.wired?.receive(data);
        try {
          ws.data.wired?.receive(new TextDecoder("utf-8", { fatal: true }).decode(data));
        } catch {
          ws.data.wired?.socket.close(1007, "invalid UTF-8"); // Bun checks text frames only
        }
      },
      pong: (ws) => ws.data.wired && ws.data.events.pong(ws.data.wired.socket),
      drain: (ws) => ws.data.wired?.drained(),
      close: (ws, code, reason) => ws.data.wired && ws.data.events.close(ws.data.wired.socket, code, reason),
    },
  };
}

function wire(ws: ServerWebSocket<Data>, maxQueued: number): Wired {
  const { events } = ws.data;
  const queue: string[] = [];
  let queued = 0;
  let paused = false;
  let closing: (() => void) | undefined;

  /** A message may pause its socket again. */
  const next = (): string | undefined => (paused || closing ? undefined : queue.shift());

  const socket: Socket = {
    get buffered() {
      return ws.getBufferedAmount();
    },
    send(text) {
      if (ws.readyState !== 1 || closing) return -1;
      const sent = ws.send(text);
      if (sent > 0) return 0;
      // 0 means dropped: a stream with a hole is worse than none.
      if (sent === 0) ws.terminate();
      return ws.getBufferedAmount();
    },
    ping: () => void ws.ping(),
    trust: () => undefined,
    pause: () => void (paused = true),
    resume() {
      paused = false;
      for (let text = next(); text !== undefined; text = next()) {
        queued -= text.length;
        events.message(socket, text);
      }
    },
    close(code, reason) {
      if (closing || ws.readyState !== 1) return;
      const end = (): void => ws.close(clampCode(code), clampReason(reason));
      closing = end;
      if (ws.getBufferedAmount() === 0) return end();
      // Once closed Bun cannot cut a peer any more, so one that has not read everything gets its time before that.
      setTimeout(() => ws.readyState === 1 && ws.terminate(), closeMs).unref();
    },
    terminate: () => ws.terminate(),
  };
  return {
    socket,
    receive(text) {
      if (closing) return;
      if (!paused && queue.length === 0) return events.message(socket, text);
      queue.push(text);
      queued += text.length;
      if (queued > maxQueued) socket.close(1009, "");
    },
    drained() {
      if (closing) return closing();
      events.drain(socket);
    },
  };
}
