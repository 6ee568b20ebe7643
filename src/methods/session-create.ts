import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOfAgent, requireAgent } from "../flow/address.ts";
import { acceptChat } from "../flow/chat-input.ts";
import {
  agentParam,
  attachmentsParam,
  changedResult,
  keyParam,
  positiveParam,
  runIdParam,
  textParam,
} from "../flow/params.ts";
import { changesOf, patchParams, refused } from "../flow/session-patch.ts";
import { changed } from "../flow/session-view.ts";
import { agentsOf } from "../agent/roster.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { failureShape } from "../protocol/failure-shape.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const { label, category, model, thinkingLevel } = patchParams;

export const sessionCreateMethods = [
  method({
    name: "sessions.create",
    scope: "operator.write",
    idempotency: "optional",
    summary: "Makes a session, empty or as a copy of another one, and may say the first message in it.",
    params: () =>
      v.object({
        key: v.optional(keyParam),
        idempotencyKey: v.optional(runIdParam),
        agentId: agentParam,
        label,
        displayName: v.optional(v.pipe(textParam, v.maxLength(500))),
        category,
        model,
        thinkingLevel,
        parentSessionKey: v.optional(keyParam),
        fork: v.pipe(v.optional(v.boolean(), false), v.description("Begin with a copy of the parent's conversation.")),
        forkFrom: v.optional(v.literal("last-completed")),
        task: v.pipe(v.optional(v.string()), v.description("An older name for message.")),
        message: v.optional(v.string()),
        attachments: v.optional(attachmentsParam),
        ...refused([
          "contextWindow",
          "fastMode",
          "permissionMode",
          "toolOverrides",
          "incognito",
          "catalogId",
          "projectId",
          "projectGitUrl",
          "worktree",
          "execNode",
          "cwd",
        ]),
      }),
    result: () =>
      v.object({
        ok: v.literal(true),
        key: v.string(),
        sessionId: v.string(),
        ...changedResult,
        runStarted: v.boolean(),
        runId: v.optional(v.string()),
        messageSeq: v.optional(positiveParam),
        runError: v.optional(v.object({ code: v.string(), message: v.string(), retryable: v.boolean() })),
      }),
    async run({ app, caller, params }) {
      const row = await make(app, params);
      const { key, sessionId } = row;
      const said = { message: params.message ?? params.task ?? "", attachments: params.attachments };
      const begun = { ok: true as const, key, sessionId, ...changed(app, row) };
      if (said.message.trim() === "" && !said.attachments?.length) return { ...begun, runStarted: false };
      const runId = params.idempotencyKey ?? uuid();
      try {
        await acceptChat(app, caller, { sessionKey: key, runId, commands: true, ...said });
        return { ...begun, runStarted: true, runId };
      } catch (thrown) {
        // The session is there: the client must learn that, and what became of the message.
        return { ...begun, runStarted: false, runError: failureShape(app.log, "sessions.create", thrown) };
      }
    },
  }),
] as const;

type Wanted = v.InferOutput<(typeof sessionCreateMethods)[0]["params"]>;

async function make(app: App, wanted: Wanted): Promise<SessionRow> {
  const { label, category, model, thinkingLevel, displayName } = wanted;
  const parent = wanted.parentSessionKey === undefined ? undefined : parentOf(app, wanted.parentSessionKey);
  const { id } = wanted.agentId === undefined ? defaultAgent(app, parent) : requireAgent(app, wanted.agentId);
  const { key, agentId } = addressOfAgent(app, wanted.key ?? `agent:${id}:dashboard:${uuid()}`, wanted.agentId);
  const patch = {
    ...(label === undefined ? {} : { label }),
    ...(category === undefined ? {} : { category }),
    ...(model === undefined ? {} : { model }),
    ...(thinkingLevel === undefined ? {} : { thinkingLevel }),
  };
  const changes = {
    ...changesOf(app, app.sessions.get(key) ?? { key, agentId }, patch),
    ...(displayName === undefined ? {} : { displayName }),
    ...(parent === undefined ? {} : { parentSessionKey: parent.key }),
  };
  if (wanted.fork) {
    await copy(app, parent, key, wanted.forkFrom);
    return app.sessions.change(key, () => changes, "create");
  }
  const known = app.sessions.get(key);
  if (known) return Object.keys(changes).length === 0 ? known : app.sessions.change(key, () => changes, "create");
  return app.sessions.ensure(key, { agentId, kind: "direct", createdVia: "operator", ...changes });
}

function parentOf(app: App, written: string): SessionRow {
  const row = app.sessions.get(addressOfAgent(app, written).key);
  if (row) return row;
  throw new Failure("not-found", `unknown parent session: ${written}`);
}

function defaultAgent(app: App, parent: SessionRow | undefined): { readonly id: string } {
  return parent ? { id: parent.agentId } : agentsOf(app.config.current().value)[0];
}

async function copy(
  app: App,
  parent: SessionRow | undefined,
  newKey: string,
  from: "last-completed" | undefined,
): Promise<void> {
  if (!parent) throw new Failure("invalid-request", "fork needs parentSessionKey: the session to copy");
  if (app.sessions.get(newKey)) throw new Failure("conflict", `session ${newKey} exists already: choose another key`);
  const active = app.turns.active(parent.key);
  if (!active) return void (await app.sessions.fork(parent.key, { newKey }));
  if (from === undefined) {
    throw new Failure("conflict", `${parent.key} is answering: wait, or fork from last-completed`);
  }
  const recent = await app.sessions.transcript(parent).page({ limit: 200, kinds: ["message"] });
  const asked = recent.find((entry) => entry.type === "message" && entry.runId === active.runId);
  await app.sessions.fork(parent.key, { newKey, ...(asked ? { beforeEntryId: asked.id } : {}) });
}
