import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TlsOptions, TLSSocket } from "node:tls";
import type { Server, ServeOptions } from "../../src/host/host.ts";
import type { Fetch } from "../../src/host/socket.ts";
import { createAcceptor, end } from "./accept.ts";
import { bindFailure } from "./bind-failure.ts";

/**
 * HTTP and WebSockets over node:http and ws, for Node and Deno. Deno's own server has no ping, no way to cut a peer and
 * no frame limit, and takes unmasked frames; node:http behaves alike on both.
 */
export async function serve(options: ServeOptions, fetch: Fetch): Promise<Server> {
  const sockets = new Set<Duplex>();
  const scheme = options.tls ? "https" : "http";
  const { listener, upgrade } = createAcceptor({ ...options, scheme }, fetch);
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
  // Deno resumes sessions of any server of this process (RFC 8446 2.2), of those too that asked for no certificate.
  if (options.tls?.ca !== undefined)
    server.on("secureConnection", (socket: TLSSocket) => void (socket.authorized || socket.destroy()));
  server.on("connection", (socket: Duplex) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", upgrade);
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
