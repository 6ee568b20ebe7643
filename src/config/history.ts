import * as v from "valibot";
import type { Files } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { parseJson } from "../kit/json.ts";
import type { ConfigRevision } from "./config.ts";

const kept = 20;

const record = v.object({
  hash: v.string(),
  savedAt: v.number(),
  by: v.string(),
  changedPaths: v.array(v.string()),
  raw: v.string(),
});

/** A replaced version of the file, its text included. */
export interface SavedRevision extends ConfigRevision {
  readonly raw: string;
}

/** The last replaced versions of the configuration file, a file each, readable by the owner alone. */
export interface History {
  /** Newest first. A file that is not a revision is passed over. */
  list(): Promise<readonly SavedRevision[]>;
  /** Keeps a version; the one kept last is replaced when it is the same text, left by a write that did not happen. */
  keep(revision: Omit<SavedRevision, "number">): Promise<void>;
}

export function openHistory(files: Files, folder: string): History {
  const names = async () => (await files.list(folder)).filter((name) => /^\d{8}\.json$/.test(name)).toReversed();

  async function read(name: string): Promise<Omit<SavedRevision, "number"> | undefined> {
    const parsed = v.safeParse(record, parseJson((await files.read(join(folder, name))) ?? ""));
    return parsed.success ? parsed.output : undefined;
  }

  return {
    async list() {
      const found = await Promise.all((await names()).map(read));
      return found.flatMap((revision) => revision ?? []).map((revision, index) => ({ number: index + 1, ...revision }));
    },
    async keep(revision) {
      await files.makeFolder(folder);
      const present = await names();
      const [newest] = present;
      const text = `${JSON.stringify(revision)}\n`;
      if (newest !== undefined && (await read(newest))?.hash === revision.hash) {
        await files.write(join(folder, newest), text);
        return;
      }
      // Another process may take the same number at the same time: `create` lets one of them have it.
      let number = Number(newest?.slice(0, 8) ?? 0) + 1;
      while (!(await files.create(join(folder, fileName(number)), text))) number++;
      for (const old of present.slice(kept - 1)) await files.remove(join(folder, old));
    },
  };
}

function fileName(number: number): string {
  return `${String(number).padStart(8, "0")}.json`;
}
