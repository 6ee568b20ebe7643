import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { sessionView, type SessionView } from "../flow/session-view.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const count = v.number();
const session = v.looseObject({ key: v.string(), updatedAt: v.number(), age: v.number() });
const tally = v.record(v.string(), count);

export const statusMethods = [
  method({
    name: "status",
    scope: "operator.read",
    summary: "An overview for people: version, agents, sessions, tasks, parts.",
    params: () =>
      v.object({
        includeChannelSummary: v.pipe(v.optional(v.boolean(), true), v.description("Whether to sum up the channels.")),
        includeCliProjection: v.pipe(
          v.optional(v.boolean(), false),
          v.description("Adds what the command line shows."),
        ),
      }),
    result: () =>
      v.looseObject({
        runtimeVersion: v.string(),
        pid: v.number(),
        uptimeMs: v.number(),
        heartbeat: v.object({ defaultAgentId: v.string(), agents: v.array(v.looseObject({ agentId: v.string() })) }),
        channelSummary: v.array(v.string()),
        queuedSystemEvents: v.array(v.string()),
        tasks: v.object({
          total: count,
          active: count,
          terminal: count,
          failures: count,
          byStatus: tally,
          byRuntime: tally,
        }),
        taskAudit: v.object({ total: count, warnings: count, errors: count, byCode: tally }),
        sessions: v.object({
          paths: v.array(v.string()),
          count,
          defaults: v.object({ model: v.nullable(v.string()), contextTokens: v.nullable(count) }),
          recent: v.array(session),
          byAgent: v.array(v.object({ agentId: v.string(), count, recent: v.array(session) })),
        }),
        processMemory: v.object({ rssBytes: v.number() }),
        parts: v.array(v.looseObject({ part: v.string(), state: v.string() })),
      }),
    run({ app, params }) {
      const agents = agentsOf(app.config.current().value);
      const { clock, info, health } = app;
      return {
        runtimeVersion: info.version,
        pid: info.pid,
        uptimeMs: Math.max(0, Math.round(clock.now() - info.startedAt)),
        heartbeat: {
          defaultAgentId: agents[0].id,
          agents: app.heartbeat.settings().map(({ agentId, every, everyMs = null }) => ({
            agentId,
            enabled: everyMs !== null,
            every,
            everyMs,
          })),
        },
        channelSummary: params.includeChannelSummary ? channelLines(app) : [],
        queuedSystemEvents: app.systemEvents.waiting.map(({ text }) => text),
        ...noTasks,
        sessions: sessionsOf(app),
        processMemory: { rssBytes: app.host.processes?.memory() ?? 0 },
        eventLoop: health.snapshot()["eventLoop"],
        parts: health.parts().map((part) => ({ ...part })),
        ...(params.includeCliProjection ? { cliProjection: cliProjection(app) } : {}),
      };
    },
  }),
] as const;

/** A line for each account of a chat network. */
function channelLines({ networks }: App): string[] {
  return networks.accounts().map(({ label, accountId, name, enabled, connection }) => {
    const account = accountId === "default" ? "" : ` (${name ?? accountId})`;
    const reason = connection && "reason" in connection ? connection.reason : undefined;
    const state = enabled || connection ? (connection?.state ?? "stopped") : "disabled";
    return `${label}${account}: ${state}${reason === undefined ? "" : `: ${reason}`}`;
  });
}

/** The tallies that clients read, all zero: no task has run. */
const noTasks = {
  tasks: {
    total: 0,
    active: 0,
    terminal: 0,
    failures: 0,
    byStatus: { queued: 0, running: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0, lost: 0 },
    byRuntime: { subagent: 0, acp: 0, cli: 0, cron: 0 },
  },
  taskAudit: {
    total: 0,
    warnings: 0,
    errors: 0,
    byCode: {
      stale_queued: 0,
      stale_running: 0,
      lost: 0,
      delivery_failed: 0,
      missing_cleanup: 0,
      inconsistent_timestamps: 0,
    },
  },
};

/** Sessions shown for each agent, and for all of them. */
const recentCount = 10;

function sessionsOf(app: App) {
  const { clock, config, sessions } = app;
  const agents = agentsOf(config.current().value);
  const view = sessionView(app);
  const newest = (agentId?: string) => {
    const { rows, total } = sessions.list({ agentId, archived: "all", includeGlobal: true, limit: recentCount });
    return { count: total, recent: rows.map((row) => recentOf(view, row, clock.now())) };
  };
  const { model, contextTokens } = view.defaults(agents[0].id);
  return {
    paths: [],
    defaults: { model, contextTokens },
    ...newest(),
    byAgent: agents.map(({ id }) => ({ agentId: id, ...newest(id) })),
  };
}

function recentOf(view: SessionView, row: SessionRow, now: number) {
  const { key, agentId, sessionId, kind, updatedAt, totalTokens, inputTokens, outputTokens } = row;
  const { model, contextTokens } = view.resolved(row);
  const used = contextTokens === null ? {} : usedOf(totalTokens, contextTokens);
  const tokens = { inputTokens, outputTokens, totalTokens, contextTokens, ...used };
  return { key, agentId, kind, sessionId, updatedAt, age: Math.max(0, now - updatedAt), model, ...tokens };
}

function usedOf(totalTokens: number, contextTokens: number) {
  return {
    remainingTokens: Math.max(0, contextTokens - totalTokens),
    percentUsed: Math.round((totalTokens / contextTokens) * 100),
  };
}

function cliProjection({ config }: App): unknown {
  const agents = agentsOf(config.current().value);
  return {
    agents: {
      defaultId: agents[0].id,
      ownership: agents.length === 1 ? "sole" : "explicit",
      selectionRequired: false,
      rows: agents.map(({ id, name }) => ({ id, name })),
    },
    updateChannel: null,
    memoryPlugin: { enabled: false, slot: null },
  };
}
