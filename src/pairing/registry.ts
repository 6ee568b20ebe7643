import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { randomToken, uuid } from "../kit/ids.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { sameSecret } from "../kit/secret.ts";
import type { Caller } from "../protocol/caller.ts";
import { intersect, isScope, type Role, roles, type Scope } from "../protocol/scope.ts";
import { openCollection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import { mayTouch, requiredScopes } from "./authority.ts";
import type { Admission, Admitted, DeviceEvents, DeviceRequest, Devices } from "./devices.ts";
import { covers, judge, type PendingReason } from "./judge.ts";
import {
  type Asked,
  askedBy,
  type DeviceRecord,
  deviceSchema,
  enrolled,
  grant,
  liveToken,
  requestSchema,
  sameRequest,
  shown,
  type StoredRequest,
  type StoredToken,
} from "./record.ts";
import { createScopeUpgrades } from "./scope-upgrades.ts";
import { openSetupCodes } from "./setup-codes.ts";
import { createSightings } from "./sightings.ts";
import { isWaiting, join } from "./waiting.ts";

export interface DeviceRegistry extends Devices {
  /** Writes down when devices were last seen. The registry is not used afterwards. */
  close(): Promise<void>;
}

/** Devices that may be paired at once; none is dropped for another. */
const MOST_PAIRED = 512;

/** The Devices of a store. One registry at a time writes to a store. */
export async function loadDevices(store: Store, clock: Clock, parentLog: Logger): Promise<DeviceRegistry> {
  const log = parentLog.child("pairing");
  const events = createEvents<DeviceEvents>((error) => log.error("a listener failed", { error: String(error) }));
  const [paired, pending] = await Promise.all([
    openCollection(store, { key: "devices/paired.json", entry: deviceSchema, clock, log }),
    openCollection(store, { key: "devices/pending.json", entry: requestSchema, clock, log }),
  ]);
  const sightings = createSightings();
  const lanes = createLanes();
  /** One decision at a time: what it judged by cannot change before it is on the disk. */
  const decide = <T>(decision: () => Promise<T>): Promise<T> => lanes.run("decision", decision);

  const find = (deviceId: string): DeviceRecord | undefined => {
    const record = paired.all.get(deviceId);
    return record && sightings.onto(record);
  };
  const waiting = (): readonly StoredRequest[] =>
    [...pending.all.values()].filter((request) => isWaiting(request, clock.now()));

  async function savePaired(deviceId: string, record: DeviceRecord | undefined): Promise<void> {
    const next = new Map([...paired.all].map(([id, old]) => [id, sightings.onto(old)]));
    if (record) next.set(deviceId, record);
    else next.delete(deviceId);
    const written = sightings.mark();
    await paired.save(next);
    written();
  }

  async function savePending(requests: readonly StoredRequest[]): Promise<void> {
    await pending.save(new Map(requests.map((request) => [request.requestId, request])));
  }

  function resolved({ requestId, deviceId }: DeviceRequest, decision: "approved" | "rejected"): void {
    events.emit("resolved", { requestId, deviceId, decision, ts: clock.now() });
  }

  /** Takes a request off the list: from here on nobody else can approve or reject it. */
  async function take(requestId: string): Promise<void> {
    await savePending(waiting().filter((request) => request.requestId !== requestId));
  }

  function requestOf(requestId: string): StoredRequest {
    const request = waiting().find((candidate) => candidate.requestId === requestId);
    if (!request) throw new Failure("invalid-request", "unknown requestId");
    return request;
  }

  function makeRoom(deviceId: string): void {
    if (paired.all.has(deviceId) || paired.all.size < MOST_PAIRED) return;
    throw new Failure("conflict", `${MOST_PAIRED} devices are paired: remove one that is not used any more first`);
  }

  async function ask(asked: Asked): Promise<StoredRequest> {
    const same = waiting().find(({ deviceId }) => deviceId === asked.deviceId);
    if (same && sameRequest(asked, same)) return same;
    const request = { ...asked, requestId: uuid(), ts: clock.now() };
    const { kept, dropped } = join(waiting(), request);
    await savePending(kept);
    for (const old of dropped) resolved(old, "rejected");
    events.emit("requested", request);
    events.emit("changed", {});
    return request;
  }

  async function leaveWaiting(asked: Asked, reason: PendingReason, record?: DeviceRecord): Promise<Admitted> {
    const approved = record ? { approvedRoles: record.roles, approvedScopes: record.scopes } : {};
    return { outcome: "pending", reason, request: await ask(asked), ...approved };
  }

  /** Approves what is asked for without the owner, and takes the device's own request off the list. */
  async function give(asked: Asked, record: DeviceRecord): Promise<void> {
    const old = waiting().find(({ deviceId }) => deviceId === asked.deviceId);
    if (old) await take(old.requestId);
    await savePaired(asked.deviceId, record);
    resolved({ ...asked, requestId: old?.requestId ?? uuid(), ts: clock.now() }, "approved");
    events.emit("changed", {});
  }

  async function enrol(admission: Admission, handOff: readonly Scope[]): Promise<DeviceRecord> {
    const old = find(admission.deviceId);
    const asked = askedBy(admission, old !== undefined);
    const record = enrolled(old, asked, { handOff, now: clock.now() });
    await give(asked, record);
    const { deviceId, connId: except } = admission;
    for (const role of roles) {
      const token = liveToken(old, role);
      if (token && record.tokens[role]?.token !== token.token)
        events.emit("revoked", { deviceId, role, ...(except === undefined ? {} : { except }) });
    }
    return record;
  }

  /** A token that the caller may change: it exists, and he holds everything that it does. */
  function tokenFor(
    caller: Caller,
    deviceId: string,
    role: Role,
  ): { record: DeviceRecord; token: StoredToken } | undefined {
    const record = find(deviceId);
    const token = liveToken(record, role);
    return record && token && mayTouch(caller, record, role) ? { record, token } : undefined;
  }

  const ground = { store, clock, log, events, decide, find, waiting, makeRoom, enrol, ask };
  const codes = await openSetupCodes(ground);
  return {
    codes,
    upgrades: createScopeUpgrades(ground),
    list: () => ({
      pending: waiting(),
      paired: [...paired.all.values()].map((record) => shown(sightings.onto(record))),
    }),
    get(deviceId) {
      const record = find(deviceId);
      return record && shown(record);
    },

    admit: (admission) =>
      decide(async () => {
        const record = find(admission.deviceId);
        const asked = askedBy(admission, record !== undefined);
        const verdict = judge(record, asked, admission);
        if (verdict.kind === "ask") return leaveWaiting(asked, verdict.reason, record);
        let token = verdict.kind === "known" ? verdict.token : undefined;
        if (!token) {
          makeRoom(asked.deviceId);
          const next = grant(record, asked, { via: "silent", now: clock.now() });
          await give(asked, next);
          token = next.tokens[asked.role];
        }
        if (!token) throw new Failure("internal", `no ${asked.role} token was made for device ${asked.deviceId}`);
        sightings.used(asked.deviceId, asked.role, clock.now());
        return {
          outcome: "paired",
          scopes: intersect(asked.scopes, token.scopes),
          token: token.token,
          issuedAtMs: token.rotatedAtMs ?? token.createdAtMs,
        };
      }),

    async verifyToken(deviceId, role, given, scopes) {
      const token = liveToken(paired.all.get(deviceId), role);
      const same = await sameSecret(given, token?.token ?? "");
      // Revoked or rotated while the digests were computed: it is not the device's any more.
      if (!same || !token || liveToken(paired.all.get(deviceId), role)?.token !== token.token)
        return { result: "mismatch" };
      if (!covers(token.scopes, scopes.filter(isScope))) return { result: "scopes" };
      sightings.used(deviceId, role, clock.now());
      return { result: "ok", scopes: token.scopes };
    },

    approve: (requestId, approver) =>
      decide(async () => {
        const request = requestOf(requestId);
        const record = grant(find(request.deviceId), request, { via: "owner", now: clock.now() });
        if (!mayTouch(approver, record, request.role))
          throw new Failure("invalid-request", "device pairing approval denied", {
            details: { requiredScopes: requiredScopes(record, request.role) },
          });
        makeRoom(request.deviceId);
        await take(requestId);
        await savePaired(record.deviceId, record);
        resolved(request, "approved");
        events.emit("changed", {});
        return { requestId, device: shown(record) };
      }),

    reject: (requestId) =>
      decide(async () => {
        const request = requestOf(requestId);
        await take(requestId);
        resolved(request, "rejected");
        events.emit("changed", {});
        return { requestId, deviceId: request.deviceId };
      }),

    remove: (deviceId, caller) =>
      decide(async () => {
        const record = find(deviceId);
        if (!record) throw new Failure("invalid-request", "unknown deviceId");
        if (caller && !record.roles.every((role) => mayTouch(caller, record, role)))
          throw new Failure("invalid-request", "device pairing removal denied");
        const open = waiting().filter((request) => request.deviceId === deviceId);
        for (const request of open) await take(request.requestId);
        await savePaired(deviceId, undefined);
        sightings.forget(deviceId);
        for (const request of open) resolved(request, "rejected");
        events.emit("revoked", { deviceId });
        events.emit("changed", {});
      }),

    rename: (deviceId, label, caller) =>
      decide(async () => {
        const record = find(deviceId);
        if (!record) throw new Failure("invalid-request", "unknown deviceId");
        if (caller && !record.roles.every((role) => mayTouch(caller, record, role)))
          throw new Failure("invalid-request", "device rename denied");
        await savePaired(deviceId, { ...record, label });
        events.emit("changed", {});
      }),

    rotate: (deviceId, role, scopes, caller) =>
      decide(async () => {
        const found = tokenFor(caller, deviceId, role);
        const wanted = scopes?.filter(isScope) ?? found?.token.scopes ?? [];
        const known = wanted.length === (scopes ?? wanted).length;
        if (!found || !known || !covers(found.record.scopes, wanted) || !covers(caller.scopes, wanted))
          throw new Failure("invalid-request", "device token rotation denied");
        const rotatedAtMs = clock.now();
        const token = { ...found.token, token: randomToken(), scopes: wanted, rotatedAtMs };
        await savePaired(deviceId, { ...found.record, tokens: { ...found.record.tokens, [role]: token } });
        const own = caller.deviceId === deviceId && caller.role === role;
        events.emit("revoked", { deviceId, role, ...(own ? { except: caller.connId } : {}) });
        events.emit("changed", {});
        return { token: token.token, scopes: token.scopes, rotatedAtMs };
      }),

    revoke: (deviceId, role, caller) =>
      decide(async () => {
        const found = tokenFor(caller, deviceId, role);
        if (!found) throw new Failure("invalid-request", "device token revocation denied");
        const { record, token } = found;
        const revokedAtMs = clock.now();
        await savePaired(deviceId, {
          ...record,
          scopes: role === "operator" ? [] : record.scopes,
          tokens: { ...record.tokens, [role]: { ...token, revokedAtMs } },
        });
        events.emit("revoked", { deviceId, role });
        events.emit("changed", {});
        return { revokedAtMs };
      }),

    seen(deviceId, reason) {
      if (paired.all.has(deviceId)) sightings.seen(deviceId, reason, clock.now());
    },
    on: (name, listener) => events.on(name, listener),
    reload: () =>
      decide(async () => {
        await Promise.all([paired.reload(), pending.reload(), codes.reload()]);
        events.emit("changed", {});
      }),
    close: () =>
      decide(async () => {
        if (sightings.empty) return;
        await paired
          .save(new Map([...paired.all].map(([id, record]) => [id, sightings.onto(record)])))
          .catch((error: unknown) => log.debug("last-seen times were not written", { error: String(error) }));
      }),
  };
}
