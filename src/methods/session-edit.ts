import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf, addressOfAgent, mainKeyOf } from "../flow/address.ts";
import { agentParam, changedResult, countParam, keyParam, textParam } from "../flow/params.ts";
import { changesOf, patchParams, patchScope, type SessionPatch } from "../flow/session-patch.ts";
import { changed, indexPath } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import { failureShape } from "../protocol/failure-shape.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const target = v.object({ key: keyParam, agentId: agentParam, expectedSessionId: v.optional(textParam) });
type Target = v.InferOutput<typeof target>;

export const sessionEditMethods = [
  method({
    name: "sessions.patch",
    scope: patchScope,
    summary: "Changes what is known of a session; null takes a choice back.",
    params: () =>
      v.object({
        ...target.entries,
        expectedMarkedUnreadAt: v.optional(v.nullable(v.number())),
        ...patchParams,
      }),
    result: () => v.object({ ok: v.literal(true), path: v.string(), key: v.string(), ...changedResult }),
    async run({ app, params }) {
      const { key, agentId, expectedSessionId, expectedMarkedUnreadAt, ...patch } = params;
      const row = await patchOne(app, { key, agentId, expectedSessionId }, patch, (current) => {
        if (expectedMarkedUnreadAt === undefined) return;
        if ((current.markedUnreadAt ?? null) === expectedMarkedUnreadAt) return;
        throw new Failure("conflict", `${current.key} was marked unread meanwhile: look at it again`);
      });
      return { ok: true as const, path: indexPath(app), key: row.key, ...changed(app, row) };
    },
  }),
  method({
    name: "sessions.patchMany",
    scope: ({ patch }) => patchScope(patch),
    summary: "The same change to many sessions; each has its own outcome.",
    params: () =>
      v.object({
        targets: v.pipe(v.array(target), v.minLength(1), v.maxLength(100)),
        patch: v.object(patchParams),
      }),
    result: () =>
      v.object({
        outcomes: v.array(
          v.union([
            v.object({ ok: v.literal(true), key: v.string(), agentId: v.string() }),
            v.object({
              ok: v.literal(false),
              key: v.string(),
              error: v.object({ code: v.string(), message: v.string(), retryable: v.boolean() }),
            }),
          ]),
        ),
      }),
    async run({ app, params: { targets, patch } }) {
      const outcomes = [];
      // One after the other, so that a label is given to one of them only.
      for (const each of targets) outcomes.push(await outcomeOf(app, each, patch));
      return { outcomes };
    },
  }),
  method({
    name: "sessions.reset",
    scope: "operator.admin",
    summary: "Stops what runs in a session and begins a new conversation in it; the old one stays on the disk.",
    params: () =>
      v.object({ key: keyParam, agentId: agentParam, reason: v.optional(v.picklist(["new", "reset"]), "reset") }),
    result: () => v.object({ ok: v.literal(true), key: v.string(), ...changedResult }),
    async run({ app, params }) {
      const { key, agentId } = addressOfAgent(app, params.key, params.agentId);
      await app.turns.abort({ sessionKey: key });
      const row = await app.turns.exclusive(key, async () => {
        await app.sessions.ensure(key, { agentId, createdVia: "operator" });
        return app.sessions.reset(key, params.reason);
      });
      return { ok: true as const, key, ...changed(app, row) };
    },
  }),
  method({
    name: "sessions.delete",
    // Only what was put into the archive before can be removed without being an admin.
    scope: ({ archivedOnly }) => (archivedOnly ? "operator.write" : "operator.admin"),
    summary: "Stops what runs in a session and removes it; its transcript is set aside, not destroyed.",
    params: () =>
      v.object({
        ...target.entries,
        deleteTranscript: v.optional(v.boolean(), true),
        expectedSessionUpdatedAt: v.optional(countParam),
        archivedOnly: v.optional(v.boolean(), false),
      }),
    result: () =>
      v.object({
        ok: v.literal(true),
        key: v.string(),
        deleted: v.boolean(),
        archived: v.array(v.string()),
      }),
    async run({ app, params }) {
      const { key, agentId } = addressOf(app, params.key, params.agentId);
      if (key === mainKeyOf(app, agentId)) {
        throw new Failure("invalid-request", `Cannot delete the main session (${key}).`);
      }
      const refuse = (row: SessionRow): void => {
        requireSameSession(row, params.expectedSessionId);
        const { expectedSessionUpdatedAt } = params;
        if (expectedSessionUpdatedAt !== undefined && row.updatedAt !== expectedSessionUpdatedAt) {
          throw new Failure("conflict", `${key} changed meanwhile: look at it again`);
        }
        if (params.archivedOnly && row.archivedAt === undefined) {
          throw new Failure("invalid-request", `${key} is not archived: archive it first`);
        }
      };
      const row = app.sessions.get(key);
      if (!row) return { ok: true as const, key, deleted: false, archived: [] };
      refuse(row);
      await app.turns.abort({ sessionKey: key });
      return app.turns.exclusive(key, async () => {
        const current = app.sessions.get(key);
        if (!current) return { ok: true as const, key, deleted: false, archived: [] };
        requireSameSession(current, row.sessionId);
        const archived = await app.sessions.delete(key, { keepTranscript: !params.deleteTranscript });
        return { ok: true as const, key, deleted: true, archived: [...archived] };
      });
    },
  }),
] as const;

async function patchOne(
  app: App,
  { key: written, agentId: named, expectedSessionId }: Target,
  patch: SessionPatch,
  refuse: (row: SessionRow) => void = () => undefined,
): Promise<SessionRow> {
  const { key, agentId } = addressOfAgent(app, written, named);
  if (!app.sessions.get(key)) {
    if (expectedSessionId !== undefined) throw new Failure("not-found", `No session found: ${written}`);
    // Refused before a session is made that nobody wanted.
    changesOf(app, { key, agentId }, patch);
    await app.sessions.ensure(key, { agentId, createdVia: "operator" });
  }
  return app.sessions.change(
    key,
    (row) => {
      requireSameSession(row, expectedSessionId);
      refuse(row);
      return changesOf(app, row, patch);
    },
    "patch",
  );
}

async function outcomeOf(app: App, target: Target, patch: SessionPatch) {
  try {
    const { key, agentId } = await patchOne(app, target, patch);
    return { ok: true as const, key, agentId };
  } catch (thrown) {
    return { ok: false as const, key: target.key, error: failureShape(app.log, "sessions.patchMany", thrown) };
  }
}

function requireSameSession({ key, sessionId }: SessionRow, expected: string | undefined): void {
  if (expected === undefined || expected === sessionId) return;
  throw new Failure("conflict", `${key} is another conversation now (${sessionId}): load it again`);
}
