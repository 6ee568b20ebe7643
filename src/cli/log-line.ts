import { isObject, parseJson } from "../kit/json.ts";
import { levels, parseLine, type Level } from "../kit/log.ts";
import { stringAt } from "./pick.ts";
import { clean } from "./layout.ts";
import type { Style } from "./output.ts";

/** A line of a log, taken apart. */
export interface LogLine {
  /** ISO 8601. */
  readonly time: string;
  readonly level: Level;
  readonly subsystem?: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The parts of a line of our own log, or of the JSON lines that an OpenClaw gateway writes; undefined for any other. */
export function logLine(raw: string): LogLine | undefined {
  const own = parseLine(raw);
  if (!own) return jsonLine(parseJson(raw));
  const { time, level, subsystem, message, fields } = own;
  return {
    time: new Date(time).toISOString(),
    level,
    subsystem,
    message,
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
  };
}

/** A line for a person: the level in colour, control characters made harmless. */
export function showLine(parsed: LogLine | undefined, raw: string, style: Style): string {
  if (!parsed) return clean(raw);
  const { time, level, subsystem, message, fields = {} } = parsed;
  const paint = { trace: style.dim, debug: style.dim, info: style.green, warn: style.yellow, error: style.red }[level];
  const rest = Object.entries(fields).map(([key, value]) => style.dim(clean(`${key}=${String(value)}`)));
  const parts = [style.dim(time), paint(level.padEnd(5)), subsystem === undefined ? "" : style.cyan(clean(subsystem))];
  return [...parts, clean(message), ...rest].filter((part) => part !== "").join(" ");
}

/** `{"0":"{\"subsystem\":…}","1":"text","_meta":{"logLevelName":"INFO"},"time":…}` (cli.md 7.1). */
function jsonLine(value: unknown): LogLine | undefined {
  const time = stringAt(value, "time");
  if (!isObject(value) || time === undefined) return undefined;
  const name = (stringAt(value, "_meta", "logLevelName") ?? stringAt(value, "level") ?? "info").toLowerCase();
  const subsystem = stringAt(parseJson(stringAt(value, "0") ?? ""), "subsystem") ?? stringAt(value, "subsystem");
  const message = stringAt(value, "message") ?? stringAt(value, "1") ?? stringAt(value, "0") ?? "";
  const level = levels.find((known) => known === name) ?? "info";
  return { time, level, ...(subsystem === undefined ? {} : { subsystem }), message };
}
