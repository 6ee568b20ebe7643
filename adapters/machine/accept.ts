import type { IncomingMessage, RequestListener } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { ServeOptions } from "../../src/host/host.ts";
import { isHandshake, type Env, type Fetch, type SocketEvents } from "../../src/host/socket.ts";
import { wire } from "./wire.ts";

/** What a node:http server does with its requests and upgrades. */
export interface Acceptor {
  readonly listener: RequestListener;
  readonly upgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface AcceptorOptions extends Pick<ServeOptions, "maxPayload" | "maxUntrusted" | "maxBody"> {
  readonly scheme: "http" | "https";
}

/** Turns the requests and upgrades of a node:http server into the web's, and its connections into Sockets. */
export function createAcceptor(options: AcceptorOptions, fetch: Fetch): Acceptor {
  const { maxPayload, maxUntrusted, maxBody, scheme } = options;
  const accept = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false, maxPayload });
  accept.on("wsClientError", (_, socket) =>
    end(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
  );
  const answer = getRequestListener(
    (request, { incoming }) =>
      limitBody(request, maxBody, (limited) =>
        fetch(limited, { peer: peerOf(incoming as IncomingMessage), upgrade: refuseUpgrade }),
      ),
    { overrideGlobalObjects: false },
  );
  return {
    listener: (incoming, outgoing) => void answer(incoming, outgoing),
    upgrade(incoming, socket, head) {
      socket.on("error", () => socket.destroy());
      void answerUpgrade(incoming, { socket, scheme }, fetch, (events) => {
        accept.handleUpgrade(incoming, socket, head, (ws) => wire(ws, incoming.socket, events, maxUntrusted));
      });
    },
  };
}

/** Lets `fetch` decide; completes the handshake when it accepted, else writes its response and ends the connection. */
async function answerUpgrade(
  incoming: IncomingMessage,
  { socket, scheme }: { readonly socket: Duplex; readonly scheme: string },
  fetch: Fetch,
  complete: (events: SocketEvents) => void,
): Promise<void> {
  const request = requestOf(incoming, scheme);
  // Any other upgrade (`h2c`) is only an offer; the request is answered as if it had not been made (RFC 9110 7.8).
  const asks = request?.headers.get("upgrade")?.toLowerCase() === "websocket";
  if (!request || (asks && !isHandshake(request.headers)))
    return end(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  let accepted: SocketEvents | undefined;
  const env: Env = {
    peer: peerOf(incoming),
    upgrade(events) {
      accepted = events;
      return new Response(null);
    },
  };
  try {
    const response = await fetch(request, env);
    if (accepted) complete(accepted);
    else end(socket, await rawResponse(response));
  } catch {
    // The core answers its own errors; what still throws has nothing more to say to the peer.
    end(socket, "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }
}

/** The web's Request of an upgrade; undefined when its target or headers do not make one. */
function requestOf(incoming: IncomingMessage, scheme: string): Request | undefined {
  const headers = new Headers();
  try {
    for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
      headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
    }
    // Put together, not resolved: the path `//elsewhere/` must not change the host.
    const {
      url = "/",
      headers: { host = "localhost" },
    } = incoming;
    if (!url.startsWith("/") || /[/?#@\\]/.test(host)) return undefined;
    return new Request(new URL(`${scheme}://${host}${url}`), { headers });
  } catch {
    return undefined; // answered 400: which part of a hostile request was wrong helps nobody
  }
}

function peerOf(incoming: IncomingMessage): Env["peer"] {
  return { address: incoming.socket.remoteAddress ?? "", port: incoming.socket.remotePort ?? 0 };
}

function refuseUpgrade(): Response {
  return new Response("Upgrade Required", { status: 426, headers: { upgrade: "websocket" } });
}

async function rawResponse(response: Response): Promise<string> {
  const body = await response.text();
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(Buffer.byteLength(body)));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${response.status} ${response.statusText || "Refused"}\r\n${lines}\r\n${body}`;
}

/** Writes the last words; a peer that does not read them is cut. */
export function end(socket: Duplex, text: string): void {
  if (!socket.writable) return void socket.destroy();
  const cut = setTimeout(() => socket.destroy(), 2000);
  socket.once("close", () => clearTimeout(cut));
  socket.end(text);
}

/** Answers 413 as soon as more than `max` bytes are announced or have come. */
async function limitBody(
  request: Request,
  max: number,
  next: (request: Request) => Response | Promise<Response>,
): Promise<Response> {
  const tooLarge = () => new Response("Payload Too Large", { status: 413, headers: { connection: "close" } });
  if (Number(request.headers.get("content-length") ?? 0) > max) return tooLarge();
  if (!request.body || request.headers.has("content-length")) return next(request);
  let size = 0;
  return new Promise((resolve, reject) => {
    const counted = request.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          size += chunk.length;
          if (size <= max) return controller.enqueue(chunk);
          controller.error(new Error(`body over ${max} bytes`));
          resolve(tooLarge());
        },
      }),
    );
    const { url, method, headers, signal } = request;
    const limited = new Request(url, { method, headers, signal, body: counted ?? null, duplex: "half" } as RequestInit);
    Promise.resolve(next(limited)).then(resolve, reject);
  });
}
