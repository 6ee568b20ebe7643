import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { uuid } from "../kit/ids.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Device, Devices } from "../pairing/devices.ts";
import { allows } from "../protocol/scope.ts";
import { openCollection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import { approvalScopes } from "./policy.ts";
import type { NodeEvents, NodeRow, Nodes } from "./registry.ts";
import { effective, type NodeFacts, factsOf, nodeRequestSchema, nodeSchema, sameSurface, within } from "./surface.ts";
import type { NodeRecord, StoredNodeRequest } from "./surface.ts";

/** A connected node: what it said at its hello and since. */
interface Live {
  readonly connId: string;
  readonly facts: NodeFacts;
  readonly remoteIp: string;
  readonly pathEnv: string | undefined;
  readonly connectedAtMs: number;
}

interface Told {
  readonly lastConnectedAtMs?: number;
  readonly hostStats?: unknown;
  readonly pluginTools?: readonly unknown[];
}

/**
 * The Nodes of a store. A node is a device with the role; what it may do is approved here, on top of that. The approval
 * ends with the device.
 */
export async function loadNodes(store: Store, devices: Devices, clock: Clock, parentLog: Logger): Promise<Nodes> {
  const log = parentLog.child("nodes");
  const failed = (error: unknown): void => log.error("a change of nodes failed", { error: String(error) });
  const events = createEvents<NodeEvents>(failed);
  const [paired, pending] = await Promise.all([
    openCollection(store, { key: "nodes/paired.json", entry: nodeSchema, clock, log }),
    openCollection(store, { key: "nodes/pending.json", entry: nodeRequestSchema, clock, log }),
  ]);
  const live = new Map<string, Live>();
  const told = new Map<string, Told>();
  const lanes = createLanes();
  const decide = <T>(decision: () => Promise<T>): Promise<T> => lanes.run("decision", decision);

  const deviceOf = (nodeId: string): Device | undefined => {
    const device = devices.get(nodeId);
    return device?.roles.includes("node") ? device : undefined;
  };
  /** An approval counts for the pairing it was given to, not for a later one under the same id. */
  const approved = (nodeId: string): NodeRecord | undefined => {
    const record = paired.all.get(nodeId);
    const device = deviceOf(nodeId);
    return record && device && record.approvedAtMs >= device.createdAtMs ? record : undefined;
  };
  const waiting = (nodeId: string): StoredNodeRequest | undefined =>
    deviceOf(nodeId) && [...pending.all.values()].find((request) => request.nodeId === nodeId);
  const requestOf = (requestId: string): StoredNodeRequest => {
    const request = pending.all.get(requestId);
    if (request && deviceOf(request.nodeId)) return request;
    throw new Failure("invalid-request", "unknown requestId");
  };

  function resolved(request: StoredNodeRequest, decision: "approved" | "rejected"): void {
    const { requestId, nodeId } = request;
    events.emit("resolved", { requestId, nodeId, decision, ts: clock.now() });
  }

  async function saveRequests(drop: (request: StoredNodeRequest) => boolean, add?: StoredNodeRequest): Promise<void> {
    const kept = [...pending.all].filter(([, request]) => !drop(request));
    await pending.save(new Map(add ? [...kept, [add.requestId, add]] : kept));
  }

  async function forget(nodeId: string): Promise<void> {
    if (waiting(nodeId) || [...pending.all.values()].some((request) => request.nodeId === nodeId))
      await saveRequests((request) => request.nodeId === nodeId);
    if (paired.all.has(nodeId)) await paired.save(new Map([...paired.all].filter(([id]) => id !== nodeId)));
    told.delete(nodeId);
  }

  function row(device: Device): NodeRow {
    const nodeId = device.deviceId;
    const [now, record, request] = [live.get(nodeId), approved(nodeId), waiting(nodeId)];
    const facts = now?.facts ?? record ?? request;
    const offered = record ? (now ? effective(now.facts, record) : record) : { caps: [], commands: [] };
    return {
      nodeId,
      displayName: device.label ?? facts?.displayName ?? device.displayName,
      platform: facts?.platform ?? device.platform,
      version: facts?.version ?? "",
      clientId: facts?.clientId ?? device.clientId,
      clientMode: facts?.clientMode ?? device.clientMode,
      deviceFamily: facts?.deviceFamily ?? device.deviceFamily,
      modelIdentifier: facts?.modelIdentifier,
      remoteIp: now?.remoteIp ?? device.remoteIp,
      caps: offered.caps,
      commands: offered.commands,
      permissions: record?.permissions,
      pathEnv: now?.pathEnv,
      sessionHost: false,
      nodePluginTools: record ? (told.get(nodeId)?.pluginTools ?? []) : [],
      hostStats: told.get(nodeId)?.hostStats,
      approvalState: request ? "pending-approval" : record ? "approved" : "unapproved",
      pendingRequestId: request?.requestId,
      pendingDeclaredCaps: request?.caps,
      pendingDeclaredCommands: request?.commands,
      connectedAtMs: now?.connectedAtMs,
      lastConnectedAtMs: now?.connectedAtMs ?? told.get(nodeId)?.lastConnectedAtMs,
      lastSeenAtMs: device.lastSeenAtMs,
      lastSeenReason: device.lastSeenReason,
      approvedAtMs: record?.approvedAtMs ?? device.approvedAtMs,
      paired: true,
      connected: now !== undefined,
    };
  }

  devices.on("revoked", ({ deviceId, role }) => {
    if (role === undefined) decide(() => forget(deviceId)).catch(failed);
  });

  return {
    list: () =>
      devices
        .list()
        .paired.filter((device) => device.roles.includes("node"))
        .map(row),
    get(nodeId) {
      const device = deviceOf(nodeId);
      return device && row(device);
    },
    pairing: () => ({
      pending: [...pending.all.values()].filter(({ nodeId }) => deviceOf(nodeId)),
      paired: [...paired.all.values()].filter(({ nodeId }) => approved(nodeId)),
    }),

    async connected({ nodeId, client, remoteIp, surface, connId }) {
      const facts = factsOf(nodeId, client, surface);
      live.set(nodeId, { connId, facts, remoteIp, pathEnv: surface.pathEnv, connectedAtMs: clock.now() });
      devices.seen(nodeId, "connect");
      await decide(async () => {
        const old = waiting(nodeId);
        const fits = within(facts, approved(nodeId));
        if (fits ? !old : old && sameSurface(facts, old)) return;
        const request: StoredNodeRequest = {
          ...facts,
          requestId: uuid(),
          requiredApproveScopes: [...approvalScopes(facts.commands)],
          silent: deviceOf(nodeId)?.approvedVia === "silent",
          ts: clock.now(),
        };
        await saveRequests((other) => other.nodeId === nodeId, fits ? undefined : request);
        if (old) resolved(old, "rejected");
        if (!fits) events.emit("requested", request);
      });
    },

    disconnected(nodeId, connId) {
      const now = live.get(nodeId);
      if (now?.connId !== connId) return; // a newer connection has taken its place
      live.delete(nodeId);
      told.set(nodeId, { ...told.get(nodeId), lastConnectedAtMs: now.connectedAtMs });
      devices.seen(nodeId, "disconnect");
    },

    approve: (requestId, approver) =>
      decide(async () => {
        const request = requestOf(requestId);
        const required = approvalScopes(request.commands);
        const missing = required.find((scope) => !allows(approver.scopes, scope));
        if (missing)
          throw new Failure("forbidden", `missing scope: ${missing}`, {
            details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: required },
          });
        const { requestId: _id, requiredApproveScopes: _scopes, silent: _silent, ts: _ts, ...facts } = request;
        const device = deviceOf(request.nodeId);
        const now = clock.now();
        const node: NodeRecord = {
          ...facts,
          createdAtMs: approved(request.nodeId)?.createdAtMs ?? now,
          approvedAtMs: Math.max(now, device?.createdAtMs ?? now),
          lastSeenAtMs: device?.lastSeenAtMs ?? now,
          lastSeenReason: device?.lastSeenReason ?? "connect",
        };
        await saveRequests((other) => other.requestId === requestId);
        await paired.save(new Map([...paired.all, [node.nodeId, node]]));
        resolved(request, "approved");
        return { requestId, node };
      }),

    reject: (requestId) =>
      decide(async () => {
        const request = requestOf(requestId);
        await saveRequests((other) => other.requestId === requestId);
        resolved(request, "rejected");
        return { requestId, nodeId: request.nodeId };
      }),

    remove: (nodeId) =>
      decide(async () => {
        if (!approved(nodeId) && !waiting(nodeId)) throw new Failure("invalid-request", "unknown nodeId");
        await forget(nodeId);
        events.emit("resolved", { requestId: "", nodeId, decision: "removed", ts: clock.now() });
        return { nodeId };
      }),

    async rename(nodeId, displayName) {
      if (!deviceOf(nodeId)) throw new Failure("invalid-request", "unknown nodeId");
      await devices.rename(nodeId, displayName);
      return { nodeId, displayName };
    },

    setStats(nodeId, hostStats) {
      if (deviceOf(nodeId)) told.set(nodeId, { ...told.get(nodeId), hostStats });
    },
    setPluginTools(nodeId, pluginTools) {
      if (deviceOf(nodeId)) told.set(nodeId, { ...told.get(nodeId), pluginTools });
    },
    isApproved: (nodeId) => approved(nodeId) !== undefined,
    on: (name, listener) => events.on(name, listener),
    reload: () => decide(async () => void (await Promise.all([paired.reload(), pending.reload()]))),
  };
}
