import * as v from "valibot";
import { shownMessage } from "../session/public-message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Entry } from "../session/transcript.ts";
import type { Address } from "./address.ts";
import { countParam, positiveParam, rowResult } from "./params.ts";
import { sessionView, type ViewSource } from "./session-view.ts";

const pendingInputs = v.object({
  items: v.array(
    v.object({
      id: v.string(),
      runId: v.string(),
      message: v.looseObject({ role: v.string() }),
      acceptedAt: v.number(),
      state: v.picklist(["queued", "cancelled", "interrupted"]),
    }),
  ),
  total: countParam,
  nextBefore: v.optional(positiveParam),
});

const receipts = v.array(
  v.union([
    v.object({ runId: v.string(), state: v.literal("pending") }),
    v.object({ runId: v.string(), state: v.literal("consumed"), consumedByEventId: v.string() }),
  ]),
);

/** What `chatNow` answers. */
export const chatNowResult = {
  pendingInputs,
  inputReceipts: v.optional(receipts),
  inFlightRun: v.optional(
    v.object({ runId: v.string(), text: v.string(), startedAt: v.number(), events: v.array(v.looseObject({})) }),
  ),
  sessionInfo: v.looseObject({ ...rowResult.entries, thinkingDefault: v.string() }),
};

export interface NowOptions {
  /** Of what waits, only what is before this place, counted from 1. */
  readonly pendingBefore?: number | undefined;
  /** Runs that the client asks after. */
  readonly inputRunIds?: readonly string[] | undefined;
  /** What the client is told with this. */
  readonly entries: readonly Entry[];
  /** The newest entry of the conversation. */
  readonly leaf: string | undefined;
}

/** What a chat window shows beside the messages: the run that goes on, what waits for it, and the session as it is. */
export function chatNow(
  source: ViewSource,
  { key, agentId }: Address,
  row: SessionRow | undefined,
  { pendingBefore, inputRunIds, entries, leaf }: NowOptions,
) {
  const active = source.turns.active(key);
  const view = sessionView(source);
  const info = row ? view.row(row) : view.absent(key, agentId);
  return {
    pendingInputs: pendingOf(source, key, pendingBefore),
    ...(inputRunIds ? { inputReceipts: receiptsOf(source, key, inputRunIds, entries) } : {}),
    ...(active
      ? { inFlightRun: { runId: active.runId, text: active.text, startedAt: active.startedAt, events: [] } }
      : {}),
    sessionInfo: { ...info, ...(leaf === undefined ? {} : { activeLeafEntryId: leaf }) },
  };
}

const maxPending = 20;

function pendingOf({ turns }: ViewSource, key: string, before = Infinity): v.InferInput<typeof pendingInputs> {
  const all = turns.pending(key);
  const end = Math.min(all.length, before - 1);
  const start = Math.max(0, end - maxPending);
  return {
    items: all.slice(start, end).map(({ runId, message, acceptedAt }) => ({
      id: runId,
      runId,
      message: shownMessage(message),
      acceptedAt,
      state: "queued" as const,
    })),
    total: all.length,
    ...(start > 0 ? { nextBefore: start + 1 } : {}),
  };
}

/** What became of inputs: those that wait, and those that are among the entries. Of others nothing is said. */
function receiptsOf(
  { turns }: ViewSource,
  key: string,
  runIds: readonly string[],
  entries: readonly Entry[],
): v.InferInput<typeof receipts> {
  const waiting = new Set(turns.pending(key).map(({ runId }) => runId));
  const written = new Map(
    entries.flatMap((entry) =>
      entry.type === "message" && entry.message.role === "user" ? [[entry.message.idempotencyKey, entry.id]] : [],
    ),
  );
  return runIds.flatMap((runId): v.InferInput<typeof receipts> => {
    const consumedByEventId = written.get(`${runId}:user`);
    if (consumedByEventId !== undefined) return [{ runId, state: "consumed", consumedByEventId }];
    return waiting.has(runId) ? [{ runId, state: "pending" }] : [];
  });
}
