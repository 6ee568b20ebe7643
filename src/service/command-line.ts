/** The value of `--name value` or `--name=value` in a command line; the last one, as the program itself takes it. */
export function optionIn(args: readonly string[], name: string): string | undefined {
  const flag = `--${name}`;
  const at = args.findLastIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (at === -1) return undefined;
  return args[at] === flag ? args[at + 1] : args[at]?.slice(flag.length + 1);
}

/** A command line as a person would type it, without the secrets in it. */
export function shownCommand(program: readonly string[]): string {
  return withoutSecrets(program).map(shownWord).join(" ");
}

/** Double quotes are what every shell knows; between them the shells of Unix still look for variables and commands. */
function shownWord(word: string): string {
  if (/^[\w@%+=:,./\\-]+$/.test(word)) return word;
  return /["$`]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}

/** The arguments with every secret replaced: older gateways of this family put tokens into units. */
export function withoutSecrets(program: readonly string[]): readonly string[] {
  return program.map((arg, at) => {
    const given = /^(--(?:token|password))=/.exec(arg);
    if (given) return `${given[1]}=***`;
    return /^--(token|password)$/.test(program[at - 1] ?? "") ? "***" : arg;
  });
}

/** The variables of a service that may be shown: this family's settings without its secrets, and where it looks. */
export function shownEnvironment(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) =>
      /^(HOME|PATH|(OPENCLAW|CLAWDBOT|MOLTBOT)_(PROFILE|STATE_DIR|CONFIG_PATH|GATEWAY_PORT|SERVICE_\w+|SYSTEMD_UNIT|LAUNCHD_LABEL|WINDOWS_TASK_NAME))$/.test(
        name,
      ),
    ),
  );
}
