import type { Caller } from "../protocol/caller.ts";
import { allows, type Role, type Scope } from "../protocol/scope.ts";
import { type DeviceRecord, liveToken } from "./record.ts";

/** Whether the caller may change what the device holds in this role: nobody touches one that holds more than he does. */
export function mayTouch(caller: Caller, record: DeviceRecord, role: Role): boolean {
  return requiredScopes(record, role).every((scope) => allows(caller.scopes, scope));
}

/** The scopes that changing a device's role takes; a role other than operator is an administrator's to give. */
export function requiredScopes(record: DeviceRecord, role: Role): readonly Scope[] {
  const held = liveToken(record, role)?.scopes ?? [];
  return role === "operator" ? ["operator.pairing", ...held] : ["operator.admin"];
}
