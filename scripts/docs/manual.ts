import { wrap } from "../../src/cli/layout.ts";
import { globalOptions } from "../../src/cli/options.ts";
import type { Option, OptionTable } from "../../src/commands/command.ts";
import { flavours } from "../../src/host/flavour.ts";
import { settings } from "../../src/host/settings.ts";
import { exit, exitMeanings } from "../../src/kit/error.ts";
import { documentedCommands, type Documented } from "./commands.ts";

/** The manual page in the mdoc language, which groff and mandoc both read. */
export async function manual(): Promise<string> {
  const commands = await documentedCommands();
  const [openclaw, clawdbot] = [flavours.openclaw, flavours.clawdbot];
  return [
    // A page that is made from the code has no date of its own.
    ".Dd $Mdocdate$",
    ".Dt CLAWLET 1",
    ".Os",
    ".Sh NAME",
    ".Nm clawlet ,",
    ".Nm openclaw ,",
    ".Nm clawdbot",
    ".Nd keep a personal AI assistant online",
    ".Sh SYNOPSIS",
    ".Nm clawlet",
    ".Op Ar options",
    ".Ar command",
    ".Op Ar arguments",
    ".Sh DESCRIPTION",
    ...text(
      "A small gateway, compatible with OpenClaw and Clawdbot: one port, through which clients, devices and chats reach an assistant. Most commands ask the gateway that runs; gateway runs one.",
    ),
    ".Pp",
    "The options of every command:",
    ...optionList(globalOptions),
    ".Sh COMMANDS",
    ...commands.flatMap(commandLines),
    ".Sh ENVIRONMENT",
    ...text(
      `Each variable has the prefix ${openclaw.envPrefixes[0]} or ${clawdbot.envPrefixes[0]}; both are read, the one of the name that the program was called by first.`,
    ),
    ...tagged(Object.entries(settings).map(([name, says]) => [`.Ev ${name}`, says])),
    ".Sh FILES",
    ...tagged(
      [openclaw, clawdbot].map(({ stateFolder, configFile, title }) => [
        `.Pa ~/${stateFolder}/${configFile}`,
        `The configuration, called ${title}; the state lies beside it.`,
      ]),
    ),
    ".Sh EXIT STATUS",
    ...tagged(Object.entries(exit).map(([name, status]) => [`.It ${status}`, exitMeanings[name as keyof typeof exit]])),
    ".Sh EXAMPLES",
    ...commands
      .filter(({ path }) => !path.includes(" "))
      .flatMap(({ command: { examples = [] } }) => examples.slice(0, 1))
      .flatMap(({ command, description }) => [
        ...text(description),
        ".Pp",
        `.Dl clawlet ${escaped(command).replaceAll('"', "\\(dq")}`,
        ".Pp",
      ])
      .slice(0, -1),
    "",
  ].join("\n");
}

function commandLines({ path, also, command }: Documented): readonly string[] {
  const { summary, positionals = [], options } = command;
  const names = positionals.map(({ name, optional }) => (optional ? `Op Ar ${word(name)}` : `Ar ${word(name)}`));
  return [
    `.Ss ${[path, ...also].join(", ")}`,
    `.Nm clawlet Cm ${path}`,
    ...names.map((name) => `.${name}`),
    ...(Object.keys(options).length > 0 ? [".Op Ar options"] : []),
    ".Pp",
    ...text(summary),
    ...tagged([
      ...positionals.map(({ name, description }): Tagged => [`.Ar ${word(name)}`, description]),
      ...optionRows(options),
    ]),
  ];
}

type Tagged = readonly [tag: string, says: string];

function optionList(options: OptionTable): readonly string[] {
  return tagged(optionRows(options));
}

function optionRows(options: OptionTable): readonly Tagged[] {
  return Object.entries(options).map(([name, option]) => [
    `.Fl -${escaped(name)}${option.value ? ` Ar ${word(option.value)}` : ""}`,
    described(option),
  ]);
}

function described({ description, choices, default: preset }: Option): string {
  return [
    description,
    ...(choices ? [`One of ${choices.join(", ")}.`] : []),
    ...(preset === undefined ? [] : [`Default: ${preset}.`]),
  ].join(" ");
}

/** A list of terms. A tag is a macro's line, whose macro becomes the item's. */
function tagged(rows: readonly Tagged[]): readonly string[] {
  if (rows.length === 0) return [];
  return [
    ".Bl -tag -width Ds",
    ...rows.flatMap(([tag, says]) => [tag.startsWith(".It") ? tag : `.It ${tag.slice(1)}`, ...text(says)]),
    ".El",
  ];
}

/** Text as input lines: a new sentence begins one, as the language wants it, and none is long or begins like a request. */
function text(words: string): readonly string[] {
  return words
    .replaceAll("`", "")
    .split(/(?<=[.!?]) (?=[A-Z*])/)
    .flatMap((sentence) => wrap(escaped(sentence), 78))
    .map((line) => line.replace(/^['.]/, "\\&$&"));
}

/** What is beyond ASCII is not read alike by all that set a page. */
function escaped(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...");
}

/** An argument of a macro: what is a macro's name must not become one. */
function word(name: string): string {
  return escaped(name.replace(/^<|>$/g, "")).replace(/[|()[\],.:;!?]/g, "\\&$&");
}
