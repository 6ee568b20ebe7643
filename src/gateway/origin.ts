import { isLoopback, isPrivate, normaliseAddress, type Locality } from "./locality.ts";

export interface OriginRules {
  /** `gateway.controlUi.allowedOrigins` and `gateway.publicOrigin`. */
  readonly allowed: readonly string[];
  /** Names of this machine, such as its host name. */
  readonly names: readonly string[];
}

export type OriginVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Whether a page of this Origin may talk to us (protocol.md 4.5, threat B): a listed one; the one this very server is
 * reached under, when that is an address or name that only this network can hold; any loopback one from this machine.
 */
export function checkOrigin(
  origin: string | undefined,
  host: string,
  from: Locality,
  rules: OriginRules,
): OriginVerdict {
  const url = parse(origin);
  if (!url) return { ok: false, reason: "origin missing or invalid" };
  if (rules.allowed.some((allowed) => parse(allowed)?.origin === url.origin)) return { ok: true };
  const name = hostName(url.hostname);
  if (from.local && isLoopbackName(name)) return { ok: true };
  const same = url.host === host.toLowerCase();
  return same && isOwnName(name, rules) ? { ok: true } : { ok: false, reason: "origin not allowed" };
}

/**
 * Whether the Host header names this machine: the guard against DNS rebinding, where a stranger's name is made to point
 * here. Asked of loopback peers only: further away, anybody may call this machine by any name of theirs.
 */
export function checkHost(host: string | undefined, from: Locality, rules: OriginRules): boolean {
  if (!from.local) return true;
  const url = parse(`http://${host ?? ""}`);
  if (!url) return false;
  const name = hostName(url.hostname);
  return isOwnName(name, rules) || rules.allowed.some((allowed) => parse(allowed)?.hostname === url.hostname);
}

function parse(text: string | undefined): URL | undefined {
  if (!text || text === "null" || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return (url.protocol === "http:" || url.protocol === "https:") && !url.username && !url.password ? url : undefined;
}

function hostName(hostname: string): string {
  return hostname.startsWith("[") ? normaliseAddress(hostname) : hostname.toLowerCase();
}

function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || isLoopback(name);
}

function isOwnName(name: string, rules: OriginRules): boolean {
  if (isLoopbackName(name) || isPrivate(name)) return true;
  return rules.names.some((own) => own !== "" && (name === own.toLowerCase() || name === `${own.toLowerCase()}.local`));
}
