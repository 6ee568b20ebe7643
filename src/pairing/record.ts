import * as v from "valibot";
import { randomToken } from "../kit/ids.ts";
import { isScope, type Role, roles, type Scope } from "../protocol/scope.ts";
import type { Admission, Device, DeviceRequest, DeviceToken } from "./devices.ts";

const text = v.string();
const time = v.number();
const role = v.picklist(roles);
/** Whatever a document says, a scope that is not known is not granted. */
const scopes = v.pipe(
  v.array(v.string()),
  v.transform((given) => given.filter(isScope)),
);

const tokenSchema = v.object({
  token: v.pipe(v.string(), v.minLength(1)),
  role,
  scopes,
  createdAtMs: time,
  rotatedAtMs: v.optional(time),
  lastUsedAtMs: v.optional(time),
  revokedAtMs: v.optional(time),
});

/** A device as it is kept in `devices/paired.json`, the values of its tokens included (cli.md 2.10). */
export const deviceSchema = v.object({
  deviceId: text,
  publicKey: text,
  displayName: v.optional(text),
  label: v.optional(text),
  platform: text,
  deviceFamily: v.optional(text),
  clientId: text,
  clientMode: text,
  role,
  roles: v.array(role),
  scopes,
  remoteIp: v.optional(text),
  approvedVia: v.optional(v.picklist(["silent", "owner", "bootstrap"]), "owner"),
  createdAtMs: time,
  approvedAtMs: time,
  lastSeenAtMs: v.optional(time),
  lastSeenReason: v.optional(text),
  tokens: v.object({ operator: v.optional(tokenSchema), node: v.optional(tokenSchema) }),
});

/** A request as it is kept in `devices/pending.json`. */
export const requestSchema = v.object({
  requestId: text,
  deviceId: text,
  publicKey: text,
  displayName: v.optional(text),
  platform: v.optional(text),
  deviceFamily: v.optional(text),
  clientId: text,
  clientMode: text,
  role,
  roles: v.array(role),
  scopes,
  remoteIp: v.optional(text),
  browserOrigin: v.optional(text),
  silent: v.boolean(),
  isRepair: v.boolean(),
  ts: time,
});

export type DeviceRecord = v.InferOutput<typeof deviceSchema>;
export type StoredToken = v.InferOutput<typeof tokenSchema>;
export type StoredRequest = v.InferOutput<typeof requestSchema>;

/** What a device asks for, cut to a sane length: it comes from anybody who can reach the port. */
export type Asked = Omit<StoredRequest, "requestId" | "ts">;

export function askedBy(admission: Admission, isRepair: boolean): Asked {
  const { client } = admission;
  return {
    deviceId: admission.deviceId,
    publicKey: admission.publicKey,
    displayName: clip(client.displayName),
    platform: clip(client.platform),
    deviceFamily: clip(client.deviceFamily),
    clientId: clip(client.id) ?? "",
    clientMode: clip(client.mode) ?? "",
    role: admission.role,
    roles: [admission.role],
    scopes: admission.role === "operator" ? [...new Set(admission.scopes.filter(isScope))] : [],
    remoteIp: clip(admission.remoteIp),
    browserOrigin: clip(admission.browserOrigin),
    silent: admission.silent,
    isRepair,
  };
}

/** The token of a role, unless there is none or it was revoked. */
export function liveToken(record: DeviceRecord | undefined, role: Role): StoredToken | undefined {
  const token = record?.tokens[role];
  return token?.revokedAtMs === undefined ? token : undefined;
}

/**
 * The record after `asked` was approved: its role and scopes are added to what the device holds, under a new token. What
 * was revoked does not come back.
 */
export function grant(
  old: DeviceRecord | undefined,
  asked: Asked,
  { via, now }: { via: Device["approvedVia"]; now: number },
): DeviceRecord {
  const token = liveToken(old, asked.role);
  const minted: StoredToken = {
    token: randomToken(),
    role: asked.role,
    scopes: union(token?.scopes ?? [], asked.scopes),
    createdAtMs: now,
  };
  const held = old?.scopes ?? [];
  return {
    ...(old ?? { createdAtMs: now, role: asked.role }),
    deviceId: asked.deviceId,
    publicKey: asked.publicKey,
    displayName: asked.displayName ?? old?.displayName,
    platform: asked.platform ?? old?.platform ?? "",
    deviceFamily: asked.deviceFamily ?? old?.deviceFamily,
    clientId: asked.clientId,
    clientMode: asked.clientMode,
    roles: union(old?.roles ?? [], [asked.role]),
    scopes: asked.role === "operator" && !token ? asked.scopes : union(held, asked.scopes),
    remoteIp: asked.remoteIp ?? old?.remoteIp,
    approvedVia: via,
    approvedAtMs: now,
    lastSeenAtMs: old?.lastSeenAtMs ?? now,
    lastSeenReason: old?.lastSeenReason ?? "pairing",
    tokens: { ...old?.tokens, [asked.role]: minted },
  };
}

/**
 * The record after a setup code let the device in: what it held in these roles is replaced, not added to, so that no
 * token carries more than the code gives. A node may be given an operator's token beside its own.
 */
export function enrolled(
  old: DeviceRecord | undefined,
  asked: Asked,
  { handOff, now }: { handOff: readonly Scope[]; now: number },
): DeviceRecord {
  const given: readonly Role[] = handOff.length > 0 ? [asked.role, "operator"] : [asked.role];
  const kept = (role: Role): StoredToken | undefined => (given.includes(role) ? undefined : old?.tokens[role]);
  const rest = old && { ...old, tokens: { operator: kept("operator"), node: kept("node") } };
  const record = grant(rest, asked, { via: "bootstrap", now });
  if (handOff.length === 0) return record;
  return grant(record, { ...asked, role: "operator", scopes: [...handOff] }, { via: "bootstrap", now });
}

/** The record as others may see it: without the values of its tokens. */
export function shown(record: DeviceRecord): Device {
  const { tokens, lastSeenAtMs, lastSeenReason, ...rest } = record;
  return {
    ...rest,
    lastSeenAtMs: lastSeenAtMs ?? record.approvedAtMs,
    lastSeenReason: lastSeenReason ?? "pairing",
    tokens: [tokens.operator, tokens.node].flatMap((token) => (token ? [withoutValue(token)] : [])),
  };
}

/** The members of a request that decide whether a second one is the same. */
export function sameRequest(a: Asked, b: DeviceRequest): boolean {
  const facts = (request: Asked | DeviceRequest): string =>
    JSON.stringify([
      request.publicKey,
      request.role,
      [...request.scopes].sort(),
      request.platform,
      request.deviceFamily,
      request.clientId,
      request.clientMode,
    ]);
  return facts(a) === facts(b);
}

function union<T>(a: readonly T[], b: readonly T[]): T[] {
  return [...new Set([...a, ...b])];
}

function withoutValue(token: StoredToken): DeviceToken {
  const { role, scopes, createdAtMs, rotatedAtMs, lastUsedAtMs, revokedAtMs } = token;
  return { role, scopes, createdAtMs, rotatedAtMs, lastUsedAtMs, revokedAtMs };
}

function clip(given: string | undefined): string | undefined {
  return given?.trim().slice(0, 200) || undefined;
}
