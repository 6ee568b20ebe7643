import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import { createLogger, type Level, type Logger, type LogRecord, type LogSink } from "../kit/log.ts";
import { consoleLog, passes, type ConsoleOptions, type Threshold } from "./console-log.ts";
import { openLogFile } from "./log-file.ts";

/** Where a foreground gateway's log goes: the console from the first line on, the file once it is clear that it starts. */
export interface GatewayLogs {
  readonly log: Logger;
  /** Takes over what the configuration says, where no flag says otherwise. */
  configure(logging: Config["logging"]): void;
  /** Opens the log file and writes what was logged so far into it; answers its path. */
  toFile(path: string): string;
  close(): Promise<void>;
}

export interface LogFlags {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly level: Level | undefined;
  /** Only what the Claude command line says. */
  readonly claudeCli: boolean;
}

export function createGatewayLogs(host: Host, flags: LogFlags): GatewayLogs {
  const usual = host.terminal.stdout.isTerminal ? "pretty" : "compact";
  const console: { -readonly [K in keyof ConsoleOptions]: ConsoleOptions[K] } = {
    style: flags.json ? "json" : usual,
    level: flags.verbose ? "debug" : (flags.level ?? "info"),
    only: flags.claudeCli ? "claude-cli" : undefined,
  };
  let fileLevel: Threshold = flags.level ?? "info";
  let maxFileBytes: number | undefined;
  let file: ReturnType<typeof openLogFile> | undefined;
  const early: LogRecord[] = [];

  const toFile: LogSink = (record) => {
    if (!passes(record.level, fileLevel)) return;
    if (file) file.sink(record);
    else early.push(record);
  };
  return {
    log: createLogger(() => host.clock.now(), [consoleLog(host, console), toFile]),
    configure(logging) {
      if (!flags.json) console.style = logging.consoleStyle ?? usual;
      if (!flags.verbose) console.level = flags.level ?? logging.consoleLevel;
      fileLevel = flags.level ?? logging.level;
      maxFileBytes = logging.maxFileBytes;
    },
    toFile(path) {
      file = openLogFile(host, path, maxFileBytes === undefined ? {} : { maxBytes: maxFileBytes });
      for (const record of early.splice(0)) file.sink(record);
      return file.path;
    },
    close: async () => file?.close(),
  };
}
