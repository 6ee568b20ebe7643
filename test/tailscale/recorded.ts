import { readFileSync } from "node:fs";
import type { RunResult } from "../../src/host/host.ts";
import type { ProgramResult } from "../../src/tailscale/program.ts";

/** What Tailscale's command printed in one of its states: `test/tailscale/states`. */
export function recorded(name: string): string {
  return readFileSync(`test/tailscale/states/${name}`, "utf8");
}

/** A program that ended well and printed that. */
export function printed(name: string): RunResult {
  return { code: 0, stdout: recorded(name), stderr: "" };
}

/** A program that failed with that on standard error. */
export function complained(name: string): RunResult {
  return { code: 1, stdout: "", stderr: recorded(name) };
}

export function inTime(result: RunResult): ProgramResult {
  return { ...result, timedOut: false };
}

export function tooLate(result: RunResult): ProgramResult {
  return { ...result, timedOut: true };
}
