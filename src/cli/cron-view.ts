import { parseDuration } from "../kit/duration.ts";
import { Failure } from "../kit/error.ts";
import { ago, span } from "./format.ts";
import { clean } from "./layout.ts";
import { at, numberAt, stringAt, textAt } from "./pick.ts";

/** The head of the table of jobs. */
export const jobHead = ["ID", "Name", "Schedule", "Next", "Last", "Status", "Target", "Agent"] as const;

/** A job's row in it. */
export function jobCells(job: unknown, now: number): string[] {
  const isOn = at(job, "enabled") === true;
  const next = numberAt(job, "state", "nextRunAtMs");
  const status = stringAt(job, "state", "lastRunStatus") ?? "idle";
  return [
    textAt(job, "id") ?? "-",
    textAt(job, "name") ?? "-",
    scheduleText(at(job, "schedule")),
    isOn && next !== undefined ? ahead(next, now) : "-",
    ago(now, numberAt(job, "state", "lastRunAtMs")),
    isOn ? (numberAt(job, "state", "runningAtMs") === undefined ? status : "running") : "disabled",
    textAt(job, "sessionTarget") ?? "-",
    textAt(job, "agentId") ?? "default",
  ];
}

/** A schedule in a few words, as it is written on the command line. */
export function scheduleText(schedule: unknown): string {
  const kind = stringAt(schedule, "kind");
  if (kind === "at") return `at ${textAt(schedule, "at") ?? "-"}`;
  if (kind === "every") return `every ${span(numberAt(schedule, "everyMs") ?? 0)}`;
  if (kind !== "cron") return clean(kind ?? "-");
  const zone = textAt(schedule, "tz");
  return `cron ${textAt(schedule, "expr") ?? "-"}${zone === undefined ? "" : ` @ ${zone}`}`;
}

/** A moment that is to come, in local time and by how far it is away: `Sat 18:00 (in 3h)`. */
export function ahead(then: number, now: number): string {
  const isNear = then - now < 6 * 86_400_000;
  const day = isNear ? { weekday: "short" as const } : { day: "numeric" as const, month: "short" as const };
  const text = new Intl.DateTimeFormat("en-GB", { ...day, hour: "2-digit", minute: "2-digit" }).format(then);
  const left = span(then - now).split(" ")[0] ?? "";
  return `${text.replace(",", "")} (${then <= now ? "due" : `in ${left}`})`;
}

/** What the options of `cron add` and `cron edit` say of the time; undefined when they say nothing of it. */
export function scheduleOf(
  given: { readonly [K in "at" | "every" | "cron" | "tz"]: string | undefined },
  now: number,
):
  | { kind: "at"; at: string }
  | { kind: "every"; everyMs: number }
  | { kind: "cron"; expr: string; tz?: string }
  | undefined {
  const named = (["at", "every", "cron"] as const).filter((name) => given[name] !== undefined);
  if (named.length > 1) throw new Failure("usage", `--${named.join(" and --")} exclude each other: give one of them`);
  if (given.tz !== undefined && given.cron === undefined)
    throw new Failure("usage", "--tz is the time zone of --cron: a moment of --at can have its own, such as +01:00");
  if (given.at !== undefined) {
    const ms = parseDuration(given.at.replace(/^\+/, ""));
    return { kind: "at", at: ms === undefined ? given.at : new Date(now + ms).toISOString() };
  }
  if (given.every !== undefined) {
    const everyMs = parseDuration(given.every);
    if (everyMs === undefined)
      throw new Failure("usage", `--every is "${given.every}": write a time span such as 10m, 2h or 1d`);
    return { kind: "every", everyMs };
  }
  if (given.cron === undefined) return undefined;
  return { kind: "cron", expr: given.cron, ...(given.tz === undefined ? {} : { tz: given.tz }) };
}
