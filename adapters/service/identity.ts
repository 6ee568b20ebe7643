import { basename } from "../../src/host/paths.ts";
import { parseSecrets, SECRETS_FILE, SECRETS_VARIABLE } from "../../src/service/secrets.ts";
import type { ServiceMachine } from "./steps.ts";

/** The file of secrets that a service's variables name; undefined when it has none, or names something else. */
export function secretsFileOf(environment: Readonly<Record<string, string>>): string | undefined {
  const path = Object.entries(environment).find(([name]) => name.endsWith(`_${SECRETS_VARIABLE}`))?.[1];
  // Uninstalling removes it: only ever a file that we may have made.
  return path !== undefined && basename(path.replaceAll("\\", "/")) === SECRETS_FILE ? path : undefined;
}

export async function readSecrets(
  { files }: ServiceMachine,
  environment: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const path = secretsFileOf(environment);
  return path === undefined ? {} : parseSecrets(await files.read(path));
}

/** Whether the text of a service looks like a gateway of this family, and whether it is one of ours. */
export function kindOfGateway(text: string): "ours" | "foreign" | undefined {
  if (/_SERVICE_MARKER\b/.test(text) && /_SERVICE_KIND\b[\s\S]{0,40}gateway/.test(text)) return "ours";
  return /(openclaw|clawdbot|clawlet|moltbot)/i.test(text) && /gateway/i.test(text) ? "foreign" : undefined;
}

/** Files that hold services are small; what is larger is none. */
export async function readSmall({ files }: ServiceMachine, path: string): Promise<string | undefined> {
  const stat = await files.stat(path);
  return stat?.kind === "file" && stat.size < 65_536 ? files.read(path) : undefined;
}
