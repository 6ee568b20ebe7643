import { realpathSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/**
 * Where a compiled program was called, the link and not what it leads to: its name is what decides the flavour, also
 * for whoever starts it again by this path. `argv0` as the shell gave it: with folders, or found in PATH.
 */
export function calledAs(
  argv0: string,
  { executable, path }: { executable: string; path: string | undefined },
): string {
  const candidates = /[\\/]/.test(argv0)
    ? [resolve(argv0)]
    : (path ?? "").split(delimiter).map((folder) => resolve(join(folder, argv0)));
  return candidates.find((candidate) => isSame(candidate, executable)) ?? executable;
}

/** Anybody may start a program under any name: only a name that leads to it is taken. */
function isSame(candidate: string, executable: string): boolean {
  try {
    return realpathSync(candidate) === realpathSync(executable);
  } catch {
    return false; // nothing there: not in this folder
  }
}
