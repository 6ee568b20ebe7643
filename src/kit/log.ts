import { isSecretKey, redact } from "./redact.ts";

export const levels = ["trace", "debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export type Fields = Readonly<Record<string, unknown>>;

export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: Level;
  readonly subsystem: string;
  /** Without secrets, at most 8,192 characters. */
  readonly message: string;
  /** Texts, numbers, booleans and null, without secrets; anything else has become its JSON text. */
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

const maxMessage = 8192;
const maxField = 2048;

/** A logger that stamps, redacts and hands each record to every sink. */
export function createLogger(now: () => number, sinks: readonly LogSink[], subsystem = "gateway"): Logger {
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}): void => {
      const record = {
        time: now(),
        level,
        subsystem,
        message: cut(redact(message), maxMessage),
        fields: plain(fields),
      };
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
 * `2026-11-21T01:52:57.017Z info  gateway listening on ws://127.0.0.1:18789 pid=12345`. A message or value that could be
 * taken for anything else is quoted as JSON, so that no text from outside starts a line or makes up a field.
 */
export function formatLine(record: LogRecord): string {
  const { time, level, subsystem, message } = record;
  const fields = Object.entries(record.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${fieldName(key)}=${fieldText(value)}`)
    .join("");
  const text = isPlainMessage(message) ? message : quote(message);
  return `${new Date(time).toISOString()} ${level.padEnd(5)} ${subsystem.replace(/[^\w./:@-]/g, "_")} ${text}${fields}`;
}

/** The record a line of `formatLine` came from, its field values as text; undefined for any other line. */
export function parseLine(line: string): LogRecord | undefined {
  const match = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (trace|debug|info|warn|error) +(\S+) (.*)$/s.exec(line);
  if (!match) return undefined;
  const [, time = "", level, subsystem = "", rest = ""] = match;
  const message = quoted.exec(rest)?.[0] ?? rest.slice(0, fieldStart.exec(rest)?.index);
  return {
    time: Date.parse(time),
    level: levels.find((known) => known === level) ?? "info",
    subsystem,
    message: unquote(message),
    fields: parseFields(rest.slice(message.length)),
  };
}

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const quoted = /^"(?:[^"\\]|\\.)*"/;
const fieldStart = / [A-Za-z_][\w.]*=/;

/** What a sink can print without asking what it is: nothing that throws in JSON, no secret, no endless text. */
function plain(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, plainValue(key, value)]),
  );
}

function plainValue(key: string, value: unknown): unknown {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  return cut(redact(textOf(value), key), maxField);
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message || value.name;
  try {
    const masked = (key: string, inner: unknown) =>
      typeof inner === "string" && isSecretKey(key) ? redact(inner, key) : inner;
    return JSON.stringify(value, masked) ?? String(value);
  } catch {
    return String(value); // a cycle or a bigint: logging must not fail over what it is given
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function isPlainMessage(text: string): boolean {
  return text !== "" && !text.startsWith('"') && !invisible.test(text) && !fieldStart.test(` ${text}`);
}

function fieldName(key: string): string {
  const name = key.replace(/[^\w.]/g, "_");
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`;
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : String(value);
  return /^[^\s"=]+$/.test(text) && !invisible.test(text) ? text : quote(text);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(new RegExp(invisible, "gu"), (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

function parseFields(text: string): Fields {
  const field = / ([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^\s"=]*)/gy;
  return Object.fromEntries([...text.matchAll(field)].map(([, key = "", value = ""]) => [key, unquote(value)]));
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text; // a line of another program, or one cut in the middle: shown as it is
  }
}
