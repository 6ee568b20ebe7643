import { codes, type Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Caller } from "../protocol/caller.ts";

export type WireLogStyle = "auto" | "full" | "compact";

/** Tells the log what goes over the sockets (cli.md 7.4): everything when verbose, else only errors and slow calls. */
export interface WireLog {
  opened(connId: string, address: string): void;
  hello(caller: Caller): void;
  refused(connId: string, failure: Failure): void;
  request(method: string, connId: string, id: string): void;
  /** `since` is when the request came, of the same clock as `now`. */
  response(method: string, connId: string, id: string, since: number, failure?: Failure): void;
  closed(connId: string, code: number, reason: string, openMs: number): void;
}

const slowMs = 50;

export function createWireLog(
  log: Logger,
  now: () => number,
  options: { verbose: boolean; style: WireLogStyle },
): WireLog {
  const ws = log.child("ws");
  const full = options.verbose && options.style === "full";
  let shownConn = "";
  /** In the paired styles the connection is named only when it is another one than on the line before. */
  const conn = (connId: string) => {
    const again = !full && connId === shownConn;
    shownConn = connId;
    return again ? {} : { conn: short(connId) };
  };
  return {
    opened(connId, address) {
      if (options.verbose) ws.info("← open", { remoteAddr: address, conn: short(connId) });
    },
    hello(caller) {
      if (!options.verbose) return;
      const { client } = caller;
      ws.info("← connect", {
        client: client.id,
        version: client.version,
        mode: client.mode,
        platform: client.platform,
        auth: caller.method,
        ...(caller.user ? { user: caller.user.id } : {}),
        ...conn(caller.connId),
      });
      ws.info("→ hello-ok", {
        protocol: caller.protocol,
        role: caller.role,
        scopes: caller.scopes.size,
        ...conn(caller.connId),
      });
    },
    refused(connId, failure) {
      ws.warn("✗ connect refused", { reason: failure.message, conn: short(connId) });
    },
    request(method, connId, id) {
      if (full) ws.info(`← req ${method}`, { ...conn(connId), id: short(id) });
    },
    response(method, connId, id, since, failure) {
      const ms = Math.round(now() - since);
      if (!options.verbose && !failure && ms < slowMs) return;
      const fields = failure ? { errorCode: codes[failure.code].wire, errorMessage: failure.message } : {};
      ws.info(`${full ? "→" : "⇄"} res ${failure ? "✗" : "✓"} ${method} ${ms}ms`, {
        ...fields,
        ...conn(connId),
        id: short(id),
      });
    },
    closed(connId, code, reason, openMs) {
      if (options.verbose) ws.info("→ close", { code, reason, durationMs: Math.round(openMs), ...conn(connId) });
    },
  };
}

/** Long ids as their first eight and last four characters. */
function short(id: string): string {
  return id.length > 14 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}
