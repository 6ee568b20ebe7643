import type { FreedPort } from "../host/free-port.ts";
import { spellFingerprint } from "../kit/fingerprint.ts";
import type { Logger } from "../kit/log.ts";
import { urlHost } from "../kit/ip.ts";

export interface Startup {
  /** `provider/model`. */
  readonly model: string;
  /** Where the gateway can be reached, each to be dialled as it is. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly pid: number;
  /** The fingerprint of the certificate where connections are encrypted. */
  readonly fingerprint?: string | undefined;
  readonly logFile: string;
}

/** Logs the lines that say the gateway is up: model, a line per address (the first with the PID), certificate, log file. */
export function logGatewayStartup(log: Logger, startup: Startup): void {
  log.info(`✓ agent model: ${startup.model}`);
  for (const line of listeningLines(startup)) log.info(`✓ ${line}`);
  const { fingerprint, logFile } = startup;
  if (fingerprint !== undefined) log.info(`✓ TLS certificate: sha256 ${spellFingerprint(fingerprint)}`);
  log.info(`✓ log file: ${logFile}`);
}

function listeningLines({ addresses, port, pid, fingerprint }: Startup): readonly string[] {
  return addresses.map((address, index) => {
    const url = `${fingerprint === undefined ? "ws" : "wss"}://${urlHost(address)}:${port}`;
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
