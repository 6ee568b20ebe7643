import { createServer, type IncomingMessage, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TlsOptions } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { Server, ServeOptions } from "../../src/host/host.ts";
import { isHandshake, type Env, type Fetch, type SocketEvents } from "../../src/host/socket.ts";
import { bindFailure } from "./bind-failure.ts";
import { wire } from "./wire.ts";

/**
 * HTTP and WebSockets over node:http and ws, for Node and Deno. Deno's own server has no ping, no way to cut a peer and
 * no frame limit, and takes unmasked frames; node:http behaves alike on both.
 */
export async function serve(options: ServeOptions, fetch: Fetch): Promise<Server> {
  const sockets = new Set<Duplex>();
  const accept = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: options.maxPayload,
  });
  const listener = getRequestListener(
    (request, { incoming }) =>
      limitBody(request, options.maxBody, (limited) =>
        fetch(limited, { peer: peerOf(incoming as IncomingMessage), upgrade: refuseUpgrade }),
      ),
    { overrideGlobalObjects: false },
  ) as RequestListener;
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 5000,
    maxHeaderSize: 16_384,
    connectionsCheckingInterval: 1000,
  };
  const server = (
    options.tls ? createTlsServer({ ...limits, ...tlsOptions(options.tls) }, listener) : createServer(limits, listener)
  ) as HttpServer;
  if (options.tls) limitHandshakes(server);
  server.on("connection", (socket: Duplex) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const scheme = options.tls ? "https" : "http";
    void answerUpgrade(incoming, { socket, scheme }, fetch, (events) => {
      accept.handleUpgrade(incoming, socket, head, (ws) => wire(ws, incoming.socket, events, options.maxUntrusted));
    });
  });
  accept.on("wsClientError", (_, socket) =>
    end(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status =
      error.code === "HPE_HEADER_OVERFLOW"
        ? "431 Request Header Fields Too Large"
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? "408 Request Timeout"
          : "400 Bad Request";
    end(socket, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(bindFailure(error, options)));
    server.listen({ host: options.hostname, port: options.port, ipv6Only: options.hostname.includes(":") }, resolve);
  });
  const address = server.address();
  return {
    hostname: options.hostname,
    port: typeof address === "object" && address ? address.port : options.port,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function tlsOptions({ cert, key, ca }: NonNullable<ServeOptions["tls"]>): TlsOptions {
  const clients = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, minVersion: "TLSv1.2", handshakeTimeout: handshakeMs, ...clients };
}

/**
 * Handshakes that are under way at once: a newcomer ends the oldest, as an honest one takes no time. Deno gives such a
 * socket back only at its deadline, and Bun, which shows none of them, has the same deadline.
 */
const maxHandshakes = 256;
const handshakeMs = 10_000;

/** Keeps a flood of half-open TLS connections small (threat H). */
function limitHandshakes(server: HttpServer): void {
  const underway = new Map<string, Duplex>();
  const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    underway.set(key, socket);
    socket.on("close", () => underway.get(key) === socket && underway.delete(key));
    const [oldest] = underway.values();
    if (underway.size > maxHandshakes) oldest?.destroy();
  });
  server.on("secureConnection", (socket: Socket) => underway.delete(keyOf(socket)));
  // Whoever did not get through could not read an answer.
  server.on("tlsClientError", (_: Error, socket: Socket) => socket.destroy());
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
function end(socket: Duplex, text: string): void {
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
