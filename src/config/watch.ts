import type { Host } from "../host/host.ts";
import { dirname } from "../host/paths.ts";

export interface WatchOptions {
  /** The files as of now, by absolute path; they need not exist. */
  files(): readonly string[];
  /** Quiet time after the last sign of a change, as of now. */
  debounceMs(): number;
  /** Something may have changed. Must not reject; never called while an earlier call goes on. */
  changed(): Promise<void>;
}

/** How often the files are looked at where no watch tells: network disks, some containers, a folder made anew. */
const POLL_MS = 5000;

/**
 * Calls `changed` once soon after it is called, and after every change of one of the files, until the answer is called.
 * It is the folders that are watched: editors put a new file in the place of the old one, and a watch on that would
 * follow the old one.
 */
export function watchFiles({ clock, files }: Pick<Host, "clock" | "files">, options: WatchOptions): () => void {
  const watches = new Map<string, { readonly inode: string; readonly stop: () => void }>();
  let watched: ReadonlySet<string> = new Set();
  let seen: ReadonlyMap<string, string> = new Map();
  let stopped = false;
  let running: Promise<void> | undefined;
  let cancel = (): void => undefined;

  function schedule(): void {
    cancel();
    if (!stopped) cancel = clock.after(options.debounceMs(), () => void settle());
  }

  async function settle(): Promise<void> {
    if (running) return schedule();
    running = look(true).then(() => options.changed());
    await running;
    running = undefined;
    await look(); // other files may be included now
  }

  /** Sees how the files are; a difference that no watch has told is one all the same, unless it is `known` of. */
  async function look(known = false): Promise<void> {
    const paths = options.files();
    const real = await Promise.all(paths.map((path) => files.realPath(path).catch(() => undefined)));
    watched = new Set([...paths, ...real.flatMap((path) => path ?? [])]);
    await Promise.all([...new Set([...watched].map(dirname))].map(watchFolder));
    const now = new Map(await Promise.all(paths.map(async (path) => [path, await signatureOf(path)] as const)));
    if (!known && [...seen].some(([path, signature]) => now.has(path) && now.get(path) !== signature)) schedule();
    seen = now;
  }

  async function watchFolder(folder: string): Promise<void> {
    const inode = (await files.stat(folder).catch(() => undefined))?.inode;
    const present = watches.get(folder);
    if (stopped || present?.inode === inode) return;
    present?.stop();
    watches.delete(folder);
    if (inode === undefined) return;
    try {
      const tell = (path: string): void => {
        if (path === folder || watched.has(path)) schedule();
      };
      watches.set(folder, { inode, stop: files.watch(folder, tell) });
    } catch {
      // The system gives no watch, or the folder went away in between: the files are looked at all the same.
    }
  }

  async function signatureOf(path: string): Promise<string> {
    const stat = await files.stat(path).catch(() => undefined);
    return stat ? `${stat.inode} ${stat.size} ${stat.modifiedAt}` : "";
  }

  void look().then(schedule);
  const stopPolling = clock.every(POLL_MS, () => void (running ?? look()));
  return () => {
    stopped = true;
    cancel();
    stopPolling();
    for (const { stop } of watches.values()) stop();
    watches.clear();
  };
}
