import type { Files } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { createLanes, type Lanes } from "../kit/lanes.ts";
import { checkedKey, checkedLines, isKeyPart } from "./key.ts";
import type { Store } from "./store.ts";

/** A Store whose keys are files under `folder`. Two stores over one folder in one process must share `lanes`. */
export function createFolderStore(files: Files, folder: string, lanes: Lanes = createLanes()): Store {
  const batches = new Map<string, Batch>();
  const pathOf = (key: string): string => join(folder, checkedKey(key));

  async function flush(key: string, path: string): Promise<void> {
    const text = batches.get(key)?.text ?? "";
    batches.delete(key);
    await files.makeFolder(dirname(path));
    await cutTornTail(files, path);
    const file = await files.open(path);
    try {
      await file.append(text, { flush: true });
    } finally {
      await file.close();
    }
  }

  async function walk(under: string, prefix: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of (await files.list(join(folder, under))).filter(isKeyPart)) {
      const key = under === "" ? name : `${under}/${name}`;
      if (!key.startsWith(prefix) && !prefix.startsWith(`${key}/`)) continue;
      const kind = (await files.stat(join(folder, key)))?.kind;
      if (kind === "file" && key.startsWith(prefix)) found.push(key);
      if (kind === "folder") found.push(...(await walk(key, prefix)));
    }
    return found;
  }

  return {
    async read(key) {
      const path = pathOf(key);
      // In the lane, so that a reader sees what an append acknowledged, and never half of one.
      return lanes.run(key, () => files.read(path));
    },
    async change(key, edit) {
      const path = pathOf(key);
      await lanes.run(key, async () => {
        const old = await files.read(path);
        const next = edit(old);
        if (next === old) return;
        if (next === undefined) return files.remove(path);
        await files.makeFolder(dirname(path));
        await files.write(path, next);
      });
    },
    async append(key, lines) {
      const path = pathOf(key);
      const text = checkedLines(key, lines);
      if (text === "") return;
      const waiting = batches.get(key);
      if (waiting) {
        waiting.text += text;
        return waiting.written;
      }
      // Everything that comes before the lane is free goes into one write and one flush.
      const batch: Batch = { text, written: lanes.run(key, () => flush(key, path)) };
      batches.set(key, batch);
      return batch.written;
    },
    async keys(prefix) {
      return (await walk("", prefix)).toSorted();
    },
  };
}

interface Batch {
  text: string;
  readonly written: Promise<void>;
}

/**
 * A line that a crash or a full disk left half written is moved to `<path>.torn` before the next line is put behind it.
 * Looked for on every append, for a last byte costs nothing beside a flush.
 */
async function cutTornTail(files: Files, path: string): Promise<void> {
  const size = (await files.stat(path))?.size ?? 0;
  if (size === 0 || (await files.readRange(path, size - 1, size))[0] === NEWLINE) return;
  const end = await endOfLastLine(files, path, size);
  await files.write(`${path}.torn`, new TextDecoder().decode(await files.readRange(path, end, size)));
  await files.truncate(path, end);
}

const NEWLINE = 10;
const STEP = 64 * 1024;

async function endOfLastLine(files: Files, path: string, size: number): Promise<number> {
  for (let end = size; end > 0; end -= STEP) {
    const start = Math.max(end - STEP, 0);
    const last = (await files.readRange(path, start, end)).lastIndexOf(NEWLINE);
    if (last >= 0) return start + last + 1;
  }
  return 0;
}
