import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App, Connection } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { agentParam, countParam, keyParam, positiveParam, rowResult, textParam } from "../flow/params.ts";
import { indexPath, sessionView, shownDefaults } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

/** Rows of one answer when nobody says, and at most. */
const defaultLimit = 1000;
const maxLimit = 10_000;

const query = v.object({
  limit: v.pipe(v.optional(positiveParam), v.description("How many at most.")),
  offset: v.pipe(v.optional(countParam), v.description("How many of the newest to pass over.")),
  activeMinutes: v.pipe(v.optional(positiveParam), v.description("Only what changed within so many minutes.")),
  requireLastInteraction: v.pipe(v.optional(v.boolean()), v.description("Only those in which somebody spoke.")),
  sortBy: v.pipe(
    v.optional(v.picklist(["updatedAt", "lastInteractionAt"])),
    v.description("Newest by this; by `updatedAt` when absent."),
  ),
  includeGlobal: v.pipe(v.optional(v.boolean()), v.description("With the session that is nobody's in particular.")),
  includeUnknown: v.pipe(v.optional(v.boolean()), v.description("With those whose kind is not known.")),
  configuredAgentsOnly: v.pipe(
    v.optional(v.boolean()),
    v.description("Only those of agents that the configuration has."),
  ),
  includeDerivedTitles: v.pipe(v.optional(v.boolean()), v.description("With a title made from the first words.")),
  includeLastMessage: v.pipe(v.optional(v.boolean()), v.description("With the last words.")),
  label: v.pipe(v.optional(v.pipe(textParam, v.maxLength(512))), v.description("Only the one with this label.")),
  boardFace: v.pipe(
    v.optional(v.picklist(["chat", "dashboard"])),
    v.description("Every session here is a chat: `dashboard` finds none."),
  ),
  creatorId: v.pipe(v.optional(textParam), v.description("Sessions here are nobody's own: finds none.")),
  ownerId: v.pipe(v.optional(textParam), v.description("Likewise.")),
  involvingProfileId: v.pipe(v.optional(textParam), v.description("Likewise.")),
  spawnedBy: v.pipe(v.optional(textParam), v.description("Only those that this session began.")),
  agentId: v.pipe(agentParam, v.description("Only those of this agent.")),
  search: v.pipe(
    v.optional(v.pipe(v.string(), v.maxLength(1000))),
    v.description("Only those whose names have this text."),
  ),
  archived: v.pipe(
    v.optional(v.union([v.boolean(), v.literal("all")])),
    v.description("Only archived ones, or `all`; without them when absent."),
  ),
});

const list = v.object({
  ts: v.number(),
  path: v.string(),
  count: countParam,
  totalCount: countParam,
  limitApplied: countParam,
  nextOffset: v.nullable(countParam),
  hasMore: v.boolean(),
  owners: v.array(v.looseObject({})),
  defaults: v.looseObject({ modelProvider: v.string(), model: v.string(), contextTokens: v.nullable(countParam) }),
  sessions: v.array(rowResult),
});

export const sessionMethods = [
  method({
    name: "sessions.list",
    scope: "operator.read",
    summary: "Sessions, newest first, with filters and in pages.",
    params: () => query,
    result: () => list,
    run: ({ app, params }) => listOf(app, params),
  }),
  method({
    name: "sessions.subscribe",
    scope: "operator.read",
    summary:
      "Sends `sessions.changed` to this connection from now on; with parameters of a list, answers the list too.",
    params: () => query,
    result: () => v.object({ subscribed: v.boolean(), list: v.optional(list) }),
    run({ app, params, connection }) {
      subscribe(connection, "sessions");
      return { subscribed: true, ...(Object.keys(params).length > 0 ? { list: listOf(app, params) } : {}) };
    },
  }),
  method({
    name: "sessions.messages.subscribe",
    scope: "operator.read",
    summary: "Sends `session.message` for one session to this connection from now on.",
    params: () => v.object({ key: keyParam, agentId: agentParam, includeApprovals: v.optional(v.literal(true)) }),
    result: () =>
      v.object({
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
      const { key } = addressOf(app, params.key, params.agentId);
      subscribe(connection, `messages:${key}`);
      const replay = { sessionKey: key, updatedAtMs: app.clock.now(), approvals: [], truncated: false };
      return { subscribed: true, key, ...(params.includeApprovals ? { approvalReplay: replay } : {}) };
    },
  }),
  method({
    name: "sessions.messages.unsubscribe",
    scope: "operator.read",
    summary: "Ends what sessions.messages.subscribe began.",
    params: () => v.object({ key: keyParam, agentId: agentParam }),
    result: () => v.object({ subscribed: v.boolean(), key: v.string() }),
    run({ app, params, connection }) {
      const { key } = addressOf(app, params.key, params.agentId);
      connection.subscriptions.delete(`messages:${key}`);
      return { subscribed: false, key };
    },
  }),
] as const;

type Query = v.InferOutput<typeof query>;

function listOf(app: App, params: Query): v.InferInput<typeof list> {
  const agents = agentsOf(app.config.current().value);
  const { agentId, offset = 0 } = params;
  const limit = Math.min(params.limit ?? defaultLimit, maxLimit);
  const { rows, total } = app.sessions.list({
    ...params,
    limit,
    offset,
    where: condition(params, new Set(agents.map(({ id }) => id))),
  });
  const view = sessionView(app);
  const options = { withTitle: params.includeDerivedTitles, withLastMessage: params.includeLastMessage };
  const hasMore = offset + rows.length < total;
  return {
    ts: app.clock.now(),
    path: indexPath(app),
    count: rows.length,
    totalCount: total,
    limitApplied: limit,
    nextOffset: hasMore ? offset + rows.length : null,
    hasMore,
    owners: [],
    defaults: shownDefaults(view.defaults(agents.find(({ id }) => id === agentId)?.id ?? agents[0].id)),
    sessions: rows.map((row) => view.row(row, options)),
  };
}

/** What the store's own query does not know of; undefined when nothing of it was asked, which is faster. */
function condition(params: Query, configured: ReadonlySet<string>): ((row: SessionRow) => boolean) | undefined {
  const { requireLastInteraction, configuredAgentsOnly, boardFace, creatorId, ownerId, involvingProfileId } = params;
  // Every session here is everybody's, and has the face of a chat.
  if (boardFace === "dashboard" || creatorId || ownerId || involvingProfileId) return () => false;
  if (!requireLastInteraction && !configuredAgentsOnly) return undefined;
  return (row) =>
    (!requireLastInteraction || row.lastInteractionAt !== undefined) &&
    (!configuredAgentsOnly || configured.has(row.agentId));
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
