import type { CommandContext } from "../commands/command.ts";
import { basename, dirname, join } from "../host/paths.ts";

type Context = Pick<CommandContext, "host" | "paths" | "program">;

/** The shells that a script can be made for, by the ending of its file. */
export const endings = { bash: "bash", zsh: "zsh", fish: "fish", powershell: "ps1" } as const;

export type Shell = keyof typeof endings;

/** The shell that this user logs in with, when it is one of them. */
export function loginShell({ host }: Pick<Context, "host">): Shell | undefined {
  const name = basename(host.env["SHELL"] ?? "");
  return Object.hasOwn(endings, name) ? (name as Shell) : undefined; // it has just been looked up
}

/** Where the script is kept, so that a new terminal reads a file and need not start this program. */
export function scriptPath({ paths, program }: Context, shell: Shell): string {
  return join(paths.state, `completions/${program}.${endings[shell]}`);
}

/** Writes the script there; answers the path. */
export async function writeScript(context: Context, shell: Shell, script: string): Promise<string> {
  const path = scriptPath(context, shell);
  await context.host.files.makeFolder(dirname(path));
  await context.host.files.write(path, script);
  return path;
}

/** The file that a shell reads when it starts; undefined where only the shell itself knows. */
export function profilePath({ host }: Context, shell: Shell): string | undefined {
  const { home, env } = host;
  const profiles = {
    bash: join(home, ".bashrc"),
    zsh: join(env["ZDOTDIR"] || home, ".zshrc"),
    fish: join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "fish/config.fish"),
    powershell: undefined,
  };
  return profiles[shell];
}

/** The line that makes a shell read the script, and says nothing when the script is gone. */
export function sourceLine(shell: Shell, script: string): string {
  if (shell === "powershell") {
    const path = `'${script.replaceAll("'", "''")}'`;
    return `if (Test-Path -LiteralPath ${path}) { . ${path} }`;
  }
  const path = `'${shell === "fish" ? escapedFish(script) : script.replaceAll("'", String.raw`'\''`)}'`;
  return shell === "fish" ? `test -f ${path}; and source ${path}` : `[ -f ${path} ] && source ${path}`;
}

/** Adds the line to the shell's own file, once; answers whether it was not there before. */
export async function addToProfile({ host, program }: Context, profile: string, line: string): Promise<boolean> {
  const { files } = host;
  // A link, as people keep such files in a repository, stays a link.
  const target = (await files.realPath(profile)) ?? profile;
  const text = (await files.read(target)) ?? "";
  if (text.split(/\r?\n/).includes(line)) return false;
  const stat = await files.stat(target);
  await files.makeFolder(dirname(target));
  const gap = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  await files.write(target, `${text}${gap}# ${program} completion\n${line}\n`, { mode: stat?.mode ?? 0o644 });
  return true;
}

function escapedFish(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`);
}
