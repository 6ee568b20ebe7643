import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { linesOf, runsOf } from "../store/lines.ts";
import type { Log, Logs } from "../store/log.ts";
import { createMemoryLogs } from "../store/memory-log.ts";
import { unseal } from "../store/seal.ts";
import type { EntryIds } from "./entry-id.ts";
import {
  counted,
  formatLine,
  isRewind,
  kindOf,
  noCounts,
  rewindContent,
  type Counts,
  type Skip,
} from "./entry-line.ts";
import { openPath, type Path } from "./path.ts";

export interface AdoptOptions {
  readonly key: string;
  readonly log: Logger;
  readonly ids: EntryIds;
}

/**
 * Gives every line of a file that another program wrote the numbers by which it is read without being searched, in a new
 * file that takes the old one's place whole. The path is the chain of parents from the last entry; branches off it stay
 * in the file. While another process owns the state the new file lies in memory and takes no appends.
 */
export async function adopt(logs: Logs, foreign: Path, { key, log, ids }: AdoptOptions): Promise<Path> {
  const temporary = `${key}.adopting`;
  try {
    await logs.remove(temporary);
    await rewrite(foreign.log, { logs, key: temporary, ids });
  } catch (error) {
    const refusal = Failure.from(error);
    if (refusal.code !== "unavailable") throw error;
    const memory = createMemoryLogs();
    await rewrite(foreign.log, { logs: memory, key, ids });
    await foreign.close();
    const path = await openPath(memory, { key, log });
    return { ...path, append: () => Promise.reject(refusal) };
  }
  await foreign.close();
  await logs.move(temporary, key);
  return openPath(logs, { key, log });
}

interface Node {
  readonly id: string;
  readonly parent: string | null | undefined;
  readonly hidden: boolean;
}

async function rewrite(source: Log, { logs, key, ids }: { logs: Logs; key: string; ids: EntryIds }): Promise<void> {
  const nodes: Node[] = [];
  for await (const { record } of recordsOf(source)) {
    if (record["type"] === "session") continue;
    const { id, parentId } = record;
    nodes.push({
      id: typeof id === "string" ? id : ids.idOf(nodes.length + 1),
      parent: typeof parentId === "string" ? parentId : parentId === null ? null : nodes.at(-1)?.id,
      hidden: isRewind(record),
    });
  }
  const onPath = pathThrough(nodes);
  const target = await logs.open(key);
  try {
    await writeLines(source, target, { nodes, onPath, ids });
  } finally {
    await target.close();
  }
}

async function* recordsOf(source: Log): AsyncGenerator<{ readonly record: JsonObject }> {
  for await (const run of runsOf(source))
    for (const line of linesOf(run)) {
      const unsealed = unseal(line);
      if (unsealed) yield unsealed;
    }
}

/** Which nodes the last one leads back to. A parent that comes later, or is not there, ends the path. */
function pathThrough(nodes: readonly Node[]): readonly boolean[] {
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  const on = nodes.map(() => false);
  for (let at: number | undefined = nodes.length - 1; at !== undefined && at >= 0;) {
    const node: Node | undefined = nodes[at];
    on[at] = node?.hidden === false;
    const parent: number | undefined = typeof node?.parent === "string" ? places.get(node.parent) : undefined;
    at = parent !== undefined && parent < at ? parent : undefined;
  }
  return on;
}

interface Plan {
  readonly nodes: readonly Node[];
  readonly onPath: readonly boolean[];
  readonly ids: EntryIds;
}

async function writeLines(source: Log, target: Log, { nodes, onPath, ids }: Plan): Promise<void> {
  const skips: Skip[] = [];
  /** What each line has behind it and with it, on the path or on a branch off it. */
  const held = new Map<string, Held>();
  let path = nothing;
  let seq = 0;
  let parentId: string | null = null;
  let lines: string[] = [];
  const skip = (): void => {
    const open = skips.at(-1);
    if (open?.to === seq - 1) skips[skips.length - 1] = { ...open, to: seq };
    else skips.push({ from: seq, to: seq, counts: path.counts });
  };
  for await (const { record } of recordsOf(source)) {
    if (record["type"] === "session") lines.push(JSON.stringify(record));
    else {
      const node = nodes[seq];
      const id = node?.id ?? ids.idOf(seq + 1);
      const on = onPath[seq++] === true;
      const kind = kindOf(record);
      const before = on ? path : (held.get(node?.parent ?? "") ?? nothing);
      const here = {
        counts: counted(before.counts, kind),
        compaction: kind === "compaction" ? seq : before.compaction,
      };
      held.set(id, here);
      if (on) [path, parentId] = [here, id];
      else skip();
      const timestamp = typeof record["timestamp"] === "string" ? record["timestamp"] : new Date(0).toISOString();
      lines.push(formatLine(record, { id, parentId: node?.parent ?? null, seq, timestamp, rewind: 0, ...here }));
    }
    if (lines.length >= BATCH) {
      await target.append(lines);
      lines = [];
    }
  }
  if (skips.length > 0) {
    seq++;
    skip();
    const frame = { id: ids.idOf(seq), parentId, seq, rewind: seq, ...path };
    lines.push(formatLine(rewindContent(parentId, skips), { ...frame, timestamp: new Date(0).toISOString() }));
  }
  if (lines.length > 0) await target.append(lines);
}

interface Held {
  readonly counts: Counts;
  readonly compaction: number;
}

const nothing: Held = { counts: noCounts, compaction: 0 };

const BATCH = 500;
