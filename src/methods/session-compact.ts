import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { agentParam, countParam, keyParam, positiveParam } from "../flow/params.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { rowAfter } from "../session/row-after.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

interface Outcome {
  readonly compacted: boolean;
  readonly reason?: string | undefined;
  readonly kept?: number;
  readonly tokensBefore?: number;
  readonly tokensAfter?: number;
}

export const sessionCompactMethods = [
  method({
    name: "sessions.compact",
    scope: "operator.admin",
    summary: "Replaces the older part of what a model is given by a summary; nothing is lost from the file.",
    params: () =>
      v.object({
        key: keyParam,
        agentId: agentParam,
        maxLines: v.pipe(
          v.optional(positiveParam),
          v.description("Without a summary: only so many of the newest messages stay in the context."),
        ),
      }),
    result: () =>
      v.object({
        ok: v.literal(true),
        key: v.string(),
        compacted: v.boolean(),
        reason: v.optional(v.string()),
        kept: v.optional(countParam),
        tokensBefore: v.optional(v.number()),
        tokensAfter: v.optional(v.number()),
      }),
    async run({ app, params, signal }) {
      const { key } = addressOf(app, params.key, params.agentId);
      const { maxLines } = params;
      const outcome = await app.turns.exclusive(key, async () => {
        const row = app.sessions.get(key);
        if (!row) throw new Failure("not-found", `No session found: ${params.key}`);
        return announced(app, row, () =>
          maxLines === undefined ? app.runner.compact({ row, signal }) : keepNewest(app, row, maxLines),
        );
      });
      const { compacted, reason, kept, tokensBefore, tokensAfter } = outcome;
      return {
        ok: true as const,
        key,
        compacted,
        ...(reason === undefined ? {} : { reason }),
        ...(kept === undefined ? {} : { kept }),
        ...(tokensBefore === undefined ? {} : { tokensBefore, tokensAfter: tokensAfter ?? tokensBefore }),
      };
    },
  }),
] as const;

/** Tells those who watch the session that it is being compacted, and how that ended. */
async function announced(app: App, row: SessionRow, work: () => Promise<Outcome>): Promise<Outcome> {
  const operationId = uuid();
  const tell = (what: { phase: "start" | "end"; completed?: boolean; reason?: string }): void => {
    const { key: sessionKey, agentId } = row;
    app.broadcast(
      "session.operation",
      { operationId, operation: "compact", sessionKey, agentId, ts: app.clock.now(), ...what },
      ({ subscriptions }) => subscriptions.has("sessions") || subscriptions.has(`messages:${sessionKey}`),
    );
  };
  tell({ phase: "start" });
  try {
    const { compacted, reason, ...more } = await work();
    tell({ phase: "end", completed: compacted, ...(reason === undefined ? {} : { reason }) });
    return { compacted, reason, ...more };
  } catch (thrown) {
    // The response has it too, and the log.
    const { code, message } = Failure.from(thrown);
    tell({ phase: "end", completed: false, reason: code === "internal" ? "internal error" : message });
    throw thrown;
  }
}

/** Cuts the context before the newest messages, by a compaction that says nothing. */
async function keepNewest(app: App, row: SessionRow, limit: number): Promise<Outcome> {
  const transcript = app.sessions.transcript(row);
  const newest = await transcript.page({ limit: Math.min(limit, 10_000), kinds: ["message"] });
  if (newest.length >= (await transcript.count())) return { compacted: false, kept: newest.length };
  // Never between a call and its result.
  const at = newest.findIndex((entry) => entry.type === "message" && entry.message.role !== "toolResult");
  const first = newest[at];
  if (!first) return { compacted: false, reason: "the newest messages are results of one call" };
  const summary = "Earlier messages were left out.";
  const { totalTokens: tokensBefore } = row;
  const written = await transcript.append([{ type: "compaction", summary, firstKeptEntryId: first.id, tokensBefore }]);
  for (const entry of written) app.sessions.note(row.key, rowAfter(row, entry), "compact");
  return { compacted: true, kept: newest.length - at };
}
