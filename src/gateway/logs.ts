import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import { createLogger, type Level, type Logger, type LogRecord, type LogSink } from "../kit/log.ts";
import { consoleLog, passes, type ConsoleOptions } from "./console-log.ts";
import { openLogFile, type LogFile } from "./log-file.ts";

/** Where a foreground gateway's log goes: the console from the first line on, the file once it is clear that it starts. */
export interface GatewayLogs {
  readonly log: Logger;
  /** Asks what the configuration says from now on, for each line anew; flags win over it. */
  follow(logging: () => Config["logging"]): void;
  /** Where the log file is; undefined before it is open. */
  readonly file: string | undefined;
  /** Opens the log file that the configuration names, else the usual one, in the place of the one that is open. */
  toFile(usual: string): void;
  close(): Promise<void>;
}

export interface LogFlags {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly level: Level | undefined;
  /** Only what the Claude command line says. */
  readonly claudeCli: boolean;
  /** The console is a file that nobody rotates: it falls silent once the log file is open. */
  readonly printsToFile: boolean;
}

export function createGatewayLogs(host: Host, flags: LogFlags): GatewayLogs {
  const usualStyle = host.terminal.stdout.isTerminal ? "pretty" : "compact";
  let settings = (): Partial<Config["logging"]> => ({});
  const console: ConsoleOptions = {
    get style() {
      return flags.json ? "json" : (settings().consoleStyle ?? usualStyle);
    },
    get level() {
      if (flags.printsToFile && file) return "silent";
      return flags.verbose ? "debug" : (flags.level ?? settings().consoleLevel ?? "info");
    },
    only: flags.claudeCli ? "claude-cli" : undefined,
  };
  let file: LogFile | undefined;
  let putAway: Promise<unknown> = Promise.resolve();
  const early: LogRecord[] = [];

  const toFile: LogSink = (record) => {
    if (!passes(record.level, flags.level ?? settings().level ?? "info")) return;
    if (file) file.sink(record);
    else early.push(record);
  };
  return {
    log: createLogger(() => host.clock.now(), [consoleLog(host, console), toFile]),
    follow: (logging) => void (settings = logging),
    get file() {
      return file?.path;
    },
    toFile(usual) {
      const { file: path = usual, maxFileBytes: maxBytes } = settings();
      putAway = Promise.all([putAway, file?.close()]);
      file = openLogFile(host, path, maxBytes === undefined ? {} : { maxBytes });
      for (const record of early.splice(0)) file.sink(record);
    },
    async close() {
      await Promise.all([putAway, file?.close()]);
    },
  };
}
