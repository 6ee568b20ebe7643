import type { Files, FileStat } from "../../src/host/host.ts";
import { basename, dirname, join } from "../../src/host/paths.ts";

/** A disk in memory that behaves like a POSIX one, and that can stop like a machine that loses its process. */
export interface MemoryFiles extends Files {
  /**
   * The n-th operation that changes the disk from now on fails, and every later one: `kill -9` at that point. An append
   * that it hits leaves half of its text; a write that it hits leaves its temporary file.
   */
  crashAfter(n: number): void;
  /** The disk is used by a new process. */
  recover(): void;
  /** Operations so far that changed the disk. */
  readonly operations: number;
  /** Awaited before each operation: an interleaving, a slow disk, or by throwing a full one. */
  before: ((operation: string, path: string) => void | Promise<void>) | undefined;
  /** Puts a file there with its folders, as something that happened before the test. */
  put(path: string, text: string, mode?: number): void;
  /** Puts a folder there with its parents. */
  putFolder(path: string): void;
  /** The text of every file by path. */
  snapshot(): Readonly<Record<string, string>>;
}

export class Crash extends Error {
  override readonly name = "Crash";
}

interface Entry {
  readonly kind: "file" | "folder";
  readonly inode: string;
  bytes: Uint8Array;
  mode: number;
  modifiedAt: number;
}

export function createMemoryFiles(now: () => number = Date.now): MemoryFiles {
  const entries = new Map<string, Entry>();
  const watchers = new Set<{
    readonly path: string;
    readonly deep: boolean;
    readonly changed: (path: string) => void;
  }>();
  let inodes = 0;
  let operations = 0;
  let crashAt = Number.POSITIVE_INFINITY;

  const add = (path: string, kind: Entry["kind"], mode: number, text = ""): Entry => {
    const entry = { kind, inode: String(++inodes), bytes: encode(text), mode, modifiedAt: now() };
    entries.set(path, entry);
    return entry;
  };
  add("/", "folder", 0o755);

  const changed = (path: string): void => {
    for (const watcher of watchers) {
      const inside = watcher.deep ? path.startsWith(`${watcher.path}/`) : dirname(path) === watcher.path;
      if (path === watcher.path || inside) queueMicrotask(() => watchers.has(watcher) && watcher.changed(path));
    }
  };
  /** Counts a change of the disk; the one that crashes may leave something behind. */
  const step = (leave?: () => void): void => {
    operations++;
    if (operations < crashAt) return;
    if (operations === crashAt) leave?.();
    throw new Crash("the process was killed");
  };
  const parent = (path: string): void => {
    const folder = entries.get(dirname(path));
    if (!folder) throw systemError("ENOENT", "no such file or directory", path);
    if (folder.kind !== "folder") throw systemError("ENOTDIR", "not a directory", path);
  };
  const file = (path: string): Entry => {
    const entry = entries.get(path);
    if (!entry) throw systemError("ENOENT", "no such file or directory", path);
    if (entry.kind !== "file") throw systemError("EISDIR", "illegal operation on a directory", path);
    return entry;
  };
  const move = (from: string, to: string): void => {
    if (!entries.has(from)) throw systemError("ENOENT", "no such file or directory", from);
    parent(to);
    const moved = [...entries].filter(([path]) => path === from || path.startsWith(`${from}/`));
    for (const [path, entry] of moved) {
      entries.delete(path);
      entries.set(to + path.slice(from.length), entry);
    }
    changed(from);
    changed(to);
  };

  const disk: MemoryFiles = {
    before: undefined,
    temporaryFolder: "/tmp",
    async read(path) {
      await disk.before?.("read", path);
      return entries.has(path) ? decode(file(path).bytes) : undefined;
    },
    async readRange(path, start, end) {
      await disk.before?.("readRange", path);
      return file(path).bytes.slice(start, end);
    },
    async write(path, text, { mode = 0o600 } = {}) {
      await disk.before?.("write", path);
      parent(path);
      if (entries.get(path)?.kind === "folder") file(path);
      const temporary = join(dirname(path), `.${basename(path)}.${inodes + 1}.tmp`);
      step(() => add(temporary, "file", mode, text.slice(0, text.length / 2)));
      add(temporary, "file", mode, text);
      step();
      move(temporary, path);
    },
    async create(path, text, { mode = 0o600 } = {}) {
      await disk.before?.("create", path);
      parent(path);
      if (entries.has(path)) return false;
      step();
      add(path, "file", mode, text);
      changed(path);
      return true;
    },
    async open(path) {
      await disk.before?.("open", path);
      parent(path);
      if (!entries.has(path)) {
        step();
        add(path, "file", 0o600);
      }
      const entry = file(path);
      let closed = false;
      return {
        get size() {
          return entry.bytes.length;
        },
        async read(start, end) {
          await disk.before?.("readRange", path);
          if (closed) throw systemError("EBADF", "bad file descriptor", path);
          return entry.bytes.slice(start, end);
        },
        async append(data) {
          await disk.before?.("append", path);
          if (closed) throw systemError("EBADF", "bad file descriptor", path);
          const bytes = typeof data === "string" ? encode(data) : data;
          step(() => extend(entry, bytes.subarray(0, bytes.length / 2)));
          extend(entry, bytes);
          entry.modifiedAt = now();
          changed(path);
        },
        async close() {
          closed = true;
        },
      };
    },
    async openRead(path) {
      await disk.before?.("openRead", path);
      if (!entries.has(path)) return undefined;
      const entry = file(path);
      return {
        stat: statOf(entry),
        async read(start, end) {
          await disk.before?.("readRange", path);
          return entry.bytes.slice(start, end);
        },
        close: async () => undefined,
      };
    },
    async stat(path): Promise<FileStat | undefined> {
      await disk.before?.("stat", path);
      const entry = entries.get(path);
      return entry && statOf(entry);
    },
    async list(path) {
      await disk.before?.("list", path);
      return [...entries.keys()]
        .filter((entry) => entry !== "/" && dirname(entry) === path)
        .map(basename)
        .sort();
    },
    async makeFolder(path) {
      await disk.before?.("makeFolder", path);
      for (const folder of ancestors(path).filter((folder) => !entries.has(folder))) {
        step();
        add(folder, "folder", 0o700);
        changed(folder);
      }
      if (entries.get(path)?.kind !== "folder") throw systemError("EEXIST", "file already exists", path);
    },
    async remove(path) {
      await disk.before?.("remove", path);
      if (!entries.has(path)) return;
      step();
      for (const entry of entries.keys()) if (entry === path || entry.startsWith(`${path}/`)) entries.delete(entry);
      changed(path);
    },
    async rename(from, to) {
      await disk.before?.("rename", from);
      step();
      move(from, to);
    },
    async chmod(path, mode) {
      await disk.before?.("chmod", path);
      const entry = entries.get(path) ?? file(path);
      step();
      entry.mode = mode;
    },
    async truncate(path, size) {
      await disk.before?.("truncate", path);
      const entry = file(path);
      step();
      entry.bytes = entry.bytes.slice(0, size);
      entry.modifiedAt = now();
      changed(path);
    },
    async realPath(path) {
      await disk.before?.("realPath", path);
      return entries.has(join(path)) ? join(path) : undefined;
    },
    watch(path, changed, options) {
      const watcher = { path, deep: options?.recursive === true, changed };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    crashAfter: (n) => void (crashAt = operations + n),
    recover: () => void (crashAt = Number.POSITIVE_INFINITY),
    get operations() {
      return operations;
    },
    put(path, text, mode = 0o600) {
      disk.putFolder(dirname(path));
      add(path, "file", mode, text);
      changed(path);
    },
    putFolder(path) {
      for (const folder of ancestors(path)) if (!entries.has(folder)) add(folder, "folder", 0o700);
    },
    snapshot: () =>
      Object.fromEntries(
        [...entries].filter(([, entry]) => entry.kind === "file").map(([path, entry]) => [path, decode(entry.bytes)]),
      ),
  };
  return disk;
}

function statOf({ kind, bytes, modifiedAt, mode, inode }: Entry): FileStat {
  return { kind, size: bytes.length, modifiedAt, mode, inode };
}

function systemError(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}, '${path}'`), { code });
}

/** `/a/b` as `/`, `/a`, `/a/b`. */
function ancestors(path: string): readonly string[] {
  return path === "/" ? ["/"] : [...ancestors(dirname(path)), path];
}

function extend(entry: Entry, more: Uint8Array): void {
  const bytes = new Uint8Array(entry.bytes.length + more.length);
  bytes.set(entry.bytes);
  bytes.set(more, entry.bytes.length);
  entry.bytes = bytes;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
