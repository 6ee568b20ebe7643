import { dirname, join } from "../host/paths.ts";
import type { Scope, ServiceManager, ServiceNames } from "./service.ts";

/** Where a service says what went wrong: a command to type or a file to read, a line each. */
export function logHints(
  kind: ServiceManager["kind"],
  service: { readonly names: ServiceNames; readonly scope: Scope; readonly logFile: string },
): readonly string[] {
  const { names, scope, logFile } = service;
  if (kind === "launchd") return [`Logs: ${logFile}`, `Errors: ${join(dirname(logFile), "gateway.err.log")}`];
  if (kind === "schtasks") return [`Logs: ${logFile}`, `Last run: schtasks /Query /TN "${names.schtasks}" /V /FO LIST`];
  const mine = scope === "user" ? "--user " : "";
  return [`Logs: journalctl ${mine}-u ${names.systemd} -n 200 --no-pager`, `Log file: ${logFile}`];
}
