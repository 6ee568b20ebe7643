import type { App } from "../app.ts";
import type { Fetch } from "../host/socket.ts";
import { createCleanup } from "../kit/cleanup.ts";
import type { Method } from "../methods/method.ts";
import type { CallObserver, DoorObserver } from "../observe/observer.ts";
import { closes } from "../protocol/close.ts";
import { limits } from "../protocol/version.ts";
import type { Route } from "../routes/route.ts";
import type { AuthSettings } from "./auth.ts";
import type { ConnectionContext, OpenSocket } from "./connection.ts";
import { createDedupe } from "./dedupe.ts";
import { createDispatcher } from "./dispatch.ts";
import { createHttp, type HttpContext } from "./http.ts";
import type { Hub } from "./hub.ts";
import { createLimiter } from "./limiter.ts";
import type { Tailnet } from "./publishing.ts";
import { createWaitingRoom } from "./waiting-room.ts";
import { watchDispatcher } from "./watched-dispatch.ts";
import { watchFetch } from "./watched-fetch.ts";
import { createWebhookDoor } from "./webhooks.ts";
import type { WireLog } from "./wire-log.ts";

export interface ServerOptions {
  readonly app: App;
  readonly hub: Hub;
  readonly methods: readonly Method[];
  readonly routes: readonly Route[];
  readonly doorAt: HttpContext["doorAt"];
  readonly wire: WireLog;
  /** Absent in a gateway that Tailscale has no part in. */
  readonly tailnet?: Tailnet | undefined;
  readonly observers?: { readonly doors?: DoorObserver | undefined; readonly calls?: CallObserver | undefined };
  /** How callers prove themselves, as of now. */
  auth(): AuthSettings;
}

/** The gateway's network face, with no port of its own: whoever listens gives it requests. */
export interface GatewayServer {
  readonly fetch: Fetch;
  /** Every open socket, past its hello or not. */
  sockets(): Iterable<OpenSocket>;
  /** Begins ticks, pings and the watch over secrets and devices; the answer ends them. */
  start(): () => Promise<void>;
  /** Tells every client that the gateway goes away, and closes every socket. */
  drain(reason: string, restartExpectedMs?: number): void;
  /** The secret in force may have changed: sockets that came in by another one are closed (threat E). */
  secretChanged(): void;
}

/** Sockets without a hello: per address and in all. */
const waitingPerAddress = 32;
const waitingTotal = 256;

export function createServer(options: ServerOptions): GatewayServer {
  const { app, hub, observers } = options;
  const open = new Set<OpenSocket>();
  const gatewayConfig = () => app.config.current().value.gateway;
  const limiter = createLimiter(
    app.clock,
    () => gatewayConfig().auth.rateLimit,
    () => observers?.doors?.lockedOut(),
  );
  const origins = () => {
    const { controlUi, publicOrigin } = gatewayConfig();
    const tailnetName = options.tailnet?.name();
    return {
      allowed: [...controlUi.allowedOrigins, ...(publicOrigin ? [publicOrigin] : [])],
      names: [app.host.hostname, ...(tailnetName === undefined ? [] : [tailnetName])],
    };
  };
  let draining = false;

  const connections: ConnectionContext = {
    app,
    hub,
    open,
    wire: options.wire,
    observer: observers?.doors,
    dispatcher: watchDispatcher(createDispatcher(app, options.methods, createDedupe(app.clock)), observers?.calls),
    auth: () => ({
      clock: app.clock,
      limiter,
      devices: app.devices,
      settings: options.auth(),
      origins: origins(),
      whois: options.tailnet?.whois,
    }),
    draining: () => draining,
  };
  const http = createHttp({
    app,
    routes: options.routes,
    connections,
    doorAt: options.doorAt,
    webhook: createWebhookDoor({ clock: app.clock, log: app.log, limiter }),
    waitingRoom: createWaitingRoom(waitingPerAddress, waitingTotal),
    trustedProxies: () => gatewayConfig().trustedProxies,
  });

  function secretChanged(): void {
    for (const socket of open) if (socket.bySecret) socket.end(closes.authChanged);
  }

  return {
    fetch: watchFetch((request, env) => http.fetch(request, env), options.routes, observers?.doors),
    sockets: () => open,
    start() {
      const cleanup = createCleanup();
      if (options.tailnet) cleanup.add(options.tailnet.watch((part) => app.health.setPart(part)));
      cleanup.add(app.clock.every(limits.tickMs, () => hub.broadcast("tick", { ts: app.clock.now() })));
      cleanup.add(app.clock.every(limits.healthMs, () => hub.broadcast("health", app.health.snapshot())));
      cleanup.add(
        app.clock.every(limits.pingMs, () => {
          for (const socket of open) socket.ping();
        }),
      );
      cleanup.add(
        app.devices.on("revoked", ({ deviceId, role, except }) => {
          for (const socket of open) {
            if (socket.connId === except || socket.deviceId !== deviceId) continue;
            if (role === undefined || socket.role === role) socket.end(closes.deviceRemoved);
          }
        }),
      );
      const told = ["requested", "resolved", "changed", "setup.completed", "setup.deliveryUncertain"] as const;
      for (const name of told) {
        cleanup.add(app.devices.on(name, (payload) => hub.broadcast(`device.pair.${name}`, payload as never)));
      }
      for (const name of ["requested", "resolved"] as const) {
        cleanup.add(app.nodes.on(name, (payload) => hub.broadcast(`node.pair.${name}`, payload as never)));
      }
      cleanup.add(
        app.config.onChange(({ snapshot: { path, hash }, changedPaths }) => {
          hub.broadcast("config.changed", { path, hash, ts: app.clock.now() });
          // Whom the proxy may let in is a secret of that kind.
          if (changedPaths.some((each) => each.startsWith("gateway.auth.trustedProxy"))) secretChanged();
        }),
      );
      return () => cleanup.run();
    },
    drain(reason, restartExpectedMs) {
      draining = true;
      hub.broadcast("shutdown", { reason, ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }) });
      for (const socket of open) socket.end(closes.restart);
    },
    secretChanged,
  };
}
