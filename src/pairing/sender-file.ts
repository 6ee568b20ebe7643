import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject, parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Store } from "../store/store.ts";
import type { Place } from "./sender-place.ts";

/** One list in a document that other gateways read and write too. */
export interface SenderFile<T> {
  readonly entries: readonly T[];
  /** Why the list cannot be saved. */
  readonly refusal: Failure | undefined;
  /** Replaces the list and keeps what else the document says. Rejects when another program wrote it meanwhile. */
  readonly save: (next: readonly T[]) => Promise<void>;
}

export interface SenderGround {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SenderFileOptions<S extends v.GenericSchema> {
  readonly key: string;
  /** The name of the list in the document. */
  readonly list: "requests" | "allowFrom";
  readonly entry: S;
  /** Whose the document is, where its key alone does not tell: `a-b-c` may be account `b-c` of `a`, or `c` of `a-b`. */
  readonly place?: Place;
}

/**
 * Reads the list as it is now, so that edits by hand and by other programs count at once. What cannot be read is left
 * out, and kept aside as it was before the first write.
 */
export async function readSenderFile<S extends v.GenericSchema>(
  { store, clock, log }: SenderGround,
  { key, list, entry, place }: SenderFileOptions<S>,
): Promise<SenderFile<v.InferOutput<S>>> {
  const text = await store.read(key);
  const parsed = text === undefined ? { [list]: [] } : parseJson(text);
  const document = isObject(parsed) && (parsed["version"] ?? 1) === 1 ? parsed : {};
  const given = document[list];
  const read = (Array.isArray(given) ? given : []).map((each) => v.safeParse(entry, each));
  const whole = Array.isArray(given) && read.every(({ success }) => success);
  const refusal =
    place && isOfAnother(document, place)
      ? new Failure("conflict", `${key} belongs to another channel or account: give one of the two another name`)
      : undefined;

  async function keepAside(damaged: string): Promise<void> {
    const copy = `${key}.damaged-${new Date(clock.now()).toISOString().replaceAll(":", "-")}`;
    await store.change(copy, () => damaged);
    log.warn(`${key} is damaged: what could not be read is left out, the file as it was is kept as ${copy}`);
  }

  return {
    refusal,
    entries: refusal ? [] : read.flatMap(({ success, output }) => (success ? [output] : [])),
    async save(next) {
      if (refusal) throw refusal;
      if (text !== undefined && !whole) await keepAside(text);
      const saved = `${JSON.stringify({ version: 1, ...document, ...place, [list]: next }, null, 2)}\n`;
      await store.change(key, (now) => {
        if (now === text) return saved;
        throw new Failure("conflict", `${key} was changed by another program in this moment: try again`);
      });
    },
  };
}

/** Documents of other gateways do not say whose they are: their key must do. */
function isOfAnother(document: Readonly<Record<string, unknown>>, { channel, accountId }: Place): boolean {
  return (document["channel"] ?? channel) !== channel || (document["accountId"] ?? accountId) !== accountId;
}
