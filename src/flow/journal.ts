import * as v from "valibot";
import { isObject, type JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { openLedger } from "../store/ledger.ts";
import type { Logs } from "../store/log.ts";
import type { TurnInput } from "./turns.ts";

/**
 * The record of what was accepted and what became of it. An input is in it before it is acknowledged, and stays until
 * its answer is in the transcript: what a crash cut off is found here at the next start.
 */
export interface Journal {
  /** Inputs that are not settled, in the order they were accepted. */
  pending(): readonly Taken[];
  /** An input that is not settled; undefined when nothing is known of it. */
  taken(runId: string): Taken | undefined;
  /** How a run ended that was settled lately; undefined when nothing is known of it. */
  settled(runId: string): Settled | undefined;
  take(taken: Omit<Taken, "attempts" | "stopped">): Promise<void>;
  /** A run begins with these inputs: one that never ends is known by the number of its beginnings. */
  begin(runIds: readonly string[]): Promise<void>;
  /** A person ended these: they are not taken up again. */
  stop(runIds: readonly string[]): Promise<void>;
  settle(outcomes: readonly Settled[]): Promise<void>;
  /** Reads everything again: another process wrote it until now. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface Taken {
  readonly input: TurnInput;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  /** The session's transcript then, and its newest entry: what was written for this input comes after it. */
  readonly sessionId: string;
  readonly afterSeq: number;
  readonly attempts: number;
  readonly stopped: boolean;
}

export interface Settled {
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly status: "ok" | "error" | "timeout" | "aborted";
  readonly acceptedAt: number;
  readonly endedAt: number;
}

const KEY = "runs/journal.jsonl";
/** A repeated request is known for as long as a client may reasonably repeat it. */
const rememberMs = 24 * 3600_000;
const rememberMost = 5000;

const text = v.string();
const some = v.looseObject({ op: v.picklist(["begin", "stop"]), runIds: v.array(text) });
/** By `op`. Most lines that a start reads are the short ones. */
const schemas = {
  take: v.looseObject({
    op: v.literal("take"),
    input: v.looseObject({
      runId: text,
      sessionKey: text,
      agentId: text,
      content: v.array(v.looseObject({ type: text })),
      commands: v.boolean(),
      origin: v.looseObject({ channel: text, sender: text, scopes: v.array(text) }),
    }),
    acceptedAt: v.number(),
    sessionId: text,
    afterSeq: v.number(),
    attempts: v.optional(v.number(), 0),
    stopped: v.optional(v.boolean(), false),
  }),
  begin: some,
  stop: some,
  done: v.custom<Settled & JsonObject & { readonly op: "done" }>(isSettled),
  /** Many that are over, in a journal that was made smaller. */
  over: v.looseObject({ op: v.literal("over"), runs: v.array(v.custom<Settled>(isSettled)) }),
} as const;
type Line = v.InferOutput<(typeof schemas)[keyof typeof schemas]>;
const lineSchema: v.GenericSchema<unknown, Line> = v.lazy((line) => {
  const op = isObject(line) ? line["op"] : undefined;
  return isOp(op) ? schemas[op] : v.never();
});

function isOp(op: unknown): op is keyof typeof schemas {
  return typeof op === "string" && Object.hasOwn(schemas, op);
}

const statuses: ReadonlySet<unknown> = new Set<Settled["status"]>(["ok", "error", "timeout", "aborted"]);

function isSettled(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { runId, sessionKey, agentId, status, acceptedAt, endedAt } = value;
  const isNamed = [runId, sessionKey, agentId].every((each) => typeof each === "string");
  return isNamed && statuses.has(status) && typeof acceptedAt === "number" && typeof endedAt === "number";
}

export async function openJournal({ logs, log }: { logs: Logs; log: Logger }): Promise<Journal> {
  const pending = new Map<string, Taken>();
  const settled = new Map<string, Settled>();

  function apply(line: Line): void {
    if (line.op === "take") {
      const { acceptedAt, sessionId, afterSeq, attempts, stopped } = line;
      // What the schema does not name (content parts, overrides) was checked when it was accepted, by this program.
      const input = line.input as unknown as TurnInput;
      pending.set(input.runId, { input, acceptedAt, sessionId, afterSeq, attempts, stopped });
    } else if (line.op === "over") {
      for (const outcome of line.runs) settled.set(outcome.runId, outcome);
    } else if (line.op === "done") {
      const { op: _, ...outcome } = line;
      pending.delete(line.runId);
      settled.set(line.runId, outcome);
      // By the journal's own time: what was answered last is known however long the gateway was away.
      const oldest = line.endedAt - rememberMs;
      for (const [runId, { endedAt }] of settled) {
        if (settled.size <= rememberMost && endedAt >= oldest) break;
        settled.delete(runId);
      }
    } else {
      for (const runId of line.runIds) {
        const taken = pending.get(runId);
        if (!taken) continue;
        pending.set(
          runId,
          line.op === "stop" ? { ...taken, stopped: true } : { ...taken, attempts: taken.attempts + 1 },
        );
      }
    }
  }

  const ledger = await openLedger({
    logs,
    key: KEY,
    name: "the journal of runs",
    log,
    schema: lineSchema,
    apply,
    clear() {
      pending.clear();
      settled.clear();
    },
    state: () => [
      ...batchesOf([...settled.values()]).map((runs) => ({ op: "over" as const, runs: [...runs] })),
      ...[...pending.values()].map((taken) => ({ op: "take" as const, ...taken }) as unknown as Line),
    ],
  });
  return {
    pending: () => [...pending.values()],
    taken: (runId) => pending.get(runId),
    settled: (runId) => settled.get(runId),
    take: (taken) => ledger.write([{ op: "take", ...taken } as unknown as Line]),
    begin: (runIds) => ledger.write([{ op: "begin", runIds: [...runIds] }]),
    stop: (runIds) => ledger.write([{ op: "stop", runIds: [...runIds] }]),
    settle: (outcomes) => ledger.write(outcomes.map((outcome) => ({ op: "done" as const, ...outcome }))),
    reload: () => ledger.reload(),
    close: () => ledger.close(),
  };
}

function batchesOf(all: readonly Settled[]): readonly (readonly Settled[])[] {
  return Array.from({ length: Math.ceil(all.length / batchSize) }, (_, at) =>
    all.slice(at * batchSize, (at + 1) * batchSize),
  );
}

const batchSize = 200;
