import * as v from "valibot";
import type { PresenceEntry } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { method } from "./method.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const label = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200));
const ok = v.object({ ok: v.boolean() });

export const systemMethods = [
  method({
    name: "system-presence",
    scope: "operator.read",
    summary: "Who is here: the gateway first, then clients, newest first.",
    params: () => v.object({}),
    result: () => v.array(v.custom<PresenceEntry>(isObject)),
    run: ({ app }) => [...app.presence.list()],
  }),
  method({
    name: "system-event",
    scope: "operator.admin",
    summary: "Lists somebody in the presence, such as a companion app that speaks for a machine.",
    params: () =>
      v.object({
        text: v.pipe(label, v.description("A line about what happened; kept in the log.")),
        reason: v.optional(label),
        instanceId: v.pipe(v.optional(label), v.description("Names the entry: the same one replaces it.")),
        host: v.optional(label),
        ip: v.optional(label),
        mode: v.optional(label),
        version: v.optional(label),
        platform: v.optional(label),
        deviceFamily: v.optional(label),
        modelIdentifier: v.optional(label),
        timeZone: v.optional(label),
        lastInputSeconds: v.optional(count),
        tags: v.optional(v.pipe(v.array(label), v.maxLength(50))),
      }),
    result: () => ok,
    run({ app, params: { text, ...facts }, caller }) {
      app.log.info("system event", { text, from: caller.client.id });
      // Whose entry it is follows from the connection, never from the parameters.
      const key = `${caller.deviceId ?? caller.connId}:${facts.instanceId ?? facts.host ?? ""}`;
      app.presence.set(key, { ...facts, deviceId: caller.deviceId, text, ts: app.clock.now() });
      return { ok: true };
    },
  }),
  method({
    name: "last-heartbeat",
    scope: "operator.read",
    summary: "The last heartbeat, or null when there was none.",
    params: () => v.object({}),
    result: () => v.nullable(v.looseObject({})),
    run: ({ app }) => app.heartbeat.last(),
  }),
  method({
    name: "set-heartbeats",
    scope: "operator.admin",
    summary: "Switches heartbeats on or off until the gateway restarts.",
    params: () => v.object({ enabled: v.boolean() }),
    result: () => v.object({ ok: v.boolean(), enabled: v.boolean() }),
    run({ app, params: { enabled } }) {
      app.heartbeat.enabled = enabled;
      return { ok: true, enabled };
    },
  }),
  method({
    name: "system.info",
    scope: "operator.read",
    summary: "The machine that the gateway runs on.",
    params: () => v.object({}),
    result: () =>
      v.object({
        machineName: v.string(),
        hostname: v.string(),
        platform: v.string(),
        release: v.string(),
        arch: v.string(),
        osLabel: v.string(),
        lanAddress: v.optional(v.string()),
        port: v.number(),
        nodeVersion: v.pipe(v.string(), v.description("Runtime and version, whichever runtime it is.")),
        pid: v.number(),
        processInstanceId: v.string(),
        uptimeMs: count,
        cpuCount: count,
        cpuModel: v.optional(v.string()),
        loadAverage: v.pipe(v.optional(v.array(v.number())), v.description("Over 1, 5 and 15 minutes.")),
        memoryTotalBytes: count,
        memoryFreeBytes: count,
      }),
    run({ app: { host, info, clock } }) {
      const machine = host.machine?.();
      if (!machine) throw new Failure("unavailable", "this host does not say what machine it is", { retryable: false });
      const { loadAverage, ...facts } = machine;
      const [platform = host.os, ...release] = host.osVersion.split(" ");
      const lan = host.net?.interfaces().find(({ internal, family }) => !internal && family === 4);
      return {
        machineName: host.hostname,
        hostname: host.hostname,
        platform,
        release: release.join(" "),
        osLabel: host.osVersion,
        ...(lan ? { lanAddress: lan.address } : {}),
        port: info.port,
        nodeVersion: host.runtimeVersion,
        pid: info.pid,
        processInstanceId: info.bootId,
        uptimeMs: Math.max(0, Math.round(clock.now() - info.startedAt)),
        ...facts,
        ...(loadAverage ? { loadAverage: [...loadAverage] } : {}),
      };
    },
  }),
  method({
    name: "update.status",
    scope: "operator.admin",
    summary: "Whether a newer version is known. The gateway does not look for one by itself.",
    params: () => v.object({ refreshCheckout: v.optional(v.boolean()) }),
    result: () =>
      v.object({
        sentinel: v.null(),
        updateAvailable: v.null(),
        effectiveChannel: v.string(),
        schedule: v.object({ channel: v.string(), autoEnabled: v.boolean() }),
      }),
    run: () => ({
      sentinel: null,
      updateAvailable: null,
      effectiveChannel: "stable",
      schedule: { channel: "stable", autoEnabled: false },
    }),
  }),
  method({
    name: "diagnostics.stability",
    scope: "operator.read",
    summary: "Recorded diagnostic events. This gateway records none: its log has what happened.",
    params: () => v.object({ limit: v.optional(count), type: v.optional(v.string()) }),
    result: () =>
      v.object({
        generatedAt: v.string(),
        capacity: count,
        count: count,
        dropped: count,
        events: v.array(v.looseObject({ seq: count })),
        summary: v.object({ byType: v.object({}) }),
      }),
    run: ({ app }) => ({
      generatedAt: new Date(app.clock.now()).toISOString(),
      capacity: 0,
      count: 0,
      dropped: 0,
      events: [],
      summary: { byType: {} },
    }),
  }),
] as const;
