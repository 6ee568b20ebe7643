import { Cron } from "croner";
import { Failure } from "../kit/error.ts";

/** When a job runs: once, at an interval, or by a cron expression of 5 or 6 fields in a time zone. */
export type Schedule =
  | { readonly kind: "at"; readonly at: string }
  | { readonly kind: "every"; readonly everyMs: number; readonly anchorMs?: number | undefined }
  | { readonly kind: "cron"; readonly expr: string; readonly tz?: string | undefined };

/**
 * The first moment after `after` that the schedule names, in ms since 1970; undefined when there is none. A local time
 * that a change of clocks leaves out comes when the clocks have changed; one that it repeats comes once.
 */
export function nextRun(schedule: Schedule, after: number): number | undefined {
  if (schedule.kind === "at") {
    const at = momentOf(schedule.at);
    return at !== undefined && at > after ? at : undefined;
  }
  if (schedule.kind === "every") {
    const { everyMs, anchorMs = 0 } = schedule;
    // Counted from the anchor in both directions: a clock that was set back must not put the job off for as long.
    const since = (((after - anchorMs) % everyMs) + everyMs) % everyMs;
    return after + everyMs - since;
  }
  return expressionOf(schedule).nextRun(new Date(after))?.getTime();
}

/** Throws `invalid-request`, saying which part is wrong and what is allowed, for a schedule that cannot be kept. */
export function checkSchedule(schedule: Schedule): void {
  if (schedule.kind === "at" && momentOf(schedule.at) === undefined)
    throw new Failure("invalid-request", `schedule.at is ${shown(schedule.at)}: ${AT}`);
  if (schedule.kind === "every") {
    const { everyMs } = schedule;
    if (!Number.isSafeInteger(everyMs) || everyMs < LEAST_EVERY_MS || everyMs > MOST_EVERY_MS)
      throw new Failure("invalid-request", `schedule.everyMs is ${everyMs}: write 1000 (1 s) to 31536000000 (a year)`);
  }
  if (schedule.kind === "cron") {
    if (schedule.tz !== undefined) checkZone(schedule.tz);
    if (expressionOf(schedule).nextRun(new Date(0)) === null)
      throw new Failure("invalid-request", `schedule.expr is ${shown(schedule.expr)}, a time that never comes`);
  }
}

/** The moment of an ISO 8601 text; without a zone it is UTC, and without a time the day begins. */
export function momentOf(text: string): number | undefined {
  const [, date, time = "T00:00", zone = "Z"] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(text.trim()) ??
    [];
  if (date === undefined) return undefined;
  const moment = Date.parse(`${date}T${time.replace("T", "")}${zone.toUpperCase()}`);
  return Number.isNaN(moment) ? undefined : moment;
}

/** Throws `invalid-request` for what is no time zone that this system knows. */
export function checkZone(tz: string): void {
  try {
    Intl.DateTimeFormat("en", { timeZone: tz });
  } catch {
    // Its own words depend on the runtime.
    throw new Failure("invalid-request", `${shown(tz)} is no time zone: write one such as Europe/Vienna or UTC`);
  }
}

const LEAST_EVERY_MS = 1000;
const MOST_EVERY_MS = 365 * 86_400_000;
const AT = "write a time such as 2026-12-24T18:00:00Z; without a zone it is UTC";

function expressionOf({ expr, tz }: Extract<Schedule, { kind: "cron" }>): Cron {
  const fields = expr.trim().split(/\s+/);
  const isNickname = /^@(yearly|annually|monthly|weekly|daily|hourly)$/i.test(expr.trim());
  if (!isNickname && fields.length !== 5 && fields.length !== 6)
    throw new Failure(
      "invalid-request",
      `schedule.expr is ${shown(expr)}, which has ${fields.length} field${fields.length === 1 ? "" : "s"}: write 5 (minute hour day month weekday), or 6 with seconds first`,
    );
  try {
    return new Cron(expr.trim(), { paused: true, ...(tz === undefined ? {} : { timezone: tz }) });
  } catch (error) {
    const why = String(error instanceof Error ? error.message : error).replace(/^CronPattern: /, "");
    throw new Failure(
      "invalid-request",
      `schedule.expr is ${shown(expr)}: ${why}. Allowed are minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7`,
    );
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
