import type { Files } from "../host/host.ts";
import { dirname, join } from "../host/paths.ts";
import { createLanes, type Lanes } from "../kit/lanes.ts";
import { checkedKey, checkedLines, isKeyPart } from "./key.ts";
import type { Store } from "./store.ts";
import { cutTornTail } from "./torn.ts";

/** A Store whose keys are files under `folder`. Two stores over one folder in one process must share `lanes`. */
export function createFolderStore(files: Files, folder: string, lanes: Lanes = createLanes()): Store {
  const batches = new Map<string, Batch>();
  const pathOf = (key: string): string => join(folder, checkedKey(key));

  async function flush(key: string, path: string): Promise<void> {
    const text = batches.get(key)?.text ?? "";
    batches.delete(key);
    await files.makeFolder(dirname(path));
    // Looked for on every append, so that no line is put behind half a one: a last byte costs nothing beside a flush.
    await cutTornTail(files, path);
    const file = await files.open(path, { durable: true });
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
