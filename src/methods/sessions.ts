import * as v from "valibot";
import { modelsOf, splitReference } from "../agent/models.ts";
import { agentsOf, sessionsFile } from "../agent/roster.ts";
import type { App, Connection } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { sessionKey } from "../session/key.ts";
import { method } from "./method.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const key = v.pipe(v.string(), v.nonEmpty(), v.maxLength(512), v.description("A session key, in full or short."));
const page = { limit: v.optional(positive), offset: v.optional(count), agentId: v.optional(v.string()) };

const list = v.object({
  ts: v.number(),
  path: v.string(),
  count,
  totalCount: count,
  limitApplied: v.optional(count),
  nextOffset: v.nullable(count),
  hasMore: v.boolean(),
  owners: v.array(v.looseObject({})),
  defaults: v.object({ modelProvider: v.string(), model: v.string(), contextTokens: v.nullable(count) }),
  sessions: v.array(v.looseObject({ key: v.string() })),
});

export const sessionMethods = [
  method({
    name: "sessions.list",
    scope: "operator.read",
    summary: "The sessions of an agent. None are kept until an agent runs here.",
    params: v.object(page),
    result: list,
    run: ({ app, params }) => emptyList(app, params),
  }),
  method({
    name: "sessions.subscribe",
    scope: "operator.read",
    summary: "Sends `sessions.changed` to this connection from now on; with paging parameters, answers the list too.",
    params: v.object(page),
    result: v.object({ subscribed: v.boolean(), list: v.optional(list) }),
    run({ app, params, connection }) {
      subscribe(connection, "sessions");
      return { subscribed: true, ...(Object.keys(params).length > 0 ? { list: emptyList(app, params) } : {}) };
    },
  }),
  method({
    name: "sessions.messages.subscribe",
    scope: "operator.read",
    summary: "Sends `session.message` for one session to this connection from now on.",
    params: v.object({ key, agentId: v.optional(v.string()), includeApprovals: v.optional(v.literal(true)) }),
    result: v.object({
      subscribed: v.boolean(),
      key: v.string(),
      approvalReplay: v.optional(
        v.object({
          sessionKey: v.string(),
          updatedAtMs: v.number(),
          approvals: v.array(v.looseObject({})),
          truncated: v.boolean(),
        }),
      ),
    }),
    run({ app, params, connection }) {
      const full = fullKey(app, params);
      subscribe(connection, `messages:${full}`);
      const replay = { sessionKey: full, updatedAtMs: app.clock.now(), approvals: [], truncated: false };
      return { subscribed: true, key: full, ...(params.includeApprovals ? { approvalReplay: replay } : {}) };
    },
  }),
  method({
    name: "sessions.messages.unsubscribe",
    scope: "operator.read",
    summary: "Ends what sessions.messages.subscribe began.",
    params: v.object({ key, agentId: v.optional(v.string()) }),
    result: v.object({ subscribed: v.boolean(), key: v.string() }),
    run({ app, params, connection }) {
      const full = fullKey(app, params);
      connection.subscriptions.delete(`messages:${full}`);
      return { subscribed: false, key: full };
    },
  }),
] as const;

function emptyList(app: App, { limit, agentId }: { limit?: number | undefined; agentId?: string | undefined }) {
  const { value } = app.config.current();
  const agents = agentsOf(value);
  const agent = agents.find(({ id }) => id === agentId) ?? agents[0];
  const { provider, id } = splitReference(agent.model.primary);
  const model = modelsOf(value, [agent.model.primary]).find((each) => each.provider === provider && each.id === id);
  return {
    ts: app.clock.now(),
    path: sessionsFile(app.paths, agent.id),
    count: 0,
    totalCount: 0,
    ...(limit === undefined ? {} : { limitApplied: limit }),
    nextOffset: null,
    hasMore: false,
    owners: [],
    defaults: { modelProvider: provider, model: id, contextTokens: model?.contextWindow ?? null },
    sessions: [],
  };
}

function fullKey(app: App, { key, agentId }: { key: string; agentId?: string | undefined }): string {
  const { value } = app.config.current();
  return sessionKey(key, { agentId: agentId ?? agentsOf(value)[0].id, mainKey: value.session.mainKey });
}

/** A connection may watch this many sessions: what a client asks for must not grow without end. */
const maxTopics = 500;

function subscribe({ subscriptions }: Connection, topic: string): void {
  if (subscriptions.size >= maxTopics && !subscriptions.has(topic)) {
    throw new Failure(
      "invalid-request",
      `too many subscriptions: ${maxTopics} on one connection; unsubscribe from some`,
    );
  }
  subscriptions.add(topic);
}
