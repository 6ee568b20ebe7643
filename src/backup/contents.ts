import type { Files } from "../host/host.ts";
import { basename, join } from "../host/paths.ts";
import { walk } from "../host/walk.ts";
import { Failure } from "../kit/error.ts";
import { SECRETS_FILE } from "../service/secrets.ts";
import { unfitPath } from "./archive-path.ts";

/** One file that is to be copied. */
export interface Source {
  /** Where it is. */
  readonly from: string;
  /** Relative to the folder that was asked for. */
  readonly name: string;
  /** It grows at its end, line by line, while it is copied: only whole lines are taken. */
  readonly grows: boolean;
  readonly executable: boolean;
  readonly size: number;
}

export interface Skipped {
  /** Where it is; a folder ends with `/`. */
  readonly path: string;
  readonly reason: string;
}

export interface Contents {
  readonly sources: readonly Source[];
  readonly skipped: readonly Skipped[];
}

/** Why something in a state folder is no part of it, by its name below it; undefined for what is. */
export function notState(name: string): string | undefined {
  if (ofThisMachine.includes(name)) return "of this machine's service: gateway install writes it";
  return left.find(([pattern]) => pattern.test(name))?.[1] ?? unfinished(name);
}

/** What the service of this machine is made of: a restore leaves it as it is. */
export const ofThisMachine: readonly string[] = ["gateway.cmd", "gateway-task.xml", SECRETS_FILE];

const left: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^[^/]+\.lock(\.claim-[^/]*)?$/, "a lock: it belongs to a running process"],
  [/^(runtime|starts)\.json$/, "about a running process"],
  [/^logs$/, "logs"],
  [/^unfinished$/, "uploads that were not finished"],
  [/^search$/, "the search index: it is made again from the conversations"],
  [/^trash$/, "what was thrown away"],
  [/(^|\/)index\.next\.jsonl$|\.adopting$/, "half of a file that is being rewritten"],
  [/(^|\/)node_modules$/, "packages: they are installed again"],
];

/** A file that is written under a name of its own before it takes the place of another. */
function unfinished(name: string): string | undefined {
  return /^\..*\.tmp$/.test(basename(name)) ? "half of a file that is being written" : undefined;
}

/**
 * The files of a state folder in the order in which they are to be copied while a gateway writes. Whoever writes puts
 * down first what others then refer to: a picture before its message, a message before the journal forgets it, a
 * transcript before the row of a filled session, a pairing before its request goes. So the one that refers is copied
 * first, and what it refers to is there when its turn comes: what is copied is what a crash might have left.
 */
export async function stateContents(files: Files, folder: string, without: readonly string[]): Promise<Contents> {
  const skip = (name: string): string | undefined =>
    without.includes(join(folder, name)) ? "it is copied by itself, or was not asked for" : notState(name);
  const { sources, skipped } = await contentsOf(files, folder, { skip, grows: (name) => /\.jsonl(\.|$)/.test(name) });
  return { sources: sources.toSorted((a, b) => rank(a.name) - rank(b.name)), skipped };
}

const ranks: readonly RegExp[] = [
  /^runs\/|^(devices|nodes)\/pending\.json$/,
  /^sessions\//,
  /^agents\//,
  // Everything else stands for itself.
  /^(?!media\/)/,
  /^media\//,
];

function rank(name: string): number {
  return ranks.findIndex((pattern) => pattern.test(name));
}

/** The files of a workspace: all of them but packages. */
export function workspaceContents(files: Files, folder: string): Promise<Contents> {
  const skip = (name: string): string | undefined =>
    basename(name) === "node_modules" ? "packages: they are installed again" : undefined;
  return contentsOf(files, folder, { skip, grows: () => false });
}

interface Choice {
  readonly skip: (name: string) => string | undefined;
  readonly grows: (name: string) => boolean;
}

async function contentsOf(files: Files, folder: string, { skip, grows }: Choice): Promise<Contents> {
  const found = await walk(files, folder, { limit: MAX_FILES, enter: (name) => skip(name) === undefined });
  if (found.cut)
    throw new Failure("failed", `${folder} has more than ${MAX_FILES} files and folders: leave some of them out`);
  const [blocked] = found.unreadable;
  if (blocked)
    throw new Failure("failed", `${blocked.path} cannot be read (${blocked.reason}): make it readable for this user`);
  const sources: Source[] = [];
  const skipped: Skipped[] = [];
  for (const { path, name, stat, link } of found.entries) {
    const why = skip(name) ?? (link ? "a link: what it leads to is elsewhere" : unfitReason(name, stat.kind));
    if (why !== undefined) skipped.push({ path: stat.kind === "folder" && !link ? `${path}/` : path, reason: why });
    else if (stat.kind === "file")
      sources.push({ from: path, name, grows: grows(name), executable: (stat.mode & 0o100) !== 0, size: stat.size });
  }
  return { sources, skipped };
}

function unfitReason(name: string, kind: "file" | "folder" | "other"): string | undefined {
  if (kind === "other") return "not a plain file: a socket, a pipe or a device";
  const why = unfitPath(name);
  return why === undefined ? undefined : `a name that not every system can have: ${why}`;
}

const MAX_FILES = 500_000;
