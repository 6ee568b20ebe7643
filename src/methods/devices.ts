import * as v from "valibot";
import type { App } from "../app.ts";
import { isObject } from "../kit/json.ts";
import type { Device, DeviceRequest } from "../pairing/devices.ts";
import { roles } from "../protocol/scope.ts";
import { method } from "./method.ts";

/** A device as `device.pair.list` shows it. */
export type DeviceRow = Device & { readonly connected: boolean };

const requestId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "is not a request's id"),
  v.description("The id shown by device.pair.list and told to the device that asks."),
);
const deviceId = v.pipe(v.string(), v.nonEmpty(), v.description("The SHA-256 of the device's public key, in hex."));
const role = v.pipe(v.picklist(roles), v.description("The role whose token it is."));
const label = v.pipe(
  v.string(),
  v.trim(),
  v.nonEmpty(),
  v.maxLength(64),
  v.regex(/^\P{Cc}*$/u, "has control characters"),
);
const scopeList = v.array(v.pipe(v.string(), v.nonEmpty()));

/** The methods that decide which devices are let in, and with what. */
export const deviceMethods = [
  method({
    name: "device.pair.list",
    scope: "operator.pairing",
    summary: "The paired devices, and those that wait for approval.",
    params: () => v.object({}),
    result: () =>
      v.object({
        pending: v.array(v.custom<DeviceRequest>(isObject)),
        paired: v.array(v.custom<DeviceRow>(isObject)),
      }),
    run({ app }) {
      const { pending, paired } = app.devices.list();
      const online = connectedDevices(app);
      return {
        pending: [...pending],
        paired: paired.map((device) => ({ ...device, connected: online.has(device.deviceId) })),
      };
    },
  }),
  method({
    name: "device.pair.approve",
    scope: "operator.pairing",
    summary: "Lets a waiting device in, with no more than the approver holds.",
    params: () => v.object({ requestId }),
    result: () => v.object({ requestId: v.string(), device: v.custom<Device>(isObject) }),
    run: ({ app, params, caller }) => app.devices.approve(params.requestId, caller),
  }),
  method({
    name: "device.pair.reject",
    scope: "operator.pairing",
    summary: "Turns a waiting device away.",
    params: () => v.object({ requestId }),
    result: () => v.object({ requestId: v.string(), deviceId: v.string() }),
    run: ({ app, params }) => app.devices.reject(params.requestId),
  }),
  method({
    name: "device.pair.remove",
    scope: "operator.pairing",
    summary: "Forgets a device: its tokens are void and its connections close.",
    params: () => v.object({ deviceId }),
    result: () => v.object({ deviceId: v.string() }),
    async run({ app, params, caller }) {
      await app.devices.remove(params.deviceId, caller);
      return { deviceId: params.deviceId };
    },
  }),
  method({
    name: "device.pair.rename",
    scope: "operator.pairing",
    summary: "Gives a device a name of your own.",
    params: () => v.object({ deviceId, label }),
    result: () => v.object({ deviceId: v.string(), label: v.string() }),
    async run({ app, params, caller }) {
      await app.devices.rename(params.deviceId, params.label, caller);
      return params;
    },
  }),
  method({
    name: "device.token.rotate",
    scope: "operator.pairing",
    summary: "Replaces a device's token; the new one is shown only to the device itself.",
    params: () =>
      v.object({
        deviceId,
        role,
        scopes: v.pipe(v.optional(scopeList), v.description("Narrows the token; what it holds now when left out.")),
      }),
    result: () =>
      v.object({
        deviceId: v.string(),
        role,
        scopes: scopeList,
        rotatedAtMs: v.number(),
        token: v.optional(v.string()),
        tokenDelivery: v.picklist(["in-band", "withheld-cross-device"]),
      }),
    async run({ app, params, caller }) {
      const rotated = await app.devices.rotate(params.deviceId, params.role, params.scopes, caller);
      const { token, scopes, rotatedAtMs } = rotated;
      const answer = { deviceId: params.deviceId, role: params.role, scopes: [...scopes], rotatedAtMs };
      return caller.deviceId === params.deviceId
        ? { ...answer, token, tokenDelivery: "in-band" as const }
        : { ...answer, tokenDelivery: "withheld-cross-device" as const };
    },
  }),
  method({
    name: "device.token.revoke",
    scope: "operator.pairing",
    summary: "Voids a device's token and closes its connections of that role; only a new approval gives the role back.",
    params: () => v.object({ deviceId, role }),
    result: () => v.object({ deviceId: v.string(), role, revokedAtMs: v.number() }),
    async run({ app, params, caller }) {
      const { revokedAtMs } = await app.devices.revoke(params.deviceId, params.role, caller);
      return { ...params, revokedAtMs };
    },
  }),
] as const;

function connectedDevices(app: App): ReadonlySet<string> {
  const online = new Set<string>();
  for (const { caller } of app.connections.all()) if (caller.deviceId) online.add(caller.deviceId);
  return online;
}
