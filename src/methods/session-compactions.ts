import * as v from "valibot";
import type { App } from "../app.ts";
import { agentParam, countParam, keyParam, rowResult, textParam } from "../flow/params.ts";
import { redirect, refuseWhileAnswering, sessionOf } from "../flow/redirect.ts";
import { sessionView } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { defaultMaxChars } from "../session/public-message.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Compacted, Transcript } from "../session/transcript.ts";
import { method } from "./method.ts";

const place = v.object({ sessionId: v.string(), leafId: v.optional(v.string()), entryId: v.optional(v.string()) });

/** A compaction as a place to go back to. Its id is that of its entry. */
const checkpoint = v.object({
  checkpointId: v.string(),
  sessionKey: v.string(),
  sessionId: v.string(),
  createdAt: countParam,
  reason: v.picklist(["manual", "auto-threshold"]),
  tokensBefore: countParam,
  summary: v.string(),
  firstKeptEntryId: v.optional(v.string()),
  preCompaction: place,
  postCompaction: place,
});

const one = v.object({
  key: keyParam,
  agentId: agentParam,
  checkpointId: v.pipe(textParam, v.description("As sessions.compaction.list names it.")),
});

const outcome = {
  ok: v.literal(true),
  key: v.string(),
  sessionId: v.string(),
  checkpoint,
  entry: rowResult,
};

export const sessionCompactionMethods = [
  method({
    name: "sessions.compaction.list",
    scope: "operator.read",
    unlisted: true,
    summary: "The compactions of a conversation, newest first, with the summary that each put in place of what it cut.",
    params: () => v.object({ key: keyParam, agentId: agentParam }),
    result: () => v.object({ ok: v.literal(true), key: v.string(), checkpoints: v.array(checkpoint) }),
    async run({ app, params }) {
      const row = sessionOf(app, params.key, params.agentId);
      const compactions = await app.sessions.transcript(row).compactions(maxListed);
      return { ok: true as const, key: row.key, checkpoints: compactions.map((each) => checkpointOf(row, each)) };
    },
  }),
  method({
    name: "sessions.compaction.branch",
    scope: "operator.write",
    unlisted: true,
    summary: "Makes a new session from what a conversation was before a compaction.",
    params: () => one,
    result: () => v.object({ ...outcome, sourceKey: v.string() }),
    async run({ app, params: { key, agentId, checkpointId } }) {
      const source = sessionOf(app, key, agentId);
      const found = await compactionAt(app.sessions.transcript(source), source, checkpointId);
      const newKey = `agent:${source.agentId.toLowerCase()}:dashboard:${uuid()}`;
      const made = await app.sessions.fork(source.key, { newKey, beforeEntryId: checkpointId });
      return { sourceKey: source.key, ...outcomeOf(app, made, checkpointOf(source, found)) };
    },
  }),
  method({
    name: "sessions.compaction.restore",
    scope: "operator.admin",
    unlisted: true,
    summary: "Goes back to before a compaction; it and what came after it stay in the file, as a branch.",
    params: () => one,
    result: () => v.object(outcome),
    async run({ app, params }) {
      const { key } = sessionOf(app, params.key, params.agentId);
      refuseWhileAnswering(app, key);
      const restored = await redirect(app, key, {
        reason: "checkpoint-restore",
        async lead(transcript, row) {
          const found = await compactionAt(transcript, row, params.checkpointId);
          await transcript.rewind(found.before?.id);
          return checkpointOf(row, found);
        },
      });
      return outcomeOf(app, sessionOf(app, params.key, params.agentId), restored);
    },
  }),
] as const;

/** Compactions of one answer. */
const maxListed = 100;

/** A compaction that is in the conversation now. */
async function compactionAt(transcript: Transcript, row: SessionRow, id: string): Promise<Compacted> {
  const compaction = await transcript.find(id);
  if (compaction?.type === "compaction") return { compaction, before: await transcript.before(compaction) };
  throw new Failure("not-found", `${JSON.stringify(id)} is no compaction of ${row.key}: see sessions.compaction.list`);
}

function checkpointOf({ key, sessionId }: SessionRow, { compaction, before }: Compacted) {
  const { id, timestamp, runId, summary, firstKeptEntryId, tokensBefore } = compaction;
  return {
    checkpointId: id,
    sessionKey: key,
    sessionId,
    createdAt: Math.max(0, Date.parse(timestamp) || 0),
    // A run compacts when its context is about to be full.
    reason: runId === undefined ? ("manual" as const) : ("auto-threshold" as const),
    tokensBefore,
    summary: summary.slice(0, defaultMaxChars),
    ...(firstKeptEntryId === "" ? {} : { firstKeptEntryId }),
    preCompaction: { sessionId, ...(before ? { leafId: before.id } : {}) },
    postCompaction: { sessionId, leafId: id, entryId: id },
  };
}

function outcomeOf(app: App, row: SessionRow, of: v.InferInput<typeof checkpoint>) {
  const { key, sessionId } = row;
  return { ok: true as const, key, sessionId, checkpoint: of, entry: sessionView(app).row(row) };
}
