import { isHandshake, type Served, type SocketEvents } from "../../src/host/socket.ts";
import { webClock } from "../../src/host/web-clock.ts";
import { overWebSocket, type WebSocketLike } from "../../src/host/web-socket.ts";

export { createSqlStorage, type SqlDatabase } from "../../src/store/sql.ts";

/** A server's end of a WebSocket on workerd. */
interface ServerSocket extends WebSocketLike {
  accept(): void;
}

/** The global of workerd that makes both ends of a WebSocket. */
type Pair = new () => { readonly 0: WebSocketLike; readonly 1: ServerSocket };

/** Headers that Cloudflare's own proxies write: the client is in `cf-connecting-ip`, which no client can write. */
const forwarding = /^(forwarded|x-forwarded-.+|x-real-ip)$/;

/**
 * Answers a request that a Durable Object was given. The object is the gateway: sockets of different requests reach each
 * other only within one. The platform answers pings, drops silent peers, and takes frames of up to 32 MiB.
 */
export async function answer(served: Served, request: Request): Promise<Response> {
  let accepted: SocketEvents | undefined;
  const headers = new Headers([...request.headers].filter(([name]) => !forwarding.test(name)));
  const response = await served.fetch(new Request(request, { headers }), {
    peer: { address: headers.get("cf-connecting-ip") ?? "", port: 0 },
    upgrade(events) {
      if (!isHandshake(headers)) return new Response("Bad Request", { status: 400 });
      accepted = events;
      return new Response(null);
    },
  });
  return accepted ? upgraded(served, accepted) : response;
}

function upgraded(served: Served, events: SocketEvents): Response {
  const { WebSocketPair } = globalThis as { WebSocketPair?: Pair };
  if (!WebSocketPair)
    throw new TypeError("clawlet/workerd runs on workerd alone: use clawlet/node, /bun or /deno here");
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ours.accept();
  overWebSocket(ours, events, { clock: webClock, ...served.limits });
  return new Response(null, { status: 101, webSocket: theirs } as ResponseInit);
}
