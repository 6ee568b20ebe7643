import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { PageFiles } from "../../src/host/page.ts";
import type { Served } from "../../src/host/socket.ts";
import { createAcceptor } from "../machine/accept.ts";
import { pageReader } from "../machine/page.ts";

/** The gateway as a listener of node:http, and so as a handler of Express and its kin: `app.use("/gateway", …)`. */
export function createListener(served: Served): RequestListener {
  return createAcceptor({ ...served.limits, scheme: "http" }, served.fetch).listener;
}

/**
 * Gives the gateway the WebSocket upgrades of a server below `path` (all, unless given); any other is left to the
 * server's other listeners. The answer takes them back. Time limits and the size of headers are the server's own.
 */
export function attach(
  server: Server | TlsServer,
  served: Served,
  { path = "/" }: { readonly path?: string } = {},
): () => void {
  const scheme = "setSecureContext" in server ? "https" : "http";
  const { upgrade } = createAcceptor({ ...served.limits, scheme }, served.fetch);
  const below = path.replace(/\/+$/, "");
  const listener = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const [asked = ""] = (incoming.url ?? "").split("?");
    if (below === "" || asked === below || asked.startsWith(`${below}/`)) upgrade(incoming, socket, head);
  };
  server.on("upgrade", listener);
  return () => void server.off("upgrade", listener);
}

/** Reads the web page that comes with this package: what `createGateway` takes as `page`. */
export function readPage(): Promise<PageFiles> {
  return pageReader(fileURLToPath(import.meta.url))();
}
