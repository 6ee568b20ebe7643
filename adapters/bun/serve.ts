import type { Server, ServeOptions } from "../../src/host/host.ts";
import type { Fetch } from "../../src/host/socket.ts";
import { bindFailure } from "../machine/bind-failure.ts";
import { createHandlers, type Data } from "./handlers.ts";

/** HTTP and WebSockets on Bun's own server. */
export async function serve(options: ServeOptions, fetch: Fetch): Promise<Server> {
  const server = listen(options, fetch);
  return {
    hostname: options.hostname,
    port: server.port ?? options.port,
    async close(graceMs) {
      const cut = setTimeout(() => void server.stop(true), graceMs);
      await server.stop();
      clearTimeout(cut);
    },
  };
}

function listen(options: ServeOptions, fetch: Fetch): Bun.Server<Data> {
  try {
    return Bun.serve<Data>({
      hostname: options.hostname,
      port: options.port,
      development: false,
      // Beside `0.0.0.0` on the same port, and so that `::` says what it listens on.
      ipv6Only: options.hostname.includes(":"),
      // Not the default outside development: two gateways would share the port and halve each other's clients.
      reusePort: false,
      maxRequestBodySize: options.maxBody,
      ...(options.tls ? { tls: tlsOptions(options.tls) } : {}),
      ...createHandlers(options, fetch),
    });
  } catch (error) {
    throw bindFailure(error, options);
  }
}

function tlsOptions({ cert, key, ca }: NonNullable<ServeOptions["tls"]>): Bun.TLSOptions {
  return { cert, key, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) };
}
