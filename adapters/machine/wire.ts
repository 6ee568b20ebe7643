import type { Socket as TcpSocket } from "node:net";
import type { WebSocket } from "ws";
import { clampCode, clampReason, type Socket, type SocketEvents } from "../../src/host/socket.ts";

const closeMs = 2000;
const OPEN = 1;

/** Makes a `ws` connection the Socket that the core knows. `tcp` is the connection under it. */
export function wire(ws: WebSocket, tcp: TcpSocket, events: SocketEvents, maxUntrusted: number): void {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const from = tcp.bytesRead;
  let corked = false;

  /** One write to the kernel for all that is sent in this turn: answers to pipelined requests leave together. */
  function cork(): void {
    if (corked) return;
    corked = true;
    tcp.cork();
    process.nextTick(() => {
      corked = false;
      tcp.uncork();
    });
  }

  /** `ws` buffers a frame until it is whole. Before hello no peer may make it buffer much (RFC 6455 7.4.1, code 1009). */
  function watchUntrusted(): void {
    if (tcp.bytesRead - from <= maxUntrusted * 2) return;
    tcp.off("data", watchUntrusted);
    socket.close(1009, "");
    tcp.pause();
  }

  /** A peer that does not answer the closing handshake is cut. */
  function expectEnd(): void {
    const timer = setTimeout(() => socket.terminate(), closeMs);
    ws.once("close", () => clearTimeout(timer));
  }

  const socket: Socket = {
    get buffered() {
      return ws.bufferedAmount;
    },
    send(text) {
      if (ws.readyState !== OPEN) return -1;
      cork();
      ws.send(text);
      return ws.bufferedAmount;
    },
    ping() {
      if (ws.readyState === OPEN) ws.ping();
    },
    trust: () => void tcp.off("data", watchUntrusted),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close(code, reason) {
      if (ws.readyState !== OPEN) return;
      ws.resume();
      ws.close(clampCode(code), clampReason(reason));
      expectEnd();
    },
    terminate() {
      // A reset frees what the kernel still holds for a peer that does not read. TLS has no reset.
      try {
        tcp.resetAndDestroy();
      } catch {
        tcp.destroy();
      }
      ws.terminate();
    },
  };

  ws.on("message", (data: Buffer, isBinary) => {
    let text;
    try {
      text = isBinary ? decoder.decode(data) : data.toString("utf8");
    } catch {
      return socket.close(1007, "invalid UTF-8"); // text frames are checked by ws itself
    }
    events.message(socket, text);
  });
  ws.on("pong", () => events.pong(socket));
  tcp.on("drain", () => events.drain(socket));
  // `ws` has sent the right code by itself, but would wait 30 s for the peer, reading all that it sends.
  ws.on("error", expectEnd);
  ws.on("close", (code, reason) => events.close(socket, code, reason.toString("utf8")));
  tcp.on("data", watchUntrusted);
  events.open(socket);
}
