import { count } from "./format.ts";
import { numberAt, textAt } from "./pick.ts";

/** Why a gateway runs in safe mode, from its `health`, and what to do about it. */
export function safeModeText(safeMode: unknown, program: string): string {
  const failures = numberAt(safeMode, "failures") ?? 0;
  const starts = failures > 0 ? ` (${count(failures, "failed start")})` : "";
  return `${textAt(safeMode, "reason") ?? "unknown reason"}${starts}; fix it, then: ${program} gateway restart`;
}
