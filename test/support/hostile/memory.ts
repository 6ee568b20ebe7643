import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The resident memory of a process of this machine in bytes; 0 when it is gone. */
export function memoryOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    if (process.platform !== "linux")
      return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // ended: whoever asks finds that out from the socket
  }
}
