import type { Command, Option, OptionTable } from "../commands/command.ts";
import type { CommandTable } from "../commands/command.ts";
import { subcommands } from "./args.ts";
import { clientOptions, globalOptions } from "./options.ts";

/** What can stand on a command line, flat: everything that a script needs to complete it without starting this program. */
export interface Grammar {
  /** What may follow the words of each path; `""` is the program alone. */
  readonly places: readonly GrammarPlace[];
  /** Which options take a value, and which; the first that fits decides, and what fits none is a switch. */
  readonly values: readonly ValueRule[];
}

export interface GrammarPlace {
  /** Such as `gateway install`. */
  readonly path: string;
  readonly words: readonly Described[];
  /** With their dashes. */
  readonly flags: readonly Described[];
  /** The arguments of the command are files. */
  readonly files: boolean;
}

export interface ValueRule {
  /** `gateway --bind`; with the path `*` it holds wherever nothing earlier fits. */
  readonly at: readonly { readonly path: string; readonly flag: string }[];
  /** False for a switch that has the name of an option that takes a value elsewhere. */
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly files: boolean;
}

interface Described {
  readonly name: string;
  readonly description: string;
}

/** Reads the grammar off the declarations of all commands. */
export async function grammarOf(table: CommandTable): Promise<Grammar> {
  const paths = [...new Set(["", ...Object.keys(table).flatMap(withParents)])];
  const loaded = await Promise.all(paths.map(async (path) => ({ path, command: await table[path]?.() })));
  const summary = new Map(loaded.map(({ path, command }) => [path, command?.summary]));
  const places = loaded.map(({ path, command }) => ({
    path,
    words: subcommands(table, path).map((name) => {
      const below = path === "" ? name : `${path} ${name}`;
      return { name, description: summary.get(below) ?? subcommands(table, below).join(", ") };
    }),
    flags: Object.entries({ ...globalOptions, ...command?.options }).map(([name, { description }]) => ({
      name: `--${name}`,
      description,
    })),
    files: command?.positionals?.some(({ name }) => holdsFiles(name)) ?? false,
  }));
  const own = loaded.flatMap(({ path, command }) => rulesOf(path, ownOptions(command)));
  return { places, values: [...grouped(own), ...grouped(rulesOf("*", everywhere).filter((rule) => rule.takesValue))] };
}

/** Read before it is known which command is meant, as `parseArgs` does. */
const everywhere: OptionTable = { ...clientOptions, ...globalOptions };

function withParents(path: string): readonly string[] {
  const words = path.split(" ");
  return words.map((_, index) => words.slice(0, index + 1).join(" "));
}

/** The options of a command that a rule for every place would get wrong, or that take a value at all. */
function ownOptions(command: Command | undefined): OptionTable {
  const entries = Object.entries<Option>(command?.options ?? {});
  return Object.fromEntries(
    entries.filter(([name, option]) =>
      option.value === undefined ? Object.hasOwn(everywhere, name) : option !== everywhere[name],
    ),
  );
}

function rulesOf(path: string, options: OptionTable): readonly ValueRule[] {
  return Object.entries(options).map(([name, { value, choices = [] }]) => ({
    at: [{ path, flag: `--${name}` }],
    takesValue: value !== undefined,
    choices,
    files: value !== undefined && holdsFiles(value.replaceAll(/[<>]/g, "")),
  }));
}

/** Options that take the same values are one rule. */
function grouped(rules: readonly ValueRule[]): readonly ValueRule[] {
  const groups = new Map<string, ValueRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.takesValue, rule.choices, rule.files]);
    const group = groups.get(key);
    groups.set(key, group ? { ...group, at: [...group.at, ...rule.at] } : rule);
  }
  return [...groups.values()];
}

function holdsFiles(name: string): boolean {
  return ["file", "folder", "archive"].includes(name);
}
