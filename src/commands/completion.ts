import type { Grammar } from "../cli/completion.ts";
import {
  addToProfile,
  endings,
  loginShell,
  profilePath,
  scriptPath,
  type Shell,
  sourceLine,
  writeScript,
} from "../cli/completion-profile.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext, type CommandTable } from "./command.ts";

const shells = Object.keys(endings) as readonly Shell[]; // its keys are all of them

const options = {
  shell: { value: "<shell>", choices: shells, description: "The shell; by default the one of $SHELL." },
  install: { description: "Keep the script in the state folder, and let the shell's start file read it." },
  "write-state": { description: "Keep the script in the state folder, and change nothing else." },
  yes: { description: "Do not ask before the start file is changed." },
} as const;

type Context = CommandContext<typeof options>;

/** The names that this program is called by. */
const programs = ["openclaw", "clawdbot", "clawlet"];

/** Prints a script that completes command lines in a shell; the script never starts this program. */
export const completion = command({
  path: ["completion"],
  summary: "Print a script that completes commands and options in your shell.",
  options,
  positionals: [
    { name: "shell", description: `The shell: ${shells.join(", ")}; by default the one of $SHELL.`, optional: true },
  ],
  examples: [
    { command: "completion bash > ~/.clawlet.bash", description: "A script for `source`." },
    { command: "completion zsh --install", description: "For every new terminal; asks first." },
  ],
  async run(context) {
    const { options: flags, output, host } = context;
    const shell = chosen(context) ?? loginShell(context);
    if (!shell) throw new Failure("usage", `completion needs a shell: ${shells.join(", ")}`);
    const script = await scriptFor(shell, context.commands);
    if (flags.install) return install(context, shell, script);
    if (flags["write-state"]) {
      const path = await writeScript(context, shell, script);
      if (output.json) output.data({ shell, path });
      else output.print(`Completion script: ${tildify(host, path)}`);
    } else if (output.json) output.data({ shell, script });
    else output.raw(script);
    return exit.ok;
  },
});

function chosen({ args, options: { shell }, program }: Context): Shell | undefined {
  const [named] = args;
  if (named === undefined) return shell;
  const found = shells.find((each) => each === named);
  if (!found || (shell !== undefined && shell !== found))
    throw new Failure("usage", found ? `${named} or --shell ${shell}: name one shell` : `unknown shell: ${named}`, {
      hints: [`Use one of: ${shells.map((each) => `${program} completion ${each}`).join(", ")}`],
    });
  return found;
}

async function scriptFor(shell: Shell, table: CommandTable): Promise<string> {
  const { grammarOf } = await import("../cli/completion.ts");
  const script = await scripts[shell]();
  return script(await grammarOf(table), programs);
}

const scripts: Readonly<Record<Shell, () => Promise<(grammar: Grammar, programs: readonly string[]) => string>>> = {
  bash: async () => (await import("../cli/completion-bash.ts")).bashCompletion,
  zsh: async () => (await import("../cli/completion-zsh.ts")).zshCompletion,
  fish: async () => (await import("../cli/completion-fish.ts")).fishCompletion,
  powershell: async () => (await import("../cli/completion-powershell.ts")).powershellCompletion,
};

async function install(context: Context, shell: Shell, script: string): Promise<number> {
  const { host, output } = context;
  const profile = profilePath(context, shell);
  const line = sourceLine(shell, scriptPath(context, shell));
  if (profile === undefined)
    throw new Failure("usage", `--install does not know where ${shell} keeps its profile`, {
      hints: [`Run: ${context.program} completion ${shell} --write-state`, `and add this line to $PROFILE: ${line}`],
    });
  const { agreed } = await import("../cli/agreed.ts");
  if (!(await agreed(context, `Add a line to ${tildify(host, profile)}?`))) return exit.failed;
  const path = await writeScript(context, shell, script);
  const changed = await addToProfile(context, profile, line);
  if (output.json) output.data({ shell, path, profile, changed });
  else {
    output.print(`✓ Completion script: ${tildify(host, path)}`);
    output.print(`✓ ${tildify(host, profile)} ${changed ? "reads" : "already reads"} it; open a new terminal`);
  }
  return exit.ok;
}
