import { redact } from "./redact.ts";

export const levels = ["trace", "debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export type Fields = Readonly<Record<string, unknown>>;

export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: Level;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Fields;
}

/** Takes records somewhere: the console, the file. Must not throw and must not block. */
export type LogSink = (record: LogRecord) => void;

export interface Logger {
  trace(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  child(subsystem: string): Logger;
}

/** A logger that stamps, redacts and hands each record to every sink. */
export function createLogger(now: () => number, sinks: readonly LogSink[], subsystem = "gateway"): Logger {
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      const record = { time: now(), level, subsystem, message: redact(message), fields };
      for (const sink of sinks) sink(record);
    };
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (name) => createLogger(now, sinks, name),
  };
}

export function atLeast(level: Level, threshold: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(threshold);
}

/**
 * One record as a line that a person can read and `parseLine` can take apart:
 * `2026-11-21T01:52:57.017Z info  gateway listening on ws://127.0.0.1:18789 pid=12345`.
 */
export function formatLine(record: LogRecord): string {
  const fields = Object.entries(record.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${fieldText(key, value)}`)
    .join("");
  const message = record.message.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${new Date(record.time).toISOString()} ${record.level.padEnd(5)} ${record.subsystem} ${message}${fields}`;
}

/** The record a line of `formatLine` came from, its field values as text; undefined for any other line. */
export function parseLine(line: string): LogRecord | undefined {
  const match = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (trace|debug|info|warn|error) +(\S+) (.*)$/s.exec(line);
  if (!match) return undefined;
  const [, time = "", level = "info", subsystem = "", rest = ""] = match;
  const fields: Record<string, unknown> = {};
  let message = rest;
  for (;;) {
    const last = / ([A-Za-z][\w.]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)$/.exec(message);
    if (!last) break;
    const [whole, key = "", value = ""] = last;
    fields[key] = value.startsWith('"') ? unquote(value) : value;
    message = message.slice(0, -whole.length);
  }
  return {
    time: Date.parse(time),
    level: levels.find((known) => known === level) ?? "info",
    subsystem,
    message: message.replace(/\\(n|r|\\)/g, (_, kind: string) => (kind === "n" ? "\n" : kind === "r" ? "\r" : "\\")),
    fields: Object.fromEntries(Object.entries(fields).toReversed()),
  };
}

function fieldText(key: string, value: unknown): string {
  const text = redact(typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined"), key);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text; // a line cut in the middle of a field: shown as it is
  }
}
