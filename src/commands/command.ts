import type { GuideName } from "../cli/guides.ts";
import type { Output } from "../cli/output.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { Level } from "../kit/log.ts";

/**
 * One command, declared once: the words that call it, its options and what it does. Parsing, validation and help follow
 * from the declaration.
 */
export interface Command<O extends OptionTable = OptionTable> {
  /** The words after the program's name, such as `["gateway", "call"]`. */
  readonly path: readonly string[];
  /** A sentence for the list of commands and the head of `--help`. */
  readonly summary: string;
  readonly options: O;
  readonly positionals?: readonly Positional[];
  readonly examples?: readonly Example[];
  /** What the end of `--help` names to read on. */
  readonly guides?: readonly GuideName[];
  /** The command listens to SIGINT and SIGTERM itself; otherwise the first of them aborts `context.signal`. */
  readonly ownsSignals?: boolean;
  /** Answers the exit status, or throws a Failure whose code decides it. */
  run(context: CommandContext<O>): Promise<number>;
}

export interface Option {
  readonly description: string;
  /** What the help shows for its value, such as `<port>`. Absent for a switch. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** The value is a whole number within these bounds, and arrives as one. */
  readonly number?: { readonly min: number; readonly max: number };
  /** Shown in the help, and the value when the option is not given. */
  readonly default?: string | number;
  /** It may be given several times: its texts arrive as one, with commas between. */
  readonly repeated?: true;
  /** What to say of a value that is not allowed, when the usual sentence will not do; `{}` stands for the value. */
  readonly invalid?: string;
}

/** Options by their name without dashes. A switch named `no-x` is true when given, like any other. */
export type OptionTable = Readonly<Record<string, Option>>;

export interface Positional {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
}

export interface Example {
  /** Arguments after the program's name. */
  readonly command: string;
  readonly description: string;
}

/** The values of a table's options: a switch is a boolean, a value its text, choice or number. */
export type OptionValues<O extends OptionTable> = {
  readonly [K in keyof O]: O[K] extends { readonly value: string }
    ? Value<O[K]> | (O[K] extends { readonly default: string | number } ? never : undefined)
    : O[K] extends { readonly description: string; readonly value?: never }
      ? boolean
      : string | number | boolean | undefined;
};

type Value<T extends Option> = T extends { readonly number: object }
  ? number
  : T extends { readonly choices: readonly (infer C)[] }
    ? C
    : string;

/** Options that every command takes, wherever they stand on the command line. */
export interface GlobalValues {
  readonly dev: boolean;
  readonly profile: string | undefined;
  readonly json: boolean;
  readonly "no-color": boolean;
  readonly "log-level": Level | undefined;
  readonly verbose: boolean;
  readonly version: boolean;
  readonly help: boolean;
}

/** What a command is given. */
export interface CommandContext<O extends OptionTable = OptionTable> {
  readonly host: Host;
  readonly flavour: Flavour;
  /** The name that the program was called by: what hints tell people to type. */
  readonly program: string;
  readonly paths: Paths;
  readonly options: OptionValues<O>;
  readonly global: GlobalValues;
  /** Positional arguments, as many as the command declares. */
  readonly args: readonly string[];
  readonly output: Output;
  /** Every command, for the one that speaks of them all. */
  readonly commands: CommandTable;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Commands by the words that call them, joined by a space; each is loaded when it is called. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;

/** Declares a command; keeps the exact type of its options for `run`. */
export function command<const O extends OptionTable>(declared: Command<O>): Command<O> {
  return declared;
}
