import { Failure } from "../kit/error.ts";
import { utf8Length } from "../kit/text.ts";
import type { Files } from "./host.ts";
import { basename, dirname, isAbsolute, join } from "./paths.ts";

/** A place below a folder, found to be really there: no link on the way leads out of it. */
export interface Inside {
  /** Where it is, without links. */
  readonly path: string;
  /** The same, as seen from the folder: for people and models. */
  readonly name: string;
  /** Whether something is there. */
  readonly exists: boolean;
}

/**
 * The place that somebody who is not trusted names in a folder, by a relative path or an absolute one that lies in it.
 * Throws `forbidden` for what is elsewhere, through links too, and `invalid-request` for what is no path (threat M).
 */
export async function inside(files: Files, folder: string, path: string): Promise<Inside> {
  const root = await realPath(files, folder);
  if (root === undefined) throw new Failure("not-found", `the folder ${folder} does not exist: make it first`);
  const parts = partsOf(path, [join(folder), root]);
  // The longest part of the path that is there already decides where the rest of it would come to be.
  for (let depth = parts.length; depth >= 0; depth--) {
    const real = await realPath(files, join(root, ...parts.slice(0, depth)));
    if (real === undefined) continue;
    if (real !== root && !real.startsWith(`${root}/`))
      throw new Failure(
        "forbidden",
        `${shown(path)} is behind a link that leaves ${folder}: use a place in the folder`,
      );
    const rest = parts.slice(depth);
    const place = join(real, ...rest);
    // On Windows such a name means a device wherever it stands; elsewhere only new files of that name are refused.
    if (rest.length > 0 || /^[A-Za-z]:/.test(root)) place.slice(root.length).split("/").forEach(refuseDevice);
    return { path: place, name: place.slice(root.length + 1) || ".", exists: rest.length === 0 };
  }
  throw new Failure("not-found", `the folder ${folder} went away: make it again`);
}

/** Throws when a place is no longer what it was found to be: something on its way was replaced by a link meanwhile. */
export async function stillInside(files: Files, place: Inside): Promise<void> {
  if ((await realPath(files, place.path)) === place.path) return;
  throw new Failure("forbidden", `${place.name} was replaced while it was being read: nothing of it is shown`);
}

/** A new file's folder, made when it is missing, and found to be in the folder still. */
export async function folderOf(files: Files, place: Inside): Promise<void> {
  const folder = dirname(place.path);
  await files.makeFolder(folder);
  await stillInside(files, { path: folder, name: basename(folder), exists: true });
}

async function realPath(files: Files, path: string): Promise<string | undefined> {
  const real = await files.realPath(path);
  // A backslash separates on Windows alone; in a name elsewhere it would be read as a separator from here on.
  if (real?.startsWith("/") && real.includes("\\"))
    throw new Failure("forbidden", `${shown(real)} has a backslash in its name: rename it`);
  return real?.replaceAll("\\", "/");
}

/** The steps from the folder down to the path, by the text alone. */
function partsOf(path: string, folders: readonly string[]): readonly string[] {
  if (path.trim() === "") throw wrong(path, "is blank: give a path such as notes/today.md");
  if (path.length > 1024) throw wrong(path, "is longer than 1024 characters: give a shorter path");
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) throw wrong(path, "has a control character in it: leave it out");
  if (/^[a-z][a-z0-9+.-]+:/i.test(path)) throw wrong(path, "is a URL: give a plain path");
  if (/^[\\/]{2}/.test(path)) throw wrong(path, "is a network path: give a path in the workspace");
  if (path.startsWith("~")) throw wrong(path, "is in a home folder: give a path relative to the workspace");
  const parts = (isAbsolute(path) ? below(path, folders) : path).split(/[\\/]/).filter((part) => !/^\.?$/.test(part));
  if (parts.includes("..")) throw wrong(path, "goes up with `..`: give a path that only goes down", "forbidden");
  for (const part of parts) {
    if (utf8Length(part) > 255) throw wrong(path, "has a name of more than 255 bytes in it: shorten it");
    if (part.includes(":")) throw wrong(path, "has a colon in it: give a name without");
  }
  return parts;
}

function below(path: string, folders: readonly string[]): string {
  const plain = path.replaceAll("\\", "/");
  const folder = folders.find((folder) => plain === folder || plain.startsWith(`${folder}/`));
  if (folder !== undefined) return plain.slice(folder.length);
  throw wrong(path, `is outside the workspace ${folders[0]}: give a path in it`, "forbidden");
}

/** Names that Windows takes for a device, whatever their extension, or shortens to another name. */
function refuseDevice(name: string): void {
  if (/^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])( *\.|$)/i.test(name) || /[. ]$/.test(name))
    throw wrong(name, "is a name that Windows reserves: use another");
}

function wrong(path: string, what: string, code: "invalid-request" | "forbidden" = "invalid-request"): Failure {
  return new Failure(code, `the path ${shown(path)} ${what}`);
}

function shown(path: string): string {
  return JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}
