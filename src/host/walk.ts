import type { FileStat, Files } from "./host.ts";
import { join } from "./paths.ts";

/** Everything below a folder, as it was found. */
export interface Walk {
  readonly entries: readonly WalkEntry[];
  /** Folders that could not be read, with the system's reason. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** There is more than was looked at. */
  readonly cut: boolean;
}

export interface WalkEntry {
  readonly path: string;
  /** Relative to the folder, such as `agents/main/sessions`. */
  readonly name: string;
  readonly stat: FileStat;
  /** A link to somewhere else; it is not followed. */
  readonly link: boolean;
}

export interface WalkOptions {
  /** Most entries that are looked at. */
  readonly limit: number;
  /** Whether to look into a folder of this name, relative to the one that the walk began at. */
  readonly enter: (name: string) => boolean;
}

/** Looks at a folder and what is below it, nearest first. Follows no link out of it. */
export async function walk(files: Files, folder: string, { limit, enter }: WalkOptions): Promise<Walk> {
  const entries: WalkEntry[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const top = await files.realPath(folder);
  const waiting = top === undefined ? [] : [{ path: folder, real: top, name: "" }];
  // The list grows while it is gone through.
  for (const place of waiting) {
    let names: readonly string[];
    try {
      names = await files.list(place.path);
    } catch (error) {
      unreadable.push({ path: place.path, reason: String(error instanceof Error ? error.message : error) });
      continue;
    }
    const room = limit - entries.length;
    const looked = await Promise.all(names.slice(0, room).map((name) => lookAt(files, place, name)));
    for (const found of looked) {
      if (!found) continue; // gone since it was listed, or a link to nothing
      entries.push(found.entry);
      const { path, name, stat, link } = found.entry;
      if (stat.kind === "folder" && !link && enter(name)) waiting.push({ path, real: found.real, name });
    }
    if (names.length > room) return { entries, unreadable, cut: true };
  }
  return { entries, unreadable, cut: false };
}

async function lookAt(
  files: Files,
  folder: { readonly path: string; readonly real: string; readonly name: string },
  name: string,
): Promise<{ readonly entry: WalkEntry; readonly real: string } | undefined> {
  const path = join(folder.path, name);
  try {
    const [stat, real] = await Promise.all([files.stat(path), files.realPath(path)]);
    if (!stat || real === undefined) return undefined;
    const entry = { path, name: join(folder.name, name), stat, link: real !== realChild(folder.real, name) };
    return { entry, real };
  } catch {
    return undefined; // a loop of links, or a folder that may be listed and not entered: there is nothing to say of it
  }
}

/** Where the child really is unless it is a link; the separator is the system's own. */
function realChild(real: string, name: string): string {
  const separator = real.includes("\\") ? "\\" : "/";
  return real.endsWith(separator) ? real + name : real + separator + name;
}
