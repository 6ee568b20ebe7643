import { cpus, release, totalmem, type } from "node:os";
import { readFileSync } from "node:fs";

/** What figures depend on, and nothing that tells one machine of a kind from another. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Such as `Linux 6.18.44`. */
  readonly kernel: string;
  /** Such as `Debian GNU/Linux 12 (bookworm)`; absent where there is no os-release(5). */
  readonly system?: string;
}

/** The machine that measures. */
export function machineHere(): Machine {
  const processors = cpus();
  const system = systemName();
  return {
    processor: (processors[0]?.model ?? "unknown processor").replace(/\s+/g, " ").trim(),
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release().replace(/[^\d.].*$/, "")}`,
    ...(system === undefined ? {} : { system }),
  };
}

/** In one line, for people. */
export function describeMachine({ processor, cores, memoryGb, kernel, system }: Machine): string {
  return [`${cores} cores`, processor, `${memoryGb} GB`, kernel, system].filter(Boolean).join(", ");
}

function systemName(): string | undefined {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  } catch {
    return undefined; // not a Linux, or one without that file
  }
}
