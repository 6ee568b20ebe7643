import type { Files } from "../host/host.ts";
import { inside } from "../host/inside.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { TemplateName } from "./templates.ts";

/** A file of the workspace as the prompt needs it. */
export interface WorkspaceFile {
  readonly name: string;
  readonly path: string;
  /** Undefined when it is not there, or not to be read; `problem` says why then, unless it is just missing. */
  readonly text: string | undefined;
  readonly problem?: string | undefined;
}

/** Reads an agent's files, and keeps the texts for as long as the files do not change. */
export interface WorkspaceFiles {
  /** The files in the order of the names; each missing one too. */
  load(workspace: string, names: readonly (TemplateName | "BOOT.md")[]): Promise<readonly WorkspaceFile[]>;
}

/** Larger than anything that is of use in a prompt. */
const MOST_BYTES = 1024 * 1024;
const MOST_CACHED_CHARS = 8 * 1024 * 1024;

export function createWorkspaceFiles(files: Files | undefined): WorkspaceFiles {
  if (!files) return { load: async (workspace, names) => names.map((name) => missing(workspace, name)) };
  const cache = new Map<string, { readonly stamp: string; readonly text: string }>();
  let cachedChars = 0;

  const drop = (path: string): void => {
    cachedChars -= cache.get(path)?.text.length ?? 0;
    cache.delete(path);
  };
  const keep = (path: string, entry: { stamp: string; text: string }): void => {
    cache.set(path, entry);
    cachedChars += entry.text.length;
    // The oldest first; a Map keeps the order in which its keys came.
    for (const oldest of cache.keys()) if (cachedChars > MOST_CACHED_CHARS && oldest !== path) drop(oldest);
  };
  const textOf = async (path: string): Promise<string | undefined> => {
    const stat = await files.stat(path);
    if (!stat) return undefined;
    if (stat.kind !== "file") throw new Failure("invalid-request", "it is no file");
    if (stat.size > MOST_BYTES) throw new Failure("invalid-request", `it has ${stat.size} bytes, more than 1 MB`);
    const stamp = `${stat.inode} ${stat.size} ${stat.modifiedAt}`;
    const cached = cache.get(path);
    if (cached?.stamp === stamp) return cached.text;
    drop(path);
    const text = new TextDecoder().decode(await files.readRange(path, 0, stat.size));
    keep(path, { stamp, text });
    return text;
  };
  const loadOne = async (workspace: string, name: string): Promise<WorkspaceFile> => {
    const path = join(workspace, name);
    try {
      // A link out of the workspace is not followed: whoever writes there could show any file to the model.
      const place = await inside(files, workspace, name);
      return { name, path, text: await textOf(place.path) };
    } catch (error) {
      const { code, message } = Failure.from(error);
      return { ...missing(workspace, name), ...(code === "not-found" ? {} : { problem: message }) };
    }
  };
  return { load: (workspace, names) => Promise.all(names.map((name) => loadOne(workspace, name))) };
}

function missing(workspace: string, name: string): WorkspaceFile {
  return { name, path: join(workspace, name), text: undefined };
}
