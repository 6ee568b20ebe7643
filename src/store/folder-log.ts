import type { AppendFile, Files } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { checkedKey, checkedLines } from "./key.ts";
import type { Log, Logs } from "./log.ts";
import { createOpenKeys } from "./open-keys.ts";
import { cutTornTail, endOfLines } from "./torn.ts";

/** Logs that are files under `folder`. */
export function createFolderLogs(files: Files, folder: string): Logs {
  const open = createOpenKeys();
  const pathOf = (key: string): string => join(folder, checkedKey(key));

  return {
    async open(key) {
      const path = pathOf(key);
      const release = open.take(key);
      try {
        return await openLog(files, { key, path, release });
      } catch (error) {
        release();
        throw error;
      }
    },
    async move(from, to) {
      const [source, target] = [pathOf(from), pathOf(to)];
      open.mustBeClosed(from, to);
      if (!(await files.stat(source))) return;
      await files.makeFolder(dirname(target));
      await files.rename(source, target);
    },
    async remove(key) {
      const path = pathOf(key);
      open.mustBeClosed(key);
      if (await files.stat(path)) await files.remove(path);
    },
    async replace(key, lines) {
      const path = pathOf(key);
      open.mustBeClosed(key);
      await files.makeFolder(dirname(path));
      await files.write(path, checkedLines(key, lines));
    },
  };
}

interface Place {
  readonly key: string;
  readonly path: string;
  readonly release: () => void;
}

async function openLog(files: Files, { key, path, release }: Place): Promise<Log> {
  const found = await files.stat(path);
  let handle: AppendFile | undefined = found && (await files.open(path, { durable: true }));
  let size = found ? await endOfLines(files, path, found.size) : 0;
  // A torn tail is cut when this log is first written to: while it is only read, another process may be writing it.
  let tail: "whole" | "torn" | "failed" = size === (found?.size ?? 0) ? "whole" : "torn";
  let batch: Batch | undefined;
  let last: Promise<number> = Promise.resolve(0);
  let closed = false;

  /** Makes the file end where it is known to be right. */
  async function mend(): Promise<void> {
    if (tail === "torn") await cutTornTail(files, path);
    // What a write that failed may have left, whole lines included, was refused to whoever sent it.
    if (tail === "failed") await files.truncate(path, size);
    tail = "whole";
  }

  async function flush({ parts, bytes }: Batch): Promise<number> {
    if (!handle) {
      await files.makeFolder(dirname(path));
      handle = await files.open(path, { durable: true });
    }
    await mend();
    tail = "failed";
    await handle.append(joined(parts, bytes), { flush: true });
    tail = "whole";
    const offset = size;
    size += bytes;
    return offset;
  }

  return {
    get size() {
      return size;
    },
    async append(lines) {
      if (closed) throw new Failure("internal", `the log ${key} is closed`);
      const part = new TextEncoder().encode(checkedLines(key, lines));
      // Everything that comes while a flush runs goes into the next one.
      const mine = (batch ??= nextBatch());
      const before = mine.bytes;
      mine.parts.push(part);
      mine.bytes += part.length;
      return (await mine.offset) + before;
    },
    async read(start, end) {
      return handle ? handle.read(start, Math.min(end, size)) : new Uint8Array(0);
    },
    async close() {
      closed = true;
      await last.catch(() => 0); // whoever appended was told
      await handle?.close();
      handle = undefined;
      release();
    },
  };

  function nextBatch(): Batch {
    const write = (): Promise<number> => {
      batch = undefined;
      return flush(made);
    };
    last = last.then(write, write);
    const made: Batch = { parts: [], bytes: 0, offset: last };
    return made;
  }
}

interface Batch {
  readonly parts: Uint8Array[];
  /** Of all parts together. */
  bytes: number;
  /** Where it begins in the log, when it is on the disk. */
  readonly offset: Promise<number>;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
