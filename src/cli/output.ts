import type { Host, Output as Stream } from "../host/host.ts";
import { createSpinner } from "./spinner.ts";

/** Where a command writes. Results go to stdout; what is said about them (problems, progress) to stderr. */
export interface Output {
  /** With `--json`, stdout carries JSON and nothing else. */
  readonly json: boolean;
  /** Columns of the terminal, 80 when there is none. */
  readonly columns: number;
  readonly style: Style;
  /** The same for stderr, which may be a file when stdout is not, and the other way round. */
  readonly errorStyle: Style;
  /** A line for a person on stdout; nothing with `--json`. */
  print(text?: string): void;
  /** A value as JSON on stdout: indented, or on one line for a stream of records. */
  data(value: unknown, options?: { line?: boolean }): void;
  /** Text for stdout exactly as it is, whatever the mode: `--version`, a configuration value. */
  raw(text: string): void;
  /** A line on stderr; with `once`, unless it was there already. */
  warn(text: string, options?: { once?: boolean }): void;
  /** Runs `work`; when it takes over a second and a person is watching, says so on stderr meanwhile. */
  progress<T>(label: string, work: Promise<T>): Promise<T>;
}

/** Text in colour where colour is wanted, and as it is elsewhere. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** An output on the host's terminal. */
export function createOutput(host: Host, options: { json: boolean; noColor: boolean }): Output {
  const { stdout, stderr } = host.terminal;
  const saidOnce = new Set<string>();
  return {
    json: options.json,
    columns: stdout.isTerminal && stdout.columns > 0 ? stdout.columns : 80,
    style: styleOf(wantsColour(host, options, stdout)),
    errorStyle: styleOf(wantsColour(host, options, stderr)),
    print: (text = "") => {
      if (!options.json) stdout.write(`${text}\n`);
    },
    data: (value, { line = false } = {}) => stdout.write(`${toJson(value, line ? 0 : 2)}\n`),
    raw: (text) => stdout.write(text),
    warn: (text, { once = false } = {}) => {
      if (once && saidOnce.has(text)) return;
      if (once) saidOnce.add(text);
      stderr.write(`${text}\n`);
    },
    progress: (label, work) => withSpinner(host, label, work),
  };
}

/**
 * JSON text that is safe to look at on a terminal: JSON itself leaves DEL, the C1 controls and the marks that turn the
 * direction of writing as they are; here they are escaped, which changes nothing for a parser.
 */
export function toJson(value: unknown, indent: number): string {
  const text = JSON.stringify(value, null, indent) ?? "null";
  return text.replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `--json` and `--no-color` first, then https://no-color.org, then https://force-color.org, then the terminal. */
function wantsColour({ env }: Host, options: { json: boolean; noColor: boolean }, stream: Stream): boolean {
  if (options.json || options.noColor || env["NO_COLOR"]) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return stream.isTerminal && env["TERM"] !== "dumb";
}

function styleOf(colour: boolean): Style {
  const sgr = (open: number, close: number) => (text: string) =>
    colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
  };
}

async function withSpinner<T>(host: Host, label: string, work: Promise<T>): Promise<T> {
  const spinner = createSpinner(host, label);
  try {
    return await work;
  } finally {
    spinner.stop();
  }
}
