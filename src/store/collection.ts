import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Store } from "./store.ts";

/**
 * A document of typed entries by id, held in memory and written through: `all` is what is on the disk. Whoever decides
 * by what it holds runs the decision and its `save` in one lane.
 */
export interface Collection<T> {
  readonly all: ReadonlyMap<string, T>;
  /** Writes the entries; they are `all` only when they are on the disk. */
  save(next: ReadonlyMap<string, T>): Promise<void>;
  /** Reads the document again. Entries that are damaged are left out, the whole text is kept aside, and the log says so. */
  reload(): Promise<void>;
}

export interface CollectionOptions<S extends v.GenericSchema> {
  readonly key: string;
  readonly entry: S;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function openCollection<S extends v.GenericSchema>(
  store: Store,
  { key, entry, clock, log }: CollectionOptions<S>,
): Promise<Collection<v.InferOutput<S>>> {
  let all: ReadonlyMap<string, v.InferOutput<S>> = new Map();

  async function repair(text: string): Promise<void> {
    const copy = `${key}.damaged-${new Date(clock.now()).toISOString().replaceAll(":", "-")}`;
    log.warn(`${key} is damaged: what could not be read is left out, the file as it was is kept as ${copy}`);
    try {
      await store.change(copy, () => text);
      await collection.save(all);
    } catch (error) {
      log.warn(`${key} could not be repaired`, { error: String(error) });
    }
  }

  const collection: Collection<v.InferOutput<S>> = {
    get all() {
      return all;
    },
    async save(next) {
      const text = `${JSON.stringify(Object.fromEntries(next), null, 2)}\n`;
      await store.change(key, () => text);
      all = next;
    },
    async reload() {
      const text = await store.read(key);
      const document = text === undefined ? {} : parseJson(text);
      const entries = isObject(document) ? Object.entries(document) : [];
      const read = entries.map(([id, value]) => [id, v.safeParse(entry, value)] as const);
      all = new Map(read.flatMap(([id, { success, output }]) => (success ? [[id, output] as const] : [])));
      if (text !== undefined && (!isObject(document) || all.size < entries.length)) await repair(text);
    },
  };
  await collection.reload();
  return collection;
}
