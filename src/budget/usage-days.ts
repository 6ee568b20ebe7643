import { Failure } from "../kit/error.ts";
import { dayOf, startOfDay } from "./sums.ts";

/** The calendar by which usage is told. */
export interface Days {
  /** `2026-11-21`. */
  dayOf(ts: number): string;
  /** When a day begins; milliseconds since 1970. */
  startOf(day: string): number;
}

export interface Zone {
  /** The gateway's when absent. */
  readonly mode?: "utc" | "gateway" | "specific" | undefined;
  /** Such as `Europe/Vienna`, for the mode `specific`. */
  readonly timeZone?: string | undefined;
  /** Such as `UTC+5:30`; older clients send it in place of `timeZone`. */
  readonly utcOffset?: string | undefined;
}

/** The calendar of a time zone. Throws `invalid-request` for one that is not known. */
export function daysOf({ mode, timeZone, utcOffset }: Zone): Days {
  if (mode === "utc") return shifted(0);
  if (mode !== "specific" || (timeZone === undefined && utcOffset === undefined))
    return { dayOf, startOf: (day) => startOfDay(Date.parse(`${checked(day)}T12:00:00`)) };
  if (timeZone === undefined) return shifted(offsetMs(utcOffset ?? ""));
  const format = formatOf(timeZone);
  const day = (ts: number): string => format.format(ts);
  return {
    dayOf: day,
    // Days begin within 14 hours around UTC's, on a quarter hour, whatever the season does to the clocks.
    startOf(date) {
      const first = Date.parse(`${checked(date)}T00:00:00Z`) - 15 * HOUR_MS;
      for (let ts = first; ts < first + 30 * HOUR_MS; ts += HOUR_MS / 4) if (day(ts) >= date) return ts;
      return first;
    },
  };
}

/** The days from one to another, both included, `most` at most, the newest. */
export function daysBetween(first: string, last: string, most: number): readonly string[] {
  const days: string[] = [];
  for (let ts = Date.parse(`${checked(last)}T00:00:00Z`); days.length < most; ts -= 24 * HOUR_MS) {
    const day = new Date(ts).toISOString().slice(0, 10);
    if (day < checked(first)) break;
    days.push(day);
  }
  return days.toReversed();
}

/** The day that lies so many days after this one; before it when negative. */
export function dayAfter(day: string, count: number): string {
  return new Date(Date.parse(`${checked(day)}T00:00:00Z`) + count * 24 * HOUR_MS).toISOString().slice(0, 10);
}

const HOUR_MS = 3_600_000;

function shifted(offset: number): Days {
  return {
    dayOf: (ts) => new Date(ts + offset).toISOString().slice(0, 10),
    startOf: (day) => Date.parse(`${checked(day)}T00:00:00Z`) - offset,
  };
}

function offsetMs(text: string): number {
  const [, sign = "+", hours = "0", minutes = "0"] = /^UTC([+-])(\d{1,2})(?::([0-5]\d))?$/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * 60_000);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    // Sweden writes dates as ISO 8601 does.
    return new Intl.DateTimeFormat("sv-SE", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  } catch {
    const shown = JSON.stringify(timeZone.slice(0, 60)); // the runtime's own error does not say which value it was
    throw new Failure("invalid-request", `${shown} is no time zone: use a name such as Europe/Vienna`);
  }
}

function checked(day: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`))) return day;
  throw new Failure("invalid-request", `${JSON.stringify(day.slice(0, 20))} is no day: write it as 2026-11-21`);
}
