import { Hono } from "hono";
import type { App } from "../app.ts";
import type { Env } from "../host/socket.ts";
import { uuid } from "../kit/ids.ts";
import type { Route } from "../routes/route.ts";
import { acceptConnection, type ConnectionContext } from "./connection.ts";
import { limiterKey, locate } from "./locality.ts";
import { checkHost, checkOrigin, type OriginRules } from "./origin.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export interface HttpContext {
  readonly app: App;
  readonly routes: readonly Route[];
  readonly connections: ConnectionContext;
  readonly waitingRoom: WaitingRoom;
  trustedProxies(): readonly string[];
  userHeader(): string | undefined;
  origins(): OriginRules;
}

/** The HTTP side of the port: probes and other routes, and on any path the way to a WebSocket. */
export function createHttp(context: HttpContext): Hono<{ Bindings: Env }> {
  const http = new Hono<{ Bindings: Env }>();
  http.use(async (c, next) => {
    await next();
    c.res.headers.set("x-content-type-options", "nosniff");
    c.res.headers.set("referrer-policy", "no-referrer");
    c.res.headers.set("x-frame-options", "DENY");
  });
  for (const route of context.routes) {
    http.all(route.path, (c, next) => {
      if (isUpgrade(c.req.raw)) return next();
      if (!(route.methods as readonly string[]).includes(c.req.method)) {
        return c.text("Method Not Allowed", 405, { allow: route.methods.join(", ") });
      }
      const from = locate(c.req.raw.headers, c.env.peer.address, context.trustedProxies());
      if (!checkHost(c.req.header("host"), from, context.origins())) return foreignHost();
      return route.handle({ app: context.app, request: c.req.raw, from });
    });
  }
  http.all("*", (c) => (isUpgrade(c.req.raw) ? upgrade(context, c.req.raw, c.env) : c.text("Not Found", 404)));
  http.onError((error, c) => {
    context.app.log.error("request failed", { path: c.req.path, error: error.message });
    return refuse(500, "internal_error", "internal error");
  });
  return http;
}

/** Decides over an upgrade before any frame: proxies, rebinding, Origin, room (threats B, H, J). */
function upgrade(context: HttpContext, request: Request, env: Env): Response {
  const { headers } = request;
  const from = locate(headers, env.peer.address, context.trustedProxies());
  if (from.forged) {
    return refuse(
      403,
      "proxy_attribution_required",
      "forwarding headers from a peer that is not in gateway.trustedProxies",
    );
  }
  const rules = context.origins();
  const host = headers.get("host") ?? "";
  if (!checkHost(host, from, rules)) return foreignHost();
  const origin = headers.get("origin") ?? undefined;
  if (origin !== undefined) {
    const verdict = checkOrigin(origin, host, from, rules);
    if (!verdict.ok)
      return refuse(403, "origin_not_allowed", `${verdict.reason} (allow it in gateway.controlUi.allowedOrigins)`);
  }
  const leave = context.waitingRoom.enter(limiterKey(from.address));
  if (!leave)
    return refuse(503, "too_many_unauthenticated", "Too many unauthenticated sockets", { "retry-after": "5" });
  const userHeader = context.userHeader();
  const arrival = {
    connId: uuid(),
    nonce: uuid(),
    from,
    origin,
    host,
    proxyUser: from.proxied && userHeader ? (headers.get(userHeader) ?? undefined) : undefined,
  };
  return env.upgrade(acceptConnection(context.connections, arrival, leave));
}

function isUpgrade(request: Request): boolean {
  return request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

function foreignHost(): Response {
  return refuse(
    403,
    "host_not_allowed",
    "the Host header does not name this gateway (allow it in gateway.publicOrigin)",
  );
}

/** A refusal as the official client reads it: `error.type` and `error.message` (protocol.md 9). */
function refuse(status: number, type: string, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { message, type } }, { status, headers: { "cache-control": "no-store", ...headers } });
}
