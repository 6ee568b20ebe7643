import { allows, type Scope } from "../protocol/scope.ts";
import type { Admission, Admitted } from "./devices.ts";
import { type Asked, type DeviceRecord, liveToken, type StoredToken } from "./record.ts";

export type PendingReason = Extract<Admitted, { outcome: "pending" }>["reason"];

/** What is to be done with a device at connect. `grant` approves what it asks for without a person. */
export type Verdict =
  | { readonly kind: "known"; readonly token: StoredToken }
  | { readonly kind: "grant" }
  | { readonly kind: "ask"; readonly reason: PendingReason };

/** Decides over a device that proved its key (protocol.md 3.5). Pure. */
export function judge(
  record: DeviceRecord | undefined,
  asked: Asked,
  { silent, secret }: Pick<Admission, "silent" | "secret">,
): Verdict {
  const trusted = silent && secret === "proved";
  if (!record || record.publicKey !== asked.publicKey)
    return silent && !record ? { kind: "grant" } : { kind: "ask", reason: "not-paired" };

  const change = platformChange(record, asked);
  if (change === "other") return { kind: "ask", reason: "metadata-upgrade" };

  const token = liveToken(record, asked.role);
  if (!token) {
    // A role that was revoked is never given back silently, and a person's device does not become a node by itself.
    const fresh = record.tokens[asked.role] === undefined;
    return trusted && fresh && asked.role === "operator" ? { kind: "grant" } : { kind: "ask", reason: "role-upgrade" };
  }
  if (!covers(token.scopes, asked.scopes))
    return trusted ? { kind: "grant" } : { kind: "ask", reason: "scope-upgrade" };
  return change === "refined" ? { kind: "grant" } : { kind: "known", token };
}

/** Whether `held` allows every one of `wanted`. */
export function covers(held: Iterable<string>, wanted: readonly Scope[]): boolean {
  const granted = new Set(held);
  return wanted.every((scope) => allows(granted, scope));
}

/**
 * Whether the device says it runs on something else now. A newer version of the same system (`linux` to `linux 6.2`) is
 * a refinement, and so is what was not known before; what is left out now changes nothing.
 */
function platformChange(record: DeviceRecord, asked: Asked): "none" | "refined" | "other" {
  const family = [record.deviceFamily, asked.deviceFamily].map(normal);
  const platform = [record.platform, asked.platform].map(normal);
  if (differ(family) || differ(platform.map(system))) return "other";
  return [family, platform].some(([old, now]) => now !== "" && now !== old) ? "refined" : "none";
}

function differ([old = "", now = ""]: readonly string[]): boolean {
  return old !== "" && now !== "" && old !== now;
}

function normal(text: string | undefined): string {
  return (text ?? "").trim().toLowerCase();
}

/** The system's name without its version, one name for each. */
function system(platform: string): string {
  const name = /^[a-z]*/.exec(platform)?.[0] || platform;
  return aliases[name] ?? name;
}

const aliases: Readonly<Record<string, string>> = { darwin: "macos", win: "windows" };
