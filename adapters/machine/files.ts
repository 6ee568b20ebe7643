import { constants, watch as watchPath, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Files, WriteOptions } from "../../src/host/host.ts";

const windows = process.platform === "win32";
/** Never writes through a link that somebody laid where the temporary file goes. */
const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** Neither follows a link nor waits for the other end of a pipe. */
const plain = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Files of this machine. */
export const files: Files = {
  temporaryFolder: tmpdir(),
  read: (path) => orMissing(fs.readFile(path, "utf8")),
  async readRange(path, start, end) {
    const file = await fs.open(path, "r");
    try {
      return await readFrom(file, start, Math.min(end, (await file.stat()).size));
    } finally {
      await file.close();
    }
  },
  async write(path, text, { mode = 0o600, flush = true } = {}) {
    const temporary = temporaryFor(path);
    try {
      await writeNew(temporary, text, { mode, flush });
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
    if (flush) await flushFolder(dirname(path));
  },
  async create(path, text, { mode = 0o600, flush = true } = {}) {
    // Whole under another name first: who is killed between opening and writing would leave an empty file for ever.
    const temporary = temporaryFor(path);
    try {
      await writeNew(temporary, text, { mode, flush });
      await linkOrCopy(temporary, path, () => writeNew(path, text, { mode, flush }));
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      await fs.rm(temporary, { force: true });
    }
    if (flush) await flushFolder(dirname(path));
    return true;
  },
  async open(path, { durable = false } = {}) {
    // Written and flushed in one call (open(2)), where that means as much as fdatasync.
    const flushes = durable && process.platform === "linux";
    const { O_RDWR, O_CREAT, O_APPEND, O_DSYNC } = constants;
    const file = await fs.open(path, O_RDWR | O_CREAT | O_APPEND | (flushes ? O_DSYNC : 0), 0o600);
    let { size } = await file.stat();
    // What is appended to a new file is not kept unless its name is.
    if (size === 0) await flushFolder(dirname(path));
    return {
      get size() {
        return size;
      },
      read: (start, end) => readFrom(file, start, Math.min(end, size)),
      async append(data, { flush = false } = {}) {
        const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
        try {
          await file.appendFile(bytes);
          size += bytes.length;
        } catch (error) {
          // A full disk takes a part.
          ({ size } = await file.stat());
          throw error;
        }
        if (flush && !flushes) await file.datasync();
      },
      close: () => file.close(),
    };
  },
  async openRead(path) {
    const file = await orMissing(fs.open(path, plain));
    if (!file) return undefined;
    const stat = statOf(await file.stat());
    if (stat.kind !== "file") {
      await file.close();
      throw Object.assign(new Error(`EINVAL: not a plain file, open '${path}'`), { code: "EINVAL" });
    }
    return { stat, read: (start, end) => readFrom(file, start, end), close: () => file.close() };
  },
  async stat(path) {
    const found = await orMissing(fs.stat(path));
    return found && statOf(found);
  },
  list: async (path) => ((await orMissing(fs.readdir(path))) ?? []).toSorted(),
  async makeFolder(path) {
    const first = await fs.mkdir(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made));
  },
  async remove(path) {
    await fs.rm(path, { recursive: true, force: true });
    await flushFolder(dirname(path));
  },
  async rename(from, to) {
    await fs.rename(from, to);
    await flushFolder(dirname(to));
  },
  chmod: (path, mode) => fs.chmod(path, mode),
  async truncate(path, size) {
    const file = await fs.open(path, "r+");
    try {
      await file.truncate(size);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  realPath: (path) => orMissing(fs.realpath(path)),
  async freeSpace(path) {
    const { bavail, bsize } = await fs.statfs(path);
    return bavail * bsize;
  },
  watch(path, changed, { recursive = false } = {}) {
    const watcher = watchPath(path, { recursive, persistent: false }, (_, name) =>
      changed(name ? join(path, name) : path),
    );
    // What is watched may vanish; that is a change too.
    watcher.on("error", () => changed(path));
    return () => watcher.close();
  },
};

async function readFrom(file: fs.FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.max(0, end - start));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`);
}

/** A second name for a whole file, given in one step; `copy` does it where the disk knows no links (exFAT, some shares). */
async function linkOrCopy(from: string, to: string, copy: () => Promise<void>): Promise<void> {
  try {
    await fs.link(from, to);
  } catch (error) {
    if (!withoutLinks.has(codeOf(error))) throw error;
    await copy();
  }
}

const withoutLinks = new Set<unknown>(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK"]);

async function writeNew(path: string, text: string, { mode, flush }: Required<WriteOptions>): Promise<void> {
  const file = await fs.open(path, exclusive, mode);
  try {
    await file.writeFile(text);
    // The process's umask may have taken bits away that were asked for.
    if (!windows) await file.chmod(mode);
    if (flush) await file.sync();
  } catch (error) {
    // A part of it must not pass for the whole: on a full disk the next try would find that it exists.
    await fs.rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** A new name is durable only when its folder is (POSIX); Windows cannot open folders and does not need it. */
async function flushFolder(path: string): Promise<void> {
  if (windows) return;
  const folder = await orMissing(fs.open(path, "r"));
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}

async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function statOf(found: Stats) {
  return {
    kind: found.isFile() ? ("file" as const) : found.isDirectory() ? ("folder" as const) : ("other" as const),
    size: found.size,
    modifiedAt: found.mtimeMs,
    mode: found.mode & 0o7777,
    inode: `${found.dev}:${found.ino}`,
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
