import * as v from "valibot";
import { parseJson } from "../kit/json.ts";
import type { Logs } from "../store/log.ts";
import { segmentKeys } from "./text-index-segment.ts";

/** Which segments there are. Changed as a whole, so that a crash leaves either the old ones or the new ones. */
export interface Catalogue {
  /** Oldest first. */
  readonly segments: readonly number[];
  /** The number of the next one to be made. */
  readonly next: number;
  /** No part of the index any more, and not removed yet. */
  readonly retired: readonly number[];
}

/** The catalogue on the disk; an empty one when there is none or it is damaged, for the index is made anew then. */
export async function readCatalogue(logs: Logs): Promise<Catalogue> {
  const file = await logs.open(KEY);
  const text = new TextDecoder().decode(await file.read(0, file.size));
  await file.close();
  const { success, output } = v.safeParse(schema, parseJson(text));
  return success ? output : { segments: [], next: 1, retired: [] };
}

export async function writeCatalogue(logs: Logs, catalogue: Catalogue): Promise<void> {
  await logs.replace(KEY, [JSON.stringify(catalogue)]);
}

/** Removes the files of segments that nobody has open. */
export async function removeSegments(logs: Logs, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await logs.remove(segmentKeys(id).texts);
    await logs.remove(segmentKeys(id).facts);
  }
}

const KEY = "search/segments.jsonl";

const number = v.pipe(v.number(), v.integer(), v.minValue(0));
const schema = v.object({ segments: v.array(number), next: number, retired: v.array(number) });
