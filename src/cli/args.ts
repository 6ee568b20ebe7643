import type { Command, GlobalValues, Option, OptionTable } from "../commands/command.ts";
import type { CommandTable } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";
import { clientOptions, globalOptions, shortOptions } from "./options.ts";
import { suggest } from "./suggest.ts";

/** What a command line asks for. */
export interface Invocation {
  /** The words that were understood as a command or a group of commands. */
  readonly path: readonly string[];
  /** Absent when the words name only a group, or there are none. */
  readonly command: Command | undefined;
  readonly options: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly global: GlobalValues;
  readonly args: readonly string[];
}

/**
 * Reads a command line. Which word is a sub-command and which is an option's value depends on the options declared for
 * the command so far, so the command is found first and everything else is read by its own table: its options win over
 * its parent's, and stand before or after its name. Every value stays the text that was typed unless declared a number.
 */
export async function parseArgs(argv: readonly string[], table: CommandTable, program: string): Promise<Invocation> {
  const found = await findCommand(argv, table);
  const path = found.path.join(" ");
  const declared: OptionTable = { ...found.command?.options };
  const known: OptionTable = { ...globalOptions, ...declared };
  const wrong = (message: string, hints: readonly string[] = []) =>
    new Failure("usage", message, { hints: [...hints, `Try: ${[program, path, "--help"].filter(Boolean).join(" ")}`] });

  const values: Record<string, string | number | boolean | undefined> = {};
  const args: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const text = argv[index] ?? "";
    if (found.at.has(index)) continue;
    if (text === "--") {
      args.push(...argv.slice(index + 1));
      break;
    }
    const flag = splitFlag(text);
    if (!flag) {
      args.push(text);
      continue;
    }
    const option = optionOf(known, flag.name);
    if (!option) {
      const near = suggest(flag.name, Object.keys(known));
      throw wrong(`unknown option ${flag.typed}`, near ? [`Did you mean --${near}?`] : []);
    }
    if (option.value === undefined) {
      if (flag.value !== undefined) throw wrong(`${flag.typed} takes no value (given: ${flag.value})`);
      values[flag.name] = true;
      continue;
    }
    const value = flag.value ?? following(argv, index);
    if (flag.value === undefined) index += 1;
    if (value === undefined || value === "") throw wrong(`${flag.typed} needs a value: ${flag.typed} ${option.value}`);
    const earlier = option.repeated ? values[flag.name] : undefined;
    const read = checked(flag.name, option, value, wrong);
    values[flag.name] = earlier === undefined ? read : `${String(earlier)},${read}`;
  }

  const wanted = found.command?.positionals ?? [];
  const asked = values["help"] === true || values["version"] === true;
  const extra = args[found.command ? wanted.length : 0];
  if (extra !== undefined && !asked && !(found.command && wanted.length > 0)) {
    const near = suggest(extra, subcommands(table, path));
    throw wrong(`unknown command ${[path, extra].filter(Boolean).join(" ")}`, near ? [`Did you mean ${near}?`] : []);
  }
  if (extra !== undefined && !asked) throw wrong(`too many arguments for ${path}: ${extra}`);
  const missing = wanted.find((positional, index) => !positional.optional && args[index] === undefined);
  if (missing && !asked) throw wrong(`missing <${missing.name}>: ${missing.description}`);
  return {
    path: found.path,
    command: found.command,
    options: withDefaults(declared, values),
    global: withDefaults(globalOptions, values) as unknown as GlobalValues,
    args,
  };
}

/** The words that may follow these to make a command. */
export function subcommands(table: CommandTable, path: string): readonly string[] {
  const depth = path === "" ? 0 : path.split(" ").length;
  const below = Object.keys(table).filter((key) => path === "" || key.startsWith(`${path} `));
  return [...new Set(below.map((key) => key.split(" ")[depth] ?? ""))];
}

interface Found {
  readonly path: readonly string[];
  /** Where in the arguments its words are. */
  readonly at: ReadonlySet<number>;
  readonly command: Command | undefined;
}

async function findCommand(argv: readonly string[], table: CommandTable): Promise<Found> {
  const path: string[] = [];
  const at = new Set<number>();
  let command: Command | undefined;
  let afterUnknown = false;
  for (let index = 0; index < argv.length; index++) {
    const text = argv[index] ?? "";
    if (text === "--") break;
    const flag = splitFlag(text);
    if (flag) {
      const option = optionOf({ ...clientOptions, ...globalOptions, ...command?.options }, flag.name);
      if (option?.value !== undefined && flag.value === undefined) index += 1;
      afterUnknown = option === undefined;
    } else if (subcommands(table, path.join(" ")).includes(text)) {
      path.push(text);
      at.add(index);
      command = await table[path.join(" ")]?.();
      afterUnknown = false;
    } else if (afterUnknown) {
      afterUnknown = false; // perhaps the value of an option that only a sub-command further on knows
    } else break;
  }
  return { path, at, command };
}

interface Flag {
  readonly typed: string;
  readonly name: string;
  readonly value: string | undefined;
}

/** `--name`, `--name=value`, or a one-letter form; undefined for a word, a negative number or `-`. */
function splitFlag(text: string): Flag | undefined {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(text);
  if (long) return { typed: `--${long[1]}`, name: long[1] ?? "", value: long[2] };
  if (!/^-[^\d-]/.test(text)) return undefined;
  return { typed: text, name: shortOptions[text.slice(1)] ?? text, value: undefined };
}

function optionOf(table: OptionTable, name: string): Option | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The next argument as a value: anything but an option, though a token may begin with one dash. */
function following(argv: readonly string[], index: number): string | undefined {
  const next = argv[index + 1];
  return next?.startsWith("--") ? undefined : next;
}

function checked(
  name: string,
  option: Option,
  text: string,
  wrong: (message: string) => Failure,
): string | number | undefined {
  const said = option.invalid?.replace("{}", () => JSON.stringify(text));
  if (option.choices && !option.choices.includes(text))
    throw wrong(said ?? `Invalid --${name} (use ${alternatives(option.choices)})`);
  if (!option.number) return text;
  const { min, max } = option.number;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw wrong(said ?? `Invalid --${name} ${text} (use a whole number from ${min} to ${max})`);
}

function alternatives(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `"${choice}"`);
  return quoted.length < 3 ? quoted.join(" or ") : `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}`;
}

function withDefaults(
  table: OptionTable,
  given: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string | number | boolean | undefined> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [
      name,
      given[name] ?? (option.value === undefined ? false : option.default),
    ]),
  );
}
