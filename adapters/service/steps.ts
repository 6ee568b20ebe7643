import type { Host } from "../../src/host/host.ts";
import { dirname } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import type { RenderedFile } from "../../src/service/service.ts";

/** What the service managers need of the machine, and who asks. */
export interface ServiceMachine extends Pick<Host, "env" | "files" | "processes" | "clock"> {
  readonly home: string;
  /** The account's name: `me`, on Windows `MACHINE\me`. */
  readonly user: string;
  /** POSIX user number; 0 where there is none. */
  readonly uid: number;
}

/** One command of the system's tools. */
export interface Step {
  readonly command: readonly string[];
  /** It may find that there is nothing to do. */
  readonly optional?: boolean;
}

/** Long enough for a service that drains, then is killed, then starts again. */
const stepMs = 180_000;

/** Runs commands one after another; the first that fails ends it, with what the tool said. */
export async function runSteps(machine: ServiceMachine, steps: readonly Step[]): Promise<void> {
  for (const { command, optional = false } of steps) {
    const [program = "", ...args] = command;
    const { code, stdout, stderr } = await machine.processes.run(program, args, { timeoutMs: stepMs });
    if (code === 127 && stdout === "" && stderr === "") throw missing(program);
    if (code === 0 || optional) continue;
    throw new Failure("failed", `${command.join(" ")} failed: ${said(stderr || stdout) || `status ${code}`}`);
  }
}

/** The tool is not on this machine. */
export function missing(program: string): Failure {
  return new Failure("unavailable", `${program} is not on this machine`);
}

/** What a tool printed, as one line. */
export function said(text: string): string {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .slice(0, 3)
    .join(" ")
    .slice(0, 500);
}

/** Writes the files, each whole or not at all; folders that are missing come with them. */
export async function writeFiles({ files }: ServiceMachine, rendered: readonly RenderedFile[]): Promise<void> {
  for (const { path, text, mode } of rendered) {
    await files.makeFolder(dirname(path));
    await files.write(path, text, { mode });
  }
}

/** Those of the files that are there, as they are. */
export async function readFiles(
  { files }: ServiceMachine,
  paths: readonly (string | undefined)[],
): Promise<readonly RenderedFile[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const text = path === undefined ? undefined : await files.read(path);
      if (path === undefined || text === undefined) return [];
      return [{ path, text, mode: (await files.stat(path))?.mode ?? 0 }];
    }),
  );
  return found.flat();
}

/** Removes the files that are there; answers which. */
export async function removeFiles({ files }: ServiceMachine, paths: readonly string[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const path of paths) {
    if ((await files.stat(path)) === undefined) continue;
    await files.remove(path);
    removed.push(path);
  }
  return removed;
}
