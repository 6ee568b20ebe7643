import { Failure } from "../kit/error.ts";

/**
 * The text of the file that holds a service's secret variables, `NAME=value` a line. No supervisor but systemd reads
 * such files, so the program does it itself, wherever it runs: the variable `*_SERVICE_ENV_FILE` names it. What is in
 * there is in no unit, no command line, and in no environment that the gateway's tools inherit.
 */
export function renderSecrets(secrets: Readonly<Record<string, string>>): string {
  const lines = Object.entries(secrets).map(([name, value]) => {
    if (/\p{Cc}/u.test(value)) throw new Failure("usage", `${name} has a line break or control character in it`);
    return `${name}=${value}\n`;
  });
  return `# Secrets of the gateway's service; for its owner's eyes only.\n${lines.join("")}`;
}

/** The variables of such a file; a missing one has none. */
export function parseSecrets(text: string | undefined): Readonly<Record<string, string>> {
  const pairs = (text ?? "").split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^([A-Z_][A-Z0-9_]*)=(.+)$/.exec(line) ?? [];
    return name !== undefined && value !== undefined ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** The file's name in the state folder. */
export const SECRETS_FILE = "service.env";

/** The variable, after the flavour's prefix, that names the file. */
export const SECRETS_VARIABLE = "SERVICE_ENV_FILE";
