import { isHandshake, type Served, type SocketEvents } from "../../src/host/socket.ts";
import { webClock } from "../../src/host/web-clock.ts";
import { overWebSocket, type WebSocketLike } from "../../src/host/web-socket.ts";

/** The part of Deno's own server that is used here. */
interface DenoServer {
  upgradeWebSocket(request: Request): { readonly socket: WebSocketLike; readonly response: Response };
}

/** Who sends a request, as `Deno.serve` tells its handler. */
export interface ServeInfo {
  readonly remoteAddr: { readonly hostname?: string; readonly port?: number };
}

/**
 * The gateway as a handler of `Deno.serve`. Deno's own server pings and drops silent peers by itself, but it takes frames
 * of 64 MiB before anybody is asked, says close codes below 3000 as 4000 and up (1008 as 4008), and limits no request
 * body: keep it behind a proxy that does, or use `clawlet/node`, which works on Deno and has every limit.
 */
export function handler(served: Served): (request: Request, info: ServeInfo) => Promise<Response> {
  return async (request, { remoteAddr: { hostname: address = "", port = 0 } }) => {
    let accepted: SocketEvents | undefined;
    const response = await served.fetch(request, {
      peer: { address, port },
      upgrade(events) {
        if (!isHandshake(request.headers)) return new Response("Bad Request", { status: 400 });
        accepted = events;
        return new Response(null);
      },
    });
    if (!accepted) return response;
    const upgraded = deno().upgradeWebSocket(request);
    overWebSocket(upgraded.socket, accepted, { clock: webClock, ...served.limits });
    return upgraded.response;
  };
}

function deno(): DenoServer {
  const { Deno: found } = globalThis as { Deno?: DenoServer };
  if (found) return found;
  throw new TypeError("clawlet/deno runs on Deno alone: use clawlet/node, clawlet/bun or clawlet/workerd here");
}
