import type { Command, Option, OptionTable } from "../commands/command.ts";
import type { CommandTable } from "../commands/command.ts";
import { subcommands } from "./args.ts";
import { guides } from "./guides.ts";
import { columns, wrap } from "./layout.ts";
import { globalOptions } from "./options.ts";
import type { Style } from "./output.ts";

export interface HelpOptions {
  readonly program: string;
  readonly columns: number;
  readonly style: Style;
}

/** The help of a command, of a group of commands, or, for no words, of the program. */
export async function helpText(
  table: CommandTable,
  path: readonly string[],
  { program, columns: limit, style }: HelpOptions,
): Promise<string> {
  const words = path.join(" ");
  const command = await table[words]?.();
  const below = await summaries(table, words);
  const name = [program, ...path].join(" ");
  const sections = [
    command?.summary ?? "",
    [`${style.bold("Usage:")} ${usage(name, command, below.length > 0)}`],
    list("Commands:", below, limit, style),
    list("Arguments:", command?.positionals?.map((each) => [`<${each.name}>`, each.description]) ?? [], limit, style),
    list("Options:", optionRows(command?.options ?? {}), limit, style),
    list("Global options:", optionRows(withoutOwn(globalOptions, command)), limit, style),
    list(
      "Examples:",
      command?.examples?.map((each) => [`${program} ${each.command}`, each.description]) ?? [],
      limit,
      style,
    ),
    list("Guides:", command?.guides?.map((name) => [`docs/guides/${name}.md`, guides[name]]) ?? [], limit, style),
  ];
  return sections
    .flat()
    .filter((section) => section !== "")
    .join("\n\n");
}

/** How to call a command, a line for each way. */
export function usage(name: string, command: Command | undefined, group: boolean): string {
  const positionals = (command?.positionals ?? []).map((each) => (each.optional ? `[${each.name}]` : `<${each.name}>`));
  const own = command && Object.keys(command.options).length > 0 ? ["[options]"] : [];
  const direct = command ? [name, ...positionals, ...own].join(" ") : "";
  const grouped = group ? `${name} <command> [options]` : "";
  return [direct, grouped].filter(Boolean).join("\n       ");
}

/** A group is described by what it holds; only a command has a summary of its own. */
async function summaries(table: CommandTable, path: string): Promise<readonly (readonly string[])[]> {
  return Promise.all(
    subcommands(table, path).map(async (word) => {
      const words = path === "" ? word : `${path} ${word}`;
      const command = await table[words]?.();
      return [word, command?.summary ?? subcommands(table, words).join(", ")];
    }),
  );
}

function optionRows(table: OptionTable): readonly (readonly string[])[] {
  return Object.entries(table).map(([name, option]) => [
    `--${name}${option.value ? ` ${option.value}` : ""}`,
    described(option),
  ]);
}

function described({ description, choices, default: preset }: Option): string {
  const notes = [
    ...(choices ? [choices.join(", ")] : []),
    ...(preset === undefined ? [] : [`default: ${String(preset)}`]),
  ];
  return notes.length > 0 ? `${description.replace(/\.$/, "")} (${notes.join("; ")}).` : description;
}

function withoutOwn(table: OptionTable, command: Command | undefined): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !Object.hasOwn(command?.options ?? {}, name)));
}

function list(title: string, rows: readonly (readonly string[])[], limit: number, style: Style): readonly string[] {
  if (rows.length === 0) return [];
  const left = Math.max(...rows.map(([term = ""]) => term.length)) + 4;
  const lines = rows.flatMap(([term = "", text = ""]) =>
    wrap(text, Math.max(limit - left, 24)).map((line, index) => [index === 0 ? `  ${term}` : "", line]),
  );
  // One wide column for all, though a wrapped line has no term of its own.
  return [`${style.bold(title)}\n${columns([...lines])}`];
}
