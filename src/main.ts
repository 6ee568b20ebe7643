import { parseArgs, type Invocation } from "./cli/args.ts";
import { helpText } from "./cli/help.ts";
import { createOutput, type Output } from "./cli/output.ts";
import { report } from "./cli/report.ts";
import type { Command } from "./commands/command.ts";
import { commands } from "./commands/index.ts";
import { flavourOf, flavours, type Flavour } from "./host/flavour.ts";
import type { Host } from "./host/host.ts";
import { join, pathsOf, setting } from "./host/paths.ts";
import { exit, Failure } from "./kit/error.ts";

/** Runs the command line of this process; answers the exit status. */
export async function main(host: Host): Promise<number> {
  // Before the arguments are understood, how to complain about them must be known.
  const asked = (flag: string) => host.args.includes(flag);
  const output = createOutput(host, { json: asked("--json"), noColor: asked("--no-color") });
  try {
    return await dispatch(host, output);
  } catch (error) {
    return report(Failure.from(error), output, { verbose: asked("--verbose") });
  }
}

async function dispatch(host: Host, output: Output): Promise<number> {
  const program = host.name;
  const args = host.args[0] === "help" ? [...host.args.slice(1), "--help"] : host.args;
  const invocation = await parseArgs(args, commands, program);
  const help = () => helpText(commands, invocation.path, { program, columns: output.columns, style: output.style });
  if (invocation.global.help) {
    output.raw(`${await help()}\n`);
    return exit.ok;
  }
  const command = invocation.global.version ? await commands["version"]?.() : invocation.command;
  if (!command) {
    output.warn(await help());
    return exit.usage;
  }
  const flavour = await flavourHere(host);
  const paths = pathsOf(host, flavour, profileOf(host, flavour, invocation));
  return run(command, invocation, { host, flavour, program, paths, output, commands });
}

async function run(
  command: Command,
  { options, global, args }: Invocation,
  given: Omit<Parameters<Command["run"]>[0], "options" | "global" | "args" | "signal">,
): Promise<number> {
  const abort = new AbortController();
  const { processes } = given.host;
  // Whoever asks twice does not want to wait for the first time to be noticed.
  const stop = () => (abort.signal.aborted ? processes.exit(exit.interrupted) : abort.abort());
  const forget = command.ownsSignals ? [] : [processes.onSignal("SIGINT", stop), processes.onSignal("SIGTERM", stop)];
  try {
    return await command.run({ ...given, options, global, args, signal: abort.signal });
  } finally {
    for (const undo of forget) undo();
  }
}

/** The name decides; as `clawlet`, an existing Clawdbot is followed when it is the only one here (cli.md 10.7). */
async function flavourHere(host: Host): Promise<Flavour> {
  if (Object.hasOwn(flavours, host.name)) return flavourOf(host.name, false);
  const [clawdbot, openclaw] = await Promise.all(
    [flavours.clawdbot, flavours.openclaw].map((each) => host.files.stat(join(host.home, each.stateFolder))),
  );
  return flavourOf(host.name, clawdbot !== undefined && openclaw === undefined);
}

function profileOf(host: Host, flavour: Flavour, { global }: Invocation): string {
  const named = global.profile ?? setting(host, flavour, "PROFILE");
  if (global.dev && global.profile !== undefined)
    throw new Failure("usage", `[${host.name}] Cannot combine --dev with --profile`);
  if (global.dev) return "dev";
  if (named !== undefined && !/^[A-Za-z0-9_-]+$/.test(named))
    throw new Failure("usage", `[${host.name}] Invalid --profile (use letters, numbers, "_", "-" only)`);
  return named === undefined || named === "default" ? "" : named;
}
