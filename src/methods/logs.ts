import * as v from "valibot";
import type { App } from "../app.ts";
import { filesOf, type Files } from "../host/host.ts";
import { parseLine } from "../kit/log.ts";
import { redact } from "../kit/redact.ts";
import { method } from "./method.ts";

const within = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

export const logMethods = [
  method({
    name: "logs.tail",
    scope: "operator.read",
    summary: "The end of the log file, or what was added after `cursor`.",
    params: () =>
      v.object({
        cursor: v.pipe(
          v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
          v.description("`cursor` of the answer before; without it, the end of the file."),
        ),
        limit: v.pipe(v.optional(within(1, 5000), 500), v.description("How many lines at most.")),
        maxBytes: v.pipe(v.optional(within(1, 1_000_000), 250_000), v.description("How much of the file at most.")),
        sinceMs: v.pipe(
          v.optional(v.pipe(v.number(), v.minValue(0))),
          v.description("Only lines of the last so many milliseconds."),
        ),
      }),
    result: () =>
      v.object({
        file: v.string(),
        cursor: v.number(),
        size: v.number(),
        lines: v.pipe(v.array(v.string()), v.description("JSON records; a line of another program as it is.")),
        truncated: v.pipe(
          v.boolean(),
          v.description("There was more than was asked for; the older lines are left out."),
        ),
        reset: v.pipe(v.boolean(), v.description("The file began anew since `cursor`.")),
      }),
    async run({ app, params }) {
      const { file = app.paths.log } = app.config.current().value.logging;
      const { text, ...tail } = await readTail(filesOf(app.host), file, params);
      const since = params.sinceMs === undefined ? undefined : app.clock.now() - params.sinceMs;
      const lines = text.split("\n").filter((line) => line !== "" && isSince(line, since));
      const shown = lines.slice(-params.limit);
      return {
        file,
        cursor: tail.cursor,
        size: tail.size,
        lines: shown.map((line) => jsonLine(app.host, line)),
        truncated: tail.truncated || shown.length < lines.length,
        reset: tail.reset,
      };
    },
  }),
] as const;

interface Tail {
  /** Whole lines only. */
  readonly text: string;
  readonly cursor: number;
  readonly size: number;
  readonly truncated: boolean;
  readonly reset: boolean;
}

/** Reads whole lines from `cursor`, or as many of the last `maxBytes` as there are, and never the whole file. */
async function readTail(
  files: Files,
  path: string,
  { cursor, maxBytes }: { cursor?: number | undefined; maxBytes: number },
): Promise<Tail> {
  const size = (await files.stat(path))?.size ?? 0;
  const reset = cursor !== undefined && cursor > size;
  const wanted = cursor === undefined || reset ? 0 : cursor;
  const start = Math.max(wanted, size - maxBytes);
  // One byte more shows whether `start` is where a line starts.
  const from = Math.max(0, start - 1);
  const bytes = size > from ? await files.readRange(path, from, size) : new Uint8Array();
  const first = start === 0 ? 0 : bytes.indexOf(newline) + 1;
  const end = bytes.lastIndexOf(newline) + 1;
  // A line that is still being written is left for the next time, unless it alone is more than fits.
  const whole = end > 0 && (first > 0 || start === 0);
  const truncated = start > wanted;
  if (!whole) return { text: "", cursor: bytes.length > maxBytes ? size : start, size, truncated, reset };
  return { text: new TextDecoder().decode(bytes.subarray(first, end)), cursor: from + end, size, truncated, reset };
}

const newline = 10;

/** A line of another program has no time that we know of, and stays. */
function isSince(line: string, since: number | undefined): boolean {
  if (since === undefined) return true;
  const time = parseLine(line)?.time;
  return time === undefined || time >= since;
}

const levelIds = { trace: 1, debug: 2, info: 3, warn: 4, error: 5 } as const;

/** A line of our log in the shape that existing clients take apart (cli.md 7.1): subsystem, text and `_meta`. */
function jsonLine(host: App["host"], line: string): string {
  const record = parseLine(line);
  if (!record) return redact(line);
  const fields = Object.entries(record.fields).map(([key, value]) => ` ${key}=${redact(String(value), key)}`);
  const message = redact(record.message) + fields.join("");
  const name = JSON.stringify({ subsystem: record.subsystem });
  const date = new Date(record.time).toISOString();
  const [runtime = "", runtimeVersion = ""] = host.runtimeVersion.split(" ");
  const meta = {
    runtime,
    runtimeVersion,
    hostname: host.hostname,
    name,
    date,
    logLevelId: levelIds[record.level],
    logLevelName: record.level.toUpperCase(),
  };
  return JSON.stringify({ 0: name, 1: message, _meta: meta, time: date, hostname: host.hostname, message });
}
