import { Hono } from "hono";
import type { App } from "../app.ts";
import type { Env } from "../host/socket.ts";
import { uuid } from "../kit/ids.ts";
import type { Door, Route } from "../routes/route.ts";
import { authorize } from "./bearer.ts";
import { acceptConnection, type ConnectionContext } from "./connection.ts";
import { forwardedHost } from "./forwarded.ts";
import { attributionRequired, refuse } from "./http-refusal.ts";
import { limiterKey, locate, type Locality } from "./locality.ts";
import { checkHost, checkOrigin } from "./origin.ts";
import { readVouched, type Vouched } from "./vouched.ts";
import type { WaitingRoom } from "./waiting-room.ts";
import type { WebhookDoor } from "./webhooks.ts";

export interface HttpContext {
  readonly app: App;
  readonly routes: readonly Route[];
  readonly connections: ConnectionContext;
  readonly waitingRoom: WaitingRoom;
  readonly webhook: WebhookDoor;
  /** The way in at a path that the configuration decides. */
  readonly doorAt: (app: App, path: string) => Door | undefined;
  trustedProxies(): readonly string[];
}

/** The HTTP side of the port: probes and other routes, and on any path the way to a WebSocket. */
export function createHttp(context: HttpContext): Hono<{ Bindings: Env }> {
  const http = new Hono<{ Bindings: Env }>();
  const arrive = receiveAt(context);
  http.use(async (c, next) => {
    await next();
    c.res.headers.set("x-content-type-options", "nosniff");
    c.res.headers.set("referrer-policy", "no-referrer");
    c.res.headers.set("x-frame-options", "DENY");
  });
  const serve = (route: Route): void => {
    http.all(route.path, (c, next) => {
      if (isUpgrade(c.req.raw)) return next();
      if (!(route.methods as readonly string[]).includes(c.req.method)) {
        if (route.path === "/*") return next();
        return c.text("Method Not Allowed", 405, { allow: route.methods.join(", ") });
      }
      const auth = context.connections.auth();
      const caller = arrive(c.req.raw, c.env);
      if (!checkHost(c.req.header("host"), caller.from, auth.origins)) return foreignHost();
      const { app } = context;
      return route.handle({ app, request: c.req.raw, from: caller.from, authorize: () => authorize(caller, auth) });
    });
  };
  for (const route of context.routes) if (route.path !== "/*") serve(route);
  http.all("*", (c, next) => {
    const webhook = isUpgrade(c.req.raw) ? undefined : context.doorAt(context.app, new URL(c.req.url).pathname);
    if (!webhook) return next();
    const { from } = arrive(c.req.raw, c.env);
    // A tunnel that says nothing of whom it forwards for may bring a public name: `gateway.publicOrigin` is to have it.
    if (!checkHost(c.req.header("host"), from, context.connections.auth().origins)) return foreignHost();
    return context.webhook(webhook, c.req.raw, from);
  });
  for (const route of context.routes) if (route.path === "/*") serve(route);
  http.all("*", (c) =>
    isUpgrade(c.req.raw) ? upgrade(context, arrive(c.req.raw, c.env), c.env) : c.text("Not Found", 404),
  );
  http.onError((error, c) => {
    context.app.log.error("request failed", { path: c.req.path, error: error.message });
    return refuse(500, "internal_error", "internal error");
  });
  return http;
}

/** A request with what the server itself knows of who sends it. */
interface Arrived {
  readonly headers: Headers;
  readonly from: Locality;
  readonly vouched: Vouched | undefined;
}

/** Finds out where requests come from, and says in the log, once, that some come through an unknown proxy. */
function receiveAt(context: HttpContext): (request: Request, env: Env) => Arrived {
  let warned = false;
  return ({ headers }, { peer }) => {
    const { settings } = context.connections.auth();
    const trust = { proxies: context.trustedProxies(), tailscale: settings.tailscale };
    const from = locate(headers, peer.address, trust);
    if (from.forged && !warned) {
      warned = true;
      context.app.log.warn(
        "Proxy headers detected from untrusted address. Connection will not be treated as local. " +
          "Configure gateway.trustedProxies if this is a proxy of yours; said once.",
        { address: from.address },
      );
    }
    return { headers, from, vouched: readVouched(headers, { from, peer: peer.address }, settings) };
  };
}

/** Decides over an upgrade before any frame: proxies, rebinding, Origin, room (threats B, H, J). */
function upgrade(context: HttpContext, { headers, from, vouched }: Arrived, env: Env): Response {
  if (from.forged) return attributionRequired();
  const rules = context.connections.auth().origins;
  // The page knows the gateway by the name that it gave to the proxy.
  const host = (from.via && forwardedHost(headers)) ?? headers.get("host") ?? "";
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
  const arrival = { connId: uuid(), nonce: uuid(), from, origin, host, vouched };
  return env.upgrade(acceptConnection(context.connections, arrival, leave));
}

/** Whether a request asks for a WebSocket, on any path. */
export function isUpgrade(request: Request): boolean {
  return request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

function foreignHost(): Response {
  return refuse(
    403,
    "host_not_allowed",
    "the Host header does not name this gateway (allow it in gateway.publicOrigin)",
  );
}
