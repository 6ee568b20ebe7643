import { globalOptions, shortOptions } from "../../src/cli/options.ts";
import { usage } from "../../src/cli/help.ts";
import { subcommands } from "../../src/cli/args.ts";
import type { Command, Option, OptionTable } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import { code, fence, linkTo, page, prose, table } from "./markdown.ts";

/** A command with the words that call it: its own path first, then its other names. */
export interface Documented {
  readonly path: string;
  readonly also: readonly string[];
  readonly command: Command;
  /** Other commands begin with its words. */
  readonly group: boolean;
}

/** Every command once, in the order of the table. */
export async function documentedCommands(): Promise<readonly Documented[]> {
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([path, load]) => ({ path, command: await load() })),
  );
  return loaded
    .filter(({ command }, index) => loaded.findIndex((other) => other.command === command) === index)
    .map(({ path, command }) => ({
      path,
      command,
      also: loaded.filter((other) => other.command === command && other.path !== path).map((other) => other.path),
      group: subcommands(commands, path).length > 0,
    }));
}

/** The page of commands and options. */
export async function commandsPage(): Promise<string> {
  const all = await documentedCommands();
  return page([
    "# Commands",
    "Called as `clawlet`, `openclaw` or `clawdbot`; the name decides where the state lies and which names are used. `clawlet help <command>` and `clawlet <command> --help` show what stands here.",
    table(
      ["command", "does"],
      all.map(({ path, command }) => [linkTo(path), prose(command.summary)]),
    ),
    "## Global options",
    "Every command takes these, wherever they stand on the command line.",
    optionTable(globalOptions),
    `Short forms: ${Object.entries(shortOptions)
      .map(([letter, name]) => `${code(`-${letter}`)} for ${code(`--${name}`)}`)
      .join(", ")}.`,
    "What each exit status means is said in [errors](errors.md#exit-statuses).",
    ...all.flatMap(section),
  ]);
}

function section({ path, also, command, group }: Documented): readonly string[] {
  const { summary, positionals = [], options, examples = [] } = command;
  return [
    `## ${path}`,
    prose(summary) + (also.length > 0 ? ` Also called ${also.map(code).join(", ")}.` : ""),
    fence("text", usage(`clawlet ${path}`, command, group).split(/\n */)),
    positionals.length === 0
      ? ""
      : table(
          ["argument", "is"],
          positionals.map((each) => [
            code(each.optional ? `[${each.name}]` : `<${each.name}>`),
            prose(each.description),
          ]),
        ),
    Object.keys(options).length === 0 ? "" : optionTable(options),
    fence(
      "sh",
      examples.flatMap(({ command: line, description }) => [`# ${description}`, `clawlet ${line}`]),
    ),
  ];
}

function optionTable(options: OptionTable): string {
  return table(
    ["option", "says", "default"],
    Object.entries(options).map(([name, option]) => [
      code(`--${name}${option.value ? ` ${option.value}` : ""}`),
      sentence(option),
      option.default === undefined ? "" : code(String(option.default)),
    ]),
  );
}

/** The description with what the values may be. */
function sentence({ description, choices, number }: Option): string {
  const allowed = choices
    ? `One of ${choices.map(code).join(", ")}`
    : number && `A whole number from ${number.min} to ${number.max}`;
  return allowed === undefined ? prose(description) : `${prose(description)} ${allowed}.`;
}
