import type { Config } from "../config/schema.ts";
import { parseKey } from "./key.ts";
import type { SessionRow } from "./sessions.ts";

export interface FreshnessClock {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How far local time is ahead of UTC at a moment, in minutes. */
  readonly offset: (at: number) => number;
}

/**
 * Whether a session is over, so that the next message begins a new one: a new day began, at the configured hour of
 * local time, since it started, or nobody wrote for the configured time. Heartbeats and what the gateway itself writes
 * keep no session alive: `lastInteractionAt` counts. With nothing configured a day ends at 4 (cli.md 8.5; both the
 * older and the newer documentation of the reference have it so, and the newer counts it from the session's start).
 */
export function isStale(
  row: Pick<SessionRow, "key" | "channel" | "chatType" | "startedAt" | "lastInteractionAt">,
  settings: Config["session"],
  { now, offset }: FreshnessClock,
): boolean {
  const { daily, atHour, idleMinutes } = ruleOf(row, settings);
  if (daily && dayOf(row.startedAt, { atHour, offset }) < dayOf(now, { atHour, offset })) return true;
  return idleMinutes !== undefined && now - (row.lastInteractionAt ?? row.startedAt) >= idleMinutes * 60_000;
}

/** This machine's own zone, as `FreshnessClock.offset`. */
export function hostOffset(at: number): number {
  return -new Date(at).getTimezoneOffset();
}

interface Rule {
  readonly daily: boolean;
  readonly atHour: number;
  readonly idleMinutes: number | undefined;
}

const DAY_BEGINS_AT = 4;
const IDLE_MINUTES = 60;

/** The channel's rule alone, or the one for the type of chat over the general one. */
function ruleOf({ key, channel, chatType }: Parameters<typeof isStale>[0], settings: Config["session"]): Rule {
  const { reset, resetByType, resetByChannel, idleMinutes: legacyIdle } = settings;
  const chat = parseKey(key)?.chat;
  const type = chat?.thread ? "thread" : (chatType ?? chat?.type ?? "direct") === "direct" ? "direct" : "group";
  const network = channel ?? chat?.channel ?? "";
  const own = Object.hasOwn(resetByChannel, network) ? resetByChannel[network] : undefined;
  const byType = resetByType[type] ?? (type === "direct" ? resetByType["dm"] : undefined);
  const rule = own ?? { ...reset, ...byType };
  const configured = [reset, ...Object.values(resetByType), ...Object.values(resetByChannel)];
  // `session.idleMinutes` alone is from before there were days: it means no more than it says.
  const onlyLegacy = legacyIdle !== undefined && configured.every((rule) => Object.keys(rule).length === 0);
  const daily = onlyLegacy ? false : rule.mode !== "idle";
  return {
    daily,
    atHour: rule.atHour ?? DAY_BEGINS_AT,
    idleMinutes: rule.idleMinutes ?? legacyIdle ?? (daily ? undefined : IDLE_MINUTES),
  };
}

/** The number of the local day. Counting days, not looking for the moment one began, holds when clocks are changed. */
function dayOf(at: number, { atHour, offset }: { atHour: number; offset: (at: number) => number }): number {
  return Math.floor((at / 60_000 + offset(at) - atHour * 60) / 1440);
}
