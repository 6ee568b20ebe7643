import { isObject, type JsonObject } from "../kit/json.ts";
import { recordWithSeal, seal } from "../store/seal.ts";
import { messageOf } from "./message-guard.ts";
import type { Entry, EntryContent } from "./transcript.ts";

export const kinds = [
  "message",
  "compaction",
  "model_change",
  "thinking_level_change",
  "custom",
] as const satisfies readonly Entry["type"][];

/** How many entries of each of `kinds` the path holds, up to and with one line of the file. */
export type Counts = readonly number[];

export const noCounts: Counts = kinds.map(() => 0);

/** A custom entry that says where the path goes on, and what of the file is off it. */
export const REWIND = "rewind";

/** Lines `from` to `to` are off the path; before them it held `counts` entries. */
export interface Skip {
  readonly from: number;
  readonly to: number;
  readonly counts: Counts;
}

/** A line of a transcript, with what lets a reader find its way without reading the rest. */
export interface Line {
  readonly id: string;
  /** What it follows; of the first entry after a rewind that is the rewind, and of a rewind where the path goes on. */
  readonly parentId: string | null;
  readonly seq: number;
  readonly counts: Counts;
  /** `seq` of the newest rewind and of the newest compaction on the path, at this line; 0 for none. */
  readonly rewind: number;
  readonly compaction: number;
  /** Undefined for what only the file's keeper needs: rewinds, and entries of kinds that this program does not know. */
  readonly entry: Entry | undefined;
  /** Of a rewind. */
  readonly skips: readonly Skip[];
}

/** A line for the file. Whatever is in `content` by the names of the frame does not count. */
export function formatLine(
  content: EntryContent | JsonObject,
  frame: Omit<Line, "entry" | "skips"> & { readonly timestamp: string },
): string {
  const { id, parentId, seq, timestamp, counts, rewind, compaction } = frame;
  const { type, ...rest } = content;
  return seal({ type, ...rest, id, parentId, seq, timestamp, n: [...counts, rewind, compaction] });
}

/** A rewind's line content. */
export function rewindContent(toId: string | null, skips: readonly Skip[]): EntryContent {
  return {
    type: "custom",
    customType: REWIND,
    data: { toId, skipped: skips.map(({ from, to, counts }) => [from, to, ...counts]) },
  };
}

/** A line's record; "damaged" when it is not what was written, "foreign" when it carries no numbers of ours. */
export function parseLine(stored: Parameters<typeof recordWithSeal>[0]): Line | "damaged" | "foreign" | "header" {
  const record = recordWithSeal(stored);
  if (!record) return "damaged";
  if (record["type"] === "session") return "header";
  const { id, parentId, seq, n } = record;
  const numbers = numbersOf(n, kinds.length + 2);
  if (typeof id !== "string" || !isCount(seq) || seq === 0 || !numbers) return "foreign";
  const rewinds = isRewind(record);
  return {
    id,
    parentId: typeof parentId === "string" ? parentId : null,
    seq,
    counts: numbers.slice(0, kinds.length),
    rewind: numbers[kinds.length] ?? 0,
    compaction: numbers[kinds.length + 1] ?? 0,
    entry: rewinds ? undefined : entryOf(record, id, seq),
    skips: rewinds ? skipsOf(record["data"]) : [],
  };
}

export function isRewind(record: JsonObject): boolean {
  return record["type"] === "custom" && record["customType"] === REWIND;
}

/** The kind of a record in the file, or undefined for one that this program does not know. */
export function kindOf(record: JsonObject): Entry["type"] | undefined {
  return isRewind(record) ? undefined : kinds.find((kind) => kind === record["type"]);
}

/** The counts with one more, or less, of this kind. */
export function counted(counts: Counts, kind: Entry["type"] | undefined, by: 1 | -1 = 1): Counts {
  return kind === undefined ? counts : counts.map((count, index) => (kinds[index] === kind ? count + by : count));
}

/** The entry that a record stands for; undefined when it is none that this program can read. */
export function entryOf(record: JsonObject, id: string, seq: number): Entry | undefined {
  const content = contentOf(record);
  if (!content) return undefined;
  const { parentId, timestamp } = record;
  // Assigned, not copied: this runs for every line of every page.
  return Object.assign(content, {
    id,
    parentId: typeof parentId === "string" ? parentId : null,
    seq,
    timestamp: typeof timestamp === "string" ? timestamp : new Date(0).toISOString(),
  });
}

function contentOf(record: JsonObject): EntryContent | undefined {
  const { type, runId } = record;
  const run = typeof runId === "string" ? { runId } : {};
  switch (type) {
    case "message": {
      const message = messageOf(record["message"], record["timestamp"]);
      const { aside } = record;
      return message && { type, message, ...run, ...(aside === true || aside === "overflow" ? { aside } : {}) };
    }
    case "compaction": {
      const { summary, firstKeptEntryId, tokensBefore } = record;
      if (typeof summary !== "string" || typeof firstKeptEntryId !== "string") return undefined;
      return { type, summary, firstKeptEntryId, tokensBefore: isCount(tokensBefore) ? tokensBefore : 0, ...run };
    }
    case "model_change": {
      const { provider, modelId } = record;
      return typeof provider === "string" && typeof modelId === "string" ? { type, provider, modelId } : undefined;
    }
    case "thinking_level_change": {
      const { thinkingLevel } = record;
      return typeof thinkingLevel === "string" ? { type, thinkingLevel } : undefined;
    }
    case "custom": {
      const { customType, data } = record;
      return typeof customType === "string" ? { type, customType, data: isObject(data) ? data : {} } : undefined;
    }
    default:
      return undefined;
  }
}

function skipsOf(data: unknown): readonly Skip[] {
  if (!isObject(data) || !Array.isArray(data["skipped"])) return [];
  return data["skipped"].flatMap((item: unknown) => {
    const [from, to, ...counts] = numbersOf(item, kinds.length + 2) ?? [];
    return from === undefined || to === undefined ? [] : [{ from, to, counts }];
  });
}

function numbersOf(value: unknown, length: number): readonly number[] | undefined {
  return Array.isArray(value) && value.length === length && value.every(isCount) ? value : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
