import type { DialOptions } from "../../src/host/host.ts";
import { clampCode, clampReason, type Socket, type SocketEvents } from "../../src/host/socket.ts";

/** What the runtime's own client and the one of `ws` have in common. */
interface Peer {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  ping?(): void;
  pause?(): void;
  resume?(): void;
  terminate?(): void;
}

const OPEN = 1;

/**
 * Opens a WebSocket as a client: with the runtime's own where it has one, which starts sooner, and with `ws` for what
 * that cannot do: headers and a pinned certificate.
 */
export function dial(url: string, events: SocketEvents, options: DialOptions = {}): Socket {
  let peer: Peer | undefined;
  let over = false;
  const finish = (code: number, reason: string): void => {
    if (over) return;
    over = true;
    stopWaiting();
    events.close(socket, code, reason);
  };
  const timer = options.timeoutMs
    ? setTimeout(() => {
        finish(1006, `no answer within ${options.timeoutMs} ms`);
        cut(peer);
      }, options.timeoutMs)
    : undefined;
  const stopWaiting = (): void => clearTimeout(timer);

  const socket: Socket = {
    get buffered() {
      return peer?.bufferedAmount ?? 0;
    },
    send(text) {
      if (over || peer?.readyState !== OPEN) return -1;
      peer.send(text);
      return peer.bufferedAmount;
    },
    ping: () => peer?.ping?.(),
    trust: () => undefined,
    pause: () => peer?.pause?.(),
    resume: () => peer?.resume?.(),
    close(code, reason) {
      if (over || !peer) return finish(1006, "closed before it was open");
      // The runtimes' own clients take only 1000 and the application's codes.
      const clamped = clampCode(code);
      peer.close(peer.terminate || clamped === 1000 || clamped >= 3000 ? clamped : 1000, clampReason(reason));
      const closing = peer;
      const force = setTimeout(() => cut(closing), 2000);
      if (typeof force === "object") force.unref();
    },
    terminate() {
      finish(1006, "terminated");
      cut(peer);
    },
  };
  const adopt = (opened: Peer): void => {
    peer = opened;
    if (over) cut(peer);
  };
  const handlers: Handlers = {
    open() {
      stopWaiting();
      if (!over) events.open(socket);
    },
    message: (text) => !over && events.message(socket, text),
    pong: () => !over && events.pong(socket),
    close: finish,
  };
  const ownClient = typeof WebSocket === "function" && !options.headers && options.fingerprint === undefined;
  if (ownClient) adopt(dialOwn(url, handlers));
  else {
    import("./dial-ws.ts")
      .then(({ dialWs }) => dialWs(url, handlers, options))
      .then(adopt)
      .catch((error: unknown) => finish(1006, error instanceof Error ? error.message : String(error)));
  }
  return socket;
}

export interface Handlers {
  open(): void;
  message(text: string): void;
  pong(): void;
  close(code: number, reason: string): void;
}

function dialOwn(url: string, handlers: Handlers): Peer {
  const peer = new WebSocket(url);
  let opened = false;
  peer.addEventListener("open", () => {
    opened = true;
    handlers.open();
  });
  peer.addEventListener("message", ({ data }) => handlers.message(String(data)));
  peer.addEventListener("close", ({ code, reason }) => {
    if (opened || reason !== "") return handlers.close(code || 1006, reason);
    // The web's WebSocket does not tell why it could not connect: TCP does.
    void explain(url).then((why) => handlers.close(1006, why));
  });
  // `close` always follows and says more.
  peer.addEventListener("error", () => undefined);
  return peer;
}

function cut(peer: Peer | undefined): void {
  if (peer?.terminate) peer.terminate();
  else peer?.close(1000, "");
}

function explain(url: string): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    // node:net costs more to load than the rest of a command: only who failed pays.
    const probe = process.getBuiltinModule("node:net").connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port) || (protocol === "wss:" ? 443 : 80),
      timeout: 1000,
    });
    const end = (why: string): void => {
      probe.destroy();
      resolve(why);
    };
    probe.on("connect", () => end("the server refused the WebSocket or is no gateway"));
    probe.on("timeout", () => end("connect ETIMEDOUT"));
    probe.on("error", (error) => end(error.message));
  });
}
