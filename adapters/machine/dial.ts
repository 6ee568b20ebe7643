import type { WebSocket } from "ws";
import type { DialOptions } from "../../src/host/host.ts";
import { clampCode, clampReason, type Socket, type SocketEvents } from "../../src/host/socket.ts";

const closeMs = 2000;
const OPEN = 1;

/**
 * Opens a WebSocket as a client, with `ws` on every runtime: the runtimes' own clients cannot cut a silent peer or ping,
 * do not tell why they were refused, and Node's takes longer to load.
 */
export function dial(url: string, events: SocketEvents, options: DialOptions = {}): Socket {
  let peer: WebSocket | undefined;
  let over = false;
  const finish = (code: number, reason: string): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    events.close(socket, code, reason);
  };
  const timer = options.timeoutMs
    ? setTimeout(() => {
        finish(1006, `no answer within ${options.timeoutMs} ms`);
        peer?.terminate();
      }, options.timeoutMs)
    : undefined;

  const socket: Socket = {
    get buffered() {
      return peer?.bufferedAmount ?? 0;
    },
    send(text) {
      if (over || peer?.readyState !== OPEN) return -1;
      peer.send(text);
      return peer.bufferedAmount;
    },
    ping() {
      if (peer?.readyState === OPEN) peer.ping();
    },
    trust: () => undefined,
    pause: () => peer?.pause(),
    resume: () => peer?.resume(),
    close(code, reason) {
      if (over) return;
      if (peer?.readyState !== OPEN) {
        finish(1006, "closed before it was open");
        return peer?.terminate();
      }
      peer.resume();
      peer.close(clampCode(code), clampReason(reason));
      setTimeout(() => socket.terminate(), closeMs).unref();
    },
    terminate() {
      finish(1006, "terminated");
      peer?.terminate();
    },
  };
  const handlers: Handlers = {
    open() {
      clearTimeout(timer);
      if (!over) events.open(socket);
    },
    message: (text) => void (over || events.message(socket, text)),
    pong: () => void (over || events.pong(socket)),
    close: finish,
  };
  // Loaded when used: most commands call nobody.
  import("./dial-ws.ts")
    .then(({ dialWs }) => (over ? undefined : dialWs(url, handlers, options)))
    .then((opened) => {
      peer = opened;
      if (over) peer?.terminate();
    })
    .catch((error: unknown) => finish(1006, error instanceof Error ? error.message : String(error)));
  return socket;
}

export interface Handlers {
  open(): void;
  message(text: string): void;
  pong(): void;
  close(code: number, reason: string): void;
}
