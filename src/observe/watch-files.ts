import type { AppendFile, Clock, Files } from "../host/host.ts";

export interface FileWatch {
  /** The same files, each write of which is told. */
  readonly over: (files: Files) => Files;
  /** Files that are open for appending now. */
  readonly open: () => number;
}

/** Tells how long each write to files takes until it is on the disk. */
export function createFileWatch(
  clock: Pick<Clock, "monotonic">,
  flushed: (kind: "append" | "replace", ms: number) => void,
): FileWatch {
  let open = 0;
  async function timed(kind: "append" | "replace", write: () => Promise<void>): Promise<void> {
    const since = clock.monotonic();
    await write();
    flushed(kind, clock.monotonic() - since);
  }
  function watched(file: AppendFile): AppendFile {
    open++;
    let closed = false;
    return {
      get size() {
        return file.size;
      },
      read: (start, end) => file.read(start, end),
      append: (data, options) =>
        options?.flush ? timed("append", () => file.append(data, options)) : file.append(data, options),
      async close() {
        if (!closed) open--;
        closed = true;
        await file.close();
      },
    };
  }
  return {
    over: (files) => ({
      ...files,
      open: async (path, options) => watched(await files.open(path, options)),
      write: (path, text, options) => timed("replace", () => files.write(path, text, options)),
    }),
    open: () => open,
  };
}
