import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { dirname, join, setting, type Paths } from "../host/paths.ts";

/**
 * Whether this process runs where its service manager puts what it prints into a plain file that nobody rotates: launchd
 * and the Windows task do. The log file has all of it; the journal of systemd looks after itself.
 */
export function printsToFile(host: Pick<Host, "env" | "os">, flavour: Flavour): boolean {
  return host.os !== "linux" && setting(host, flavour, "SERVICE_KIND") === "gateway";
}

/**
 * Empties the file that launchd appends standard error to when it has grown large: a gateway that is refused its start
 * twice a minute would fill the disk. Called before anything can be refused.
 */
export async function capErrorFile({ files }: Pick<Host, "files">, { log }: Paths): Promise<void> {
  const path = join(dirname(log), "gateway.err.log");
  try {
    const stat = await files.stat(path);
    if (stat?.kind === "file" && stat.size > MOST) await files.truncate(path, 0);
  } catch {
    // A file that cannot be cut is no reason not to start; `doctor` looks at the disk.
  }
}

/** Bytes. */
const MOST = 1024 * 1024;
