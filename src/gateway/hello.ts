import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App, Connection, HealthSnapshot } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import type { Caller } from "../protocol/caller.ts";
import { closes, type Close } from "../protocol/close.ts";
import { connectParams, isRole, type ConnectParams } from "../protocol/connect.ts";
import { events } from "../protocol/events.ts";
import { explain } from "../protocol/explain.ts";
import type { Request } from "../protocol/frame.ts";
import { allows, type Role } from "../protocol/scope.ts";
import { limits, negotiate, OLDEST_PROTOCOL, PROTOCOL } from "../protocol/version.ts";
import type { Admittance } from "./auth.ts";

/** What the first request asked for, checked for shape: not yet who asks. */
export interface Opening {
  readonly params: ConnectParams;
  readonly protocol: 3 | 4;
  readonly role: Role;
}

/** Reads the first request, which must be `connect` (protocol.md 1.4). Throws the refusal. */
export function readOpening(request: Request): Opening {
  if (request.method !== "connect") {
    throw new Failure("invalid-request", "invalid handshake: first request must be connect");
  }
  const parsed = v.safeParse(connectParams, request.params);
  if (!parsed.success) throw new Failure("invalid-request", `invalid connect params: ${explain(parsed.issues)}`);
  const params = parsed.output;
  const role = params.role ?? "operator";
  if (!isRole(role)) throw new Failure("invalid-request", "invalid role");
  const protocol = negotiate(params.minProtocol, params.maxProtocol);
  if (!protocol) throw protocolMismatch(params);
  return { params, protocol, role };
}

/** How a refused connect is closed: by a code of its own for some, else 1008 with the message (protocol.md 1.4). */
export function closeFor(failure: Failure): Close {
  const details = isObject(failure.details) ? failure.details : {};
  if (details["code"] === "PROTOCOL_MISMATCH") return closes.mismatch;
  if (details["reason"] === "startup-sidecars") return closes.starting;
  // Whoever sees only the close still learns which request waits for approval (protocol.md 3.5).
  const { requestId } = details;
  const reason = typeof requestId === "string" ? `${failure.message} (requestId: ${requestId})` : failure.message;
  return { code: 1008, reason };
}

/** Not now: the gateway is on its way down or up. Clients try again after the time given. */
export function notNow(): Failure {
  return new Failure("unavailable", "gateway starting; retry shortly", {
    details: { reason: "startup-sidecars" },
    retryAfterMs: 500,
  });
}

/** The `hello-ok` payload (protocol.md 2.3; the v3 dialect 2.6): only what this caller may know. */
export function helloOk(
  app: App,
  { caller, deviceToken, deviceTokens }: Admittance,
): Readonly<Record<string, unknown>> {
  const reads = allows(caller.scopes, "operator.read");
  const auth = {
    role: caller.role,
    scopes: [...caller.scopes],
    ...(deviceToken ? { deviceToken: deviceToken.token, issuedAtMs: deviceToken.issuedAtMs } : {}),
    ...(deviceTokens ? { deviceTokens } : {}),
  };
  const common = {
    type: "hello-ok",
    protocol: caller.protocol,
    snapshot: {
      presence: reads ? app.presence.list() : [],
      health: reads ? snapshotHealth(app.health.snapshot()) : {},
      stateVersion: { presence: app.presence.version, health: app.health.version },
      uptimeMs: Math.max(0, Math.round(app.clock.now() - app.info.startedAt)),
      sessionDefaults: sessionDefaults(app),
      ...(allows(caller.scopes, "operator.admin")
        ? { configPath: app.paths.config, stateDir: app.paths.state, authMode: app.info.authMode }
        : {}),
    },
    policy: { maxPayload: limits.maxPayload, maxBufferedBytes: limits.maxBuffered, tickIntervalMs: limits.tickMs },
  };
  const modern = new Set(Object.entries(events).flatMap(([name, kind]) => (kind.modern ? [name] : [])));
  const features = { methods: app.methodNames(), events: app.eventNames() };
  if (caller.protocol === 3) {
    return {
      ...common,
      server: { version: app.info.version, host: app.host.hostname, connId: caller.connId },
      features: { ...features, events: features.events.filter((name) => !modern.has(name)) },
      ...(deviceToken ? { auth } : {}),
    };
  }
  return {
    ...common,
    server: { version: app.info.version, bootId: app.info.bootId, connId: caller.connId },
    features: { ...features, capabilities: [] },
    auth,
    policy: { ...common.policy, attachments: { maxBytes: limits.maxAttachment, maxImageBytes: limits.maxImage } },
  };
}

/** What the gateway remembers of a node that is past its hello. */
export async function registerNode(app: App, opening: Opening, caller: Caller, connection: Connection): Promise<void> {
  if (caller.role !== "node" || caller.deviceId === undefined) return;
  const { caps, commands, permissions, pathEnv } = opening.params;
  await app.nodes.connected({
    nodeId: caller.deviceId,
    client: caller.client,
    remoteIp: caller.address,
    surface: { caps, commands, permissions, pathEnv },
    connId: connection.caller.connId,
  });
  // The administrator who made the setup code has approved what the node offers at its first connect (protocol.md 3.7).
  const { pending } = app.nodes.pairing();
  const first = pending.find(({ nodeId }) => nodeId === caller.deviceId);
  if (first && caller.method === "bootstrap-token")
    await app.nodes.approve(first.requestId, { ...caller, scopes: new Set(["operator.admin"]) });
}

function protocolMismatch(params: ConnectParams): Failure {
  return new Failure("invalid-request", "protocol mismatch", {
    details: {
      code: "PROTOCOL_MISMATCH",
      clientMinProtocol: params.minProtocol,
      clientMaxProtocol: params.maxProtocol,
      expectedProtocol: PROTOCOL,
      minimumProbeProtocol: OLDEST_PROTOCOL,
    },
  });
}

/** The part of health that the protocol's snapshot has a place for; `health` itself answers all of it. */
function snapshotHealth(health: HealthSnapshot): Readonly<Record<string, unknown>> {
  const left = new Set(["parts", "standby", "safeMode", "eventLoop", ...(health.ok ? [] : ["ok"])]);
  return Object.fromEntries(Object.entries(health).filter(([key]) => !left.has(key)));
}

function sessionDefaults(app: App): Readonly<Record<string, unknown>> {
  const config = app.config.current().value;
  const { session } = config;
  const { id } = agentsOf(config)[0];
  const mainKey = session.mainKey ?? "main";
  return {
    defaultAgentId: id,
    modelConfigured: true,
    mainKey,
    mainSessionKey: `agent:${id}:${mainKey}`,
    scope: session.scope ?? "per-sender",
  };
}
