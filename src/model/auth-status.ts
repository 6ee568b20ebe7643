import type { CredentialStatus, ProviderStatus } from "./accounts.ts";

/** Whether a provider's models can be asked now; else why not, and until when. */
export interface Availability {
  readonly available: boolean;
  readonly unavailableReason?: "missing-auth" | "auth-failed" | "cooldown";
  /** Milliseconds since 1970. */
  readonly unavailableUntil?: number;
}

export function availabilityOf({ credentials }: Pick<ProviderStatus, "credentials">): Availability {
  if (credentials.some(({ state }) => state === "ready")) return { available: true };
  const rests = credentials.flatMap(({ state, until }) =>
    until !== undefined && (state === "cooldown" || state === "billing") ? [until] : [],
  );
  if (rests.length > 0)
    return { available: false, unavailableReason: "cooldown", unavailableUntil: Math.min(...rests) };
  return { available: false, unavailableReason: credentials.length === 0 ? "missing-auth" : "auth-failed" };
}

/** A provider as `models.authStatus` tells of it (protocol.md 6). */
export function authRow({ provider, label, credentials }: ProviderStatus, now: number) {
  const key = credentials.find(({ source }) => source === "config" || source === "env");
  const ending = credentials.map((each) => authStateOf(each, now).expiry).find((each) => each !== undefined);
  return {
    provider,
    authProvider: provider,
    displayName: label,
    status: bestAuthState(credentials, now),
    ...(ending ? { expiry: ending } : {}),
    profiles: credentials.filter(({ source }) => source === "profile").map((each) => profileRow(each, now)),
    ...(key ? { apiKey: keyRow(key) } : {}),
  };
}

function profileRow(credential: CredentialStatus, now: number) {
  const { profileId, type, state, until, lastUsed } = credential;
  const { state: status, expiry: ending } = authStateOf(credential, now);
  return {
    profileId,
    type,
    status,
    ...(ending ? { expiry: ending } : {}),
    logoutSupported: true,
    ...(lastUsed === undefined ? {} : { lastUsedAt: lastUsed }),
    ...(state === "cooldown" ? { cooldownUntil: until } : {}),
    ...(state === "billing" ? { disabledUntil: until, disabledReason: "billing" as const } : {}),
    ...(state === "auth-failed" ? { disabledUntil: until, disabledReason: "auth" as const } : {}),
  };
}

function keyRow({ source, profileId }: CredentialStatus) {
  return source === "env" ? { source, envVar: profileId.replace(/^env:/, "") } : { source: "config" as const };
}

type AuthState = "ok" | "expiring" | "expired" | "missing" | "static";

interface AuthExpiry {
  readonly at: number;
  readonly remainingMs: number;
  /** Such as `2h`. */
  readonly label: string;
}

/** How a credential stands in time: `static` for one that does not end by itself. */
function authStateOf({ expires }: CredentialStatus, now: number): { state: AuthState; expiry?: AuthExpiry } {
  if (expires === undefined) return { state: "static" };
  const remainingMs = expires - now;
  const state = remainingMs <= 0 ? "expired" : remainingMs < DAY_MS ? "expiring" : "ok";
  return { state, expiry: { at: expires, remainingMs, label: shortly(remainingMs) } };
}

/** How a provider stands: as its best credential. */
function bestAuthState(credentials: readonly CredentialStatus[], now: number): AuthState {
  const states = credentials.map((credential) => authStateOf(credential, now).state);
  return (["ok", "static", "expiring", "expired"] as const).find((state) => states.includes(state)) ?? "missing";
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function shortly(ms: number): string {
  if (ms <= 0) return "expired";
  if (ms < HOUR_MS) return `${Math.ceil(ms / MINUTE_MS)}m`;
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)}h` : `${Math.floor(ms / DAY_MS)}d`;
}
