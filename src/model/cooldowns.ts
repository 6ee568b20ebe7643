import type { FailureKind } from "../providers/provider-failure.ts";

/** How a credential has fared, as `auth-profiles.json` keeps it (cli.md 8.16). Times are milliseconds since 1970. */
export interface UsageStats {
  readonly lastUsed?: number | undefined;
  readonly cooldownUntil?: number | undefined;
  readonly disabledUntil?: number | undefined;
  readonly disabledReason?: string | undefined;
  readonly errorCount?: number | undefined;
  readonly failureCounts?: Readonly<Record<string, number>> | undefined;
  readonly lastFailureAt?: number | undefined;
}

/** The `auth.cooldowns` section. */
export interface CooldownSettings {
  readonly billingBackoffHours: number;
  readonly billingMaxHours: number;
  readonly failureWindowHours: number;
}

export interface Rest {
  readonly why: "cooldown" | "billing" | "auth-failed";
  readonly until: number;
}

/** Until when a credential is put aside, and why; undefined when it may be used. */
export function restOf(
  { cooldownUntil = 0, disabledUntil = 0, disabledReason }: UsageStats,
  now: number,
): Rest | undefined {
  const rest: Rest =
    disabledUntil >= cooldownUntil
      ? { why: disabledReason === "billing" ? "billing" : "auth-failed", until: disabledUntil }
      : { why: "cooldown", until: cooldownUntil };
  // What lies further ahead than any rest was written by a clock that has been set back since.
  return rest.until > now && rest.until <= now + LONGEST_MS ? rest : undefined;
}

export interface FailedTry {
  readonly kind: FailureKind;
  readonly now: number;
  readonly retryAfterMs?: number | undefined;
  readonly settings: CooldownSettings;
}

/** Whether a failure is the credential's: a broken line or a wrong request is not. */
export function restsAfter(kind: FailureKind): boolean {
  return ladders[kind] !== undefined;
}

/**
 * What becomes of a credential that failed; nothing when the failure says nothing about it. It rests for 1, 5, 25 and
 * then 60 minutes, longer when it was refused, and for hours when there is no credit. What the provider says about when
 * to come back goes before. A second failure during a rest belongs to the first: a run that tries three times in a minute
 * has met one outage.
 */
export function afterFailure(stats: UsageStats, { kind, now, retryAfterMs, settings }: FailedTry): UsageStats {
  const ladder = ladders[kind];
  if (ladder === undefined) return stats;
  const told = retryAfterMs === undefined ? undefined : now + Math.min(Math.max(retryAfterMs, SECOND_MS), DAY_MS);
  const rest = restOf(stats, now);
  if (rest !== undefined && (rest.why === "cooldown") === (ladder === "cooldown"))
    return told !== undefined && told > rest.until && rest.why === "cooldown"
      ? { ...stats, cooldownUntil: told }
      : stats;

  const forgotten = now - (stats.lastFailureAt ?? now) > settings.failureWindowHours * HOUR_MS;
  const counts = forgotten ? {} : (stats.failureCounts ?? {});
  const count = (counts[kind] ?? 0) + 1;
  const errorCount = (forgotten ? 0 : (stats.errorCount ?? 0)) + 1;
  const counted = { ...stats, errorCount, failureCounts: { ...counts, [kind]: count }, lastFailureAt: now };
  if (ladder === "cooldown")
    return { ...counted, cooldownUntil: told ?? now + step(COOLDOWN_MINUTES, errorCount) * MINUTE_MS };
  const ms = ladder === "auth" ? step(REFUSED_MINUTES, count) * MINUTE_MS : billingMs(count, settings);
  return { ...counted, disabledUntil: now + ms, disabledReason: ladder };
}

/** What becomes of a credential that worked: nothing is held against it any more. */
export function afterSuccess(now: number): UsageStats {
  return { lastUsed: now, errorCount: 0 };
}

/** Whether there is anything for a success to forget. */
export function isMarked({ errorCount = 0, cooldownUntil, disabledUntil }: UsageStats): boolean {
  return errorCount > 0 || cooldownUntil !== undefined || disabledUntil !== undefined;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The longest rest that is given, whatever the settings say. */
const LONGEST_MS = 31 * DAY_MS;
const COOLDOWN_MINUTES = [1, 5, 25, 60] as const;
const REFUSED_MINUTES = [25, 60, 240] as const;

/** How a credential rests after the failures that are its own. */
const ladders: Partial<Record<FailureKind, "cooldown" | "auth" | "billing">> = {
  rate_limit: "cooldown",
  overloaded: "cooldown",
  auth: "auth",
  billing: "billing",
};

function step(ladder: readonly number[], count: number): number {
  return ladder[Math.min(count, ladder.length) - 1] ?? 0;
}

function billingMs(count: number, { billingBackoffHours, billingMaxHours }: CooldownSettings): number {
  return Math.min(Math.min(billingBackoffHours * 2 ** (count - 1), billingMaxHours) * HOUR_MS, LONGEST_MS);
}
