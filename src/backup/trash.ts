import type { Host } from "../host/host.ts";
import { basename, join } from "../host/paths.ts";

/** Where something went that was thrown away. */
export interface Thrown {
  readonly path: string;
  /** In the person's trash; else it was only renamed, beside where it was. */
  readonly trashed: boolean;
}

/**
 * Throws a file or folder away so that a person can take it back: into the trash of the desktop, or under another name
 * in its own folder where there is no trash, or it is on another disk.
 */
export async function throwAway(
  host: Pick<Host, "files" | "clock" | "env" | "home" | "os">,
  path: string,
): Promise<Thrown> {
  const { files, clock } = host;
  const bin = binOf(host);
  if (bin) {
    const thrown = await intoBin(host, path, bin);
    if (thrown !== undefined) return { path: thrown, trashed: true };
  }
  const aside = `${path}.removed-${new Date(clock.now()).toISOString().replaceAll(":", "-")}`;
  await files.rename(path, aside);
  return { path: aside, trashed: false };
}

interface Bin {
  readonly folder: string;
  /** Where the desktop looks for where things came from (freedesktop.org Trash specification 1.0). */
  readonly info?: string;
}

function binOf({ env, home, os }: Pick<Host, "env" | "home" | "os">): Bin | undefined {
  if (os === "darwin") return { folder: join(home, ".Trash") };
  if (os !== "linux") return undefined;
  const data = env["XDG_DATA_HOME"];
  // The specification wants relative paths ignored.
  const trash = join(data?.startsWith("/") ? data : join(home, ".local/share"), "Trash");
  return { folder: join(trash, "files"), info: join(trash, "info") };
}

/** Answers where it is now; undefined when the bin cannot take it. */
async function intoBin(
  { files, clock }: Pick<Host, "files" | "clock">,
  path: string,
  { folder, info }: Bin,
): Promise<string | undefined> {
  await files.makeFolder(folder);
  if (info !== undefined) await files.makeFolder(info);
  for (let number = 1; ; number++) {
    const name = number === 1 ? basename(path) : `${basename(path)} ${number}`;
    const target = join(folder, name);
    if (await files.stat(target)) continue;
    const note = info && join(info, `${name}.trashinfo`);
    // Whoever makes the note has the name.
    if (note !== undefined && !(await files.create(note, noteText(path, clock.now())))) continue;
    try {
      await files.rename(path, target);
      return target;
    } catch (error) {
      if (note !== undefined) await files.remove(note);
      if (otherDisk.has(codeOf(error))) return undefined;
      throw error;
    }
  }
}

/** Renaming does not cross disks, and macOS keeps some programs out of the trash. */
const otherDisk = new Set<unknown>(["EXDEV", "EPERM", "EACCES"]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** The time is local and has no zone, as the specification wants. */
function noteText(path: string, now: number): string {
  const local = new Date(now - new Date(now).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `[Trash Info]\nPath=${encoded}\nDeletionDate=${local}\n`;
}
