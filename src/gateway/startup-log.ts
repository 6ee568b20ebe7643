import type { FreedPort } from "../host/free-port.ts";
import type { Logger } from "../kit/log.ts";
import { urlHost } from "./addresses.ts";

export interface Startup {
  /** `provider/model`. */
  readonly model: string;
  /** Where the gateway listens. */
  readonly addresses: readonly string[];
  /** What to name instead of `0.0.0.0`, which nobody can dial. */
  readonly lan: readonly string[];
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
}

/** Logs the lines that say the gateway is up: model, a line per address (the first with the PID), log file. */
export function logGatewayStartup(log: Logger, startup: Startup): void {
  log.info(`✓ agent model: ${startup.model}`);
  for (const line of listeningLines(startup)) log.info(`✓ ${line}`);
  log.info(`✓ log file: ${startup.logFile}`);
}

function listeningLines({ addresses, lan, port, pid }: Startup): readonly string[] {
  const dialable = addresses.flatMap((address) => (address === "0.0.0.0" && lan.length > 0 ? lan : [address]));
  return dialable.map((address, index) => {
    const url = `ws://${urlHost(address)}:${port}`;
    return `listening on ${url}${index === 0 ? ` (PID ${pid})` : ""}`;
  });
}

/** Logs what `--force` did, in the order of cli.md 5.1. */
export function logFreedPort(log: Logger, port: number, { killed, escalated, waitedMs }: FreedPort): void {
  if (killed.length === 0) log.info(`force: no listeners on port ${port}`);
  for (const { pid, command } of killed) log.info(`force: killed pid ${pid} (${command}) on port ${port}`);
  if (escalated) log.info(`force: escalated to SIGKILL while freeing port ${port}`);
  if (waitedMs > 0) log.info(`force: waited ${waitedMs}ms for port ${port} to free`);
}
