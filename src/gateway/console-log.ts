import type { Host } from "../host/host.ts";
import { atLeast, type Level, type LogRecord, type LogSink } from "../kit/log.ts";
import { redact } from "../kit/redact.ts";

export type ConsoleStyle = "pretty" | "compact" | "json";

/** The least level that is let through, if any. */
export type Threshold = Level | "silent";

export interface ConsoleOptions {
  readonly style: ConsoleStyle;
  readonly level: Threshold;
  /** Shows only subsystems whose name contains this. */
  readonly only?: string | undefined;
}

/** A sink that prints to the terminal in one of three styles (cli.md 7.3): info and below to stdout, the rest to stderr. */
export function consoleLog({ terminal }: Pick<Host, "terminal">, options: ConsoleOptions): LogSink {
  return (record) => {
    if (!passes(record.level, options.level)) return;
    if (options.only !== undefined && !record.subsystem.includes(options.only)) return;
    const output = atLeast(record.level, "warn") ? terminal.stderr : terminal.stdout;
    output.write(`${formatters[options.style](record)}\n`);
  };
}

export function passes(level: Level, threshold: Threshold): boolean {
  return threshold !== "silent" && atLeast(level, threshold);
}

const formatters: Readonly<Record<ConsoleStyle, (record: LogRecord) => string>> = {
  pretty: (record) => human(record, localTime(record.time)),
  compact: (record) => human(record, new Date(record.time).toISOString()),
  json: ({ time, level, subsystem, message, fields }) =>
    JSON.stringify({
      ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(key, value)])),
      time: new Date(time).toISOString(),
      level,
      subsystem,
      message: message.replace(/^✓ /, ""),
    }),
};

/** What a person waits for at the start stands alone; the stream of events after it has time and source. */
function human({ subsystem, message, fields, level }: LogRecord, time: string): string {
  const text = printable(message);
  if (level === "info" && /^(?:✓|force:) /.test(message)) return text;
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${printable(String(plain(key, value)))}`);
  return `${time} [${shortName(subsystem)}] ${text}${pairs.join("")}`;
}

function localTime(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** `gateway/` and `channels/` say nothing new; of the rest the last two parts are enough. */
function shortName(subsystem: string): string {
  const parts = subsystem.split("/");
  if (parts.length > 1 && ["gateway", "channels"].includes(parts[0] ?? "")) parts.shift();
  return parts.slice(-2).join("/");
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return redact(typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined"), key);
}

/** Text from outside must neither start a line of its own nor steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === "\n" ? "\\n" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
