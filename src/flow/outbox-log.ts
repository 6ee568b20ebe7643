import * as v from "valibot";
import type { Clock } from "../host/host.ts";
import { codes, type Code } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { openLedger } from "../store/ledger.ts";
import type { Logs } from "../store/log.ts";
import type { Part } from "./deliver.ts";
import type { Delivery } from "./outbox.ts";
import { replySchema } from "./reply.ts";

/** The record of messages on their way out: a delivery is in it before it is promised, and stays until it has ended. */
export interface OutboxLog {
  /** Deliveries that have not ended, in the order they were planned. */
  pending(): readonly Planned[];
  get(id: string): Planned | undefined;
  /** How a delivery ended lately; undefined when nothing is known of it. */
  ended(id: string): Ended | undefined;
  /** How many have not ended, and how long their texts are together. */
  load(): { readonly count: number; readonly letters: number };
  plan(delivery: Delivery): Promise<void>;
  /** From now on it is these parts, whatever the account's settings become. */
  cut(id: string, parts: readonly Part[]): Promise<void>;
  /** The next part is tried: from now on nobody knows whether it was sent. */
  trying(id: string): Promise<void>;
  /** That try does not count: it failed for no reason of its own. */
  discount(id: string): Promise<void>;
  /** The network took the part, and calls it that. */
  sent(id: string, message: string): Promise<void>;
  end(id: string, failure?: { readonly code: Code; readonly message: string }): Promise<void>;
  /** Reads everything again: another process wrote it until now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface Planned {
  readonly delivery: Delivery;
  /** Milliseconds since 1970. */
  readonly plannedAt: number;
  /** Undefined until it is about to be sent: how long a part may be is known only then. */
  readonly parts: readonly Part[] | undefined;
  /** The network's ids of the parts that were sent; the next part is the one after them. */
  readonly sent: readonly string[];
  /** How often the next part was tried. */
  readonly tries: number;
}

export interface Ended {
  readonly id: string;
  readonly endedAt: number;
  /** The network's ids of what was sent. */
  readonly sent: readonly string[];
  /** Why it, or the rest of it, was not sent; undefined when all of it was. */
  readonly failure?: { readonly code: Code; readonly message: string } | undefined;
}

const KEY = "runs/outbox.jsonl";
/** A repeated request is known for as long as a client may reasonably repeat it. */
const rememberMs = 24 * 3600_000;
const rememberMost = 2000;

const text = v.string();
const media = v.array(v.object({ key: text, mimeType: text, fileName: text }));
const failure = v.object({ code: v.picklist(Object.keys(codes) as Code[]), message: text });
const lineSchema = v.variant("op", [
  v.looseObject({
    op: v.literal("plan"),
    delivery: v.object({
      id: text,
      to: replySchema,
      text,
      quotes: v.optional(text),
      media: v.optional(media),
      sessionKey: v.optional(text),
    }),
    plannedAt: v.number(),
    parts: v.optional(v.array(v.object({ text, replyTo: v.optional(text), media: v.optional(media) }))),
    sent: v.optional(v.array(text), []),
    tries: v.optional(v.number(), 0),
  }),
  v.looseObject({
    op: v.literal("cut"),
    id: text,
    parts: v.array(v.object({ text, replyTo: v.optional(text), media: v.optional(media) })),
  }),
  v.looseObject({ op: v.picklist(["trying", "discount"]), id: text }),
  v.looseObject({ op: v.literal("sent"), id: text, message: text }),
  v.looseObject({
    op: v.literal("end"),
    id: text,
    endedAt: v.number(),
    sent: v.array(text),
    failure: v.optional(failure),
  }),
]);
type Line = v.InferOutput<typeof lineSchema>;

export async function openOutboxLog(options: { logs: Logs; clock: Clock; log: Logger }): Promise<OutboxLog> {
  const { logs, clock, log } = options;
  const pending = new Map<string, Planned>();
  const ended = new Map<string, Ended>();

  function apply(line: Line): void {
    if (line.op === "plan") {
      const { delivery, plannedAt, parts, sent, tries } = line;
      pending.set(delivery.id, { delivery, plannedAt, parts, sent, tries });
    } else if (line.op === "end") {
      const { op: _, ...end } = line;
      pending.delete(line.id);
      ended.set(line.id, end);
      // By the record's own time: what was sent last is known however long the gateway was away.
      const oldest = line.endedAt - rememberMs;
      for (const [id, { endedAt }] of ended) {
        if (ended.size <= rememberMost && endedAt >= oldest) break;
        ended.delete(id);
      }
    } else {
      const planned = pending.get(line.id);
      if (planned) pending.set(line.id, after(planned, line));
    }
  }

  const ledger = await openLedger({
    logs,
    key: KEY,
    name: "the record of messages on their way out",
    log,
    schema: lineSchema,
    apply,
    clear() {
      pending.clear();
      ended.clear();
    },
    state: (): readonly Line[] => [
      ...[...ended.values()].map((end) => lineOf({ op: "end", ...end })),
      ...[...pending.values()].map((planned) => lineOf({ op: "plan", ...planned })),
    ],
  });
  const write = (line: object): Promise<void> => ledger.write([lineOf(line)]);
  return {
    pending: () => [...pending.values()],
    get: (id) => pending.get(id),
    ended: (id) => ended.get(id),
    load() {
      let letters = 0;
      for (const { delivery } of pending.values()) letters += delivery.text.length;
      return { count: pending.size, letters };
    },
    plan: (delivery) => write({ op: "plan", delivery, plannedAt: clock.now() }),
    cut: (id, parts) => write({ op: "cut", id, parts }),
    trying: (id) => write({ op: "trying", id }),
    discount: (id) => write({ op: "discount", id }),
    sent: (id, message) => write({ op: "sent", id, message }),
    end: (id, why) =>
      write({ op: "end", id, endedAt: clock.now(), sent: pending.get(id)?.sent ?? [], ...(why && { failure: why }) }),
    reload: () => ledger.reload(),
    close: () => ledger.close(),
  };
}

function after(planned: Planned, line: Exclude<Line, { op: "plan" | "end" }>): Planned {
  if (line.op === "cut") return { ...planned, parts: line.parts };
  if (line.op === "sent") return { ...planned, sent: [...planned.sent, line.message], tries: 0 };
  return { ...planned, tries: planned.tries + (line.op === "trying" ? 1 : -1) };
}

/** A line as it will be read: parsed, so that it is held to the same schema on both ways. */
function lineOf(line: object): Line {
  return v.parse(lineSchema, line);
}
