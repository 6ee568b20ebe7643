import { readFileSync } from "node:fs";
import { parseSecrets, SECRETS_VARIABLE } from "../../src/service/secrets.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of this process and, under a service manager, the secrets from the file that one of them names. They are
 * this program's alone: what it starts does not inherit them. A file that cannot be read says so and adds nothing; what
 * needs the secret will refuse.
 */
export function serviceEnvironment(env: Environment): Environment {
  const path = env[`OPENCLAW_${SECRETS_VARIABLE}`] ?? env[`CLAWDBOT_${SECRETS_VARIABLE}`];
  if (path === undefined || path === "") return env;
  try {
    return { ...parseSecrets(readFileSync(path, "utf8")), ...env };
  } catch (error) {
    process.stderr.write(`the secrets of the service cannot be read: ${String(error)}\n`);
    return env;
  }
}
