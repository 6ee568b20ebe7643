import type { CommandContext } from "../commands/command.ts";
import type { ConfigStore } from "../config/config.ts";
import { createLogger, type Logger } from "../kit/log.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output">;

/** The configuration file of this machine, opened; what is amiss with it is said on stderr. */
export async function openConfigFile(context: Context, log = warningsTo(context)): Promise<ConfigStore> {
  // Loaded here, so that printing the file's name does not load every schema.
  const { openConfig } = await import("../config/file.ts");
  return openConfig(context.host, context.flavour, context.paths, log);
}

/** A log of which the person at the terminal is shown what is amiss. */
export function warningsTo({ host, output }: Pick<Context, "host" | "output">): Logger {
  const sink = ({ level, message }: { level: string; message: string }): void => {
    if (level === "warn" || level === "error") output.warn(message);
  };
  return createLogger(() => host.clock.now(), [sink]);
}
