import * as v from "valibot";
import type { LedgerRow } from "../budget/budget.ts";
import { catalogueOf } from "../model/catalogue.ts";
import { agentsOf } from "../agent/roster.ts";
import { byDay, byModel, countsOf, groups, pointsOf, type Telling } from "../budget/usage-breakdown.ts";
import { dayAfter, daysOf } from "../budget/usage-days.ts";
import { groupBy, totalsOf, usageTotals } from "../budget/usage-totals.ts";
import type { App } from "../app.ts";
import { Failure } from "../kit/error.ts";
import { sessionKey } from "../session/key.ts";
import { type Message, textOf } from "../session/message.ts";
import type { SessionRow } from "../session/sessions.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "a day such as 2026-11-21"));
const limit = (most: number, usual: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most)), usual);

const counts = v.object({
  total: v.number(),
  user: v.number(),
  assistant: v.number(),
  toolCalls: v.number(),
  toolResults: v.number(),
  errors: v.number(),
});
const modelUsage = v.object({ provider: v.string(), model: v.string(), count: v.number(), totals: usageTotals });
const daily = v.object({ date: v.string(), tokens: v.number(), cost: v.number() });

export const sessionUsageMethods = [
  method({
    name: "sessions.usage",
    scope: "operator.read",
    unlisted: true,
    summary: "Tokens and cost by session, model, agent and day. Messages are counted as requests to models.",
    params: () =>
      v.object({
        key: v.optional(text),
        agentId: v.optional(text),
        agentScope: v.optional(v.literal("all")),
        startDate: v.optional(day),
        endDate: v.optional(day),
        range: v.pipe(
          v.optional(v.picklist(["7d", "30d", "90d", "1y", "all"]), "30d"),
          v.description("How far back, when there is no `startDate`."),
        ),
        mode: v.optional(v.picklist(["utc", "gateway", "specific"])),
        timeZone: v.optional(text),
        utcOffset: v.optional(v.pipe(v.string(), v.regex(/^UTC[+-]\d{1,2}(?::[0-5]\d)?$/))),
        limit: limit(1000, 50),
      }),
    result: () =>
      v.object({
        updatedAt: v.number(),
        startDate: v.string(),
        endDate: v.string(),
        sessions: v.array(
          v.object({
            key: v.string(),
            agentId: v.optional(v.string()),
            label: v.optional(v.string()),
            sessionId: v.optional(v.string()),
            updatedAt: v.optional(v.number()),
            channel: v.optional(v.string()),
            chatType: v.optional(v.string()),
            modelProvider: v.optional(v.string()),
            model: v.optional(v.string()),
            usage: v.nullable(
              v.object({
                ...usageTotals.entries,
                sessionId: v.optional(v.string()),
                firstActivity: v.number(),
                lastActivity: v.number(),
                durationMs: v.number(),
                activityDates: v.array(v.string()),
                dailyBreakdown: v.array(daily),
                messageCounts: counts,
                modelUsage: v.array(modelUsage),
              }),
            ),
          }),
        ),
        totals: usageTotals,
        aggregates: v.object({
          messages: counts,
          tools: v.object({
            totalCalls: v.number(),
            uniqueTools: v.number(),
            tools: v.array(v.object({ name: v.string(), count: v.number() })),
          }),
          byModel: v.array(modelUsage),
          byProvider: v.array(v.object({ provider: v.string(), count: v.number(), totals: usageTotals })),
          byAgent: v.array(v.object({ agentId: v.string(), totals: usageTotals })),
          byChannel: v.array(v.object({ channel: v.string(), totals: usageTotals })),
          daily: v.array(
            v.object({
              ...daily.entries,
              messages: v.number(),
              toolCalls: v.number(),
              errors: v.number(),
            }),
          ),
        }),
      }),
    async run({ app, params }) {
      const now = app.clock.now();
      const days = daysOf(params);
      const endDate = params.endDate ?? days.dayOf(now);
      const startDate = params.startDate ?? dayAfter(endDate, 1 - rangeDays[params.range]);
      const key = params.key === undefined ? undefined : fullKey(app, params.key);
      const rows = await app.budget.totals({
        since: params.range === "all" && params.startDate === undefined ? 0 : days.startOf(startDate),
        until: days.startOf(dayAfter(endDate, 1)),
        ...(params.agentId === undefined ? {} : { agentId: params.agentId }),
        ...(key === undefined ? {} : { sessionKey: key }),
      });
      const tell: Telling = { days, isFree: freeProviders(app) };
      const channelOf = (row: LedgerRow): string => app.sessions.get(row.sessionKey)?.channel ?? "webchat";
      const bySession = new Map(groupBy(rows, (row) => row.sessionKey));
      if (key !== undefined && !bySession.has(key)) bySession.set(key, []);
      const newest = [...bySession].toSorted(([, a], [, b]) => (b.at(-1)?.ts ?? 0) - (a.at(-1)?.ts ?? 0));
      return {
        updatedAt: now,
        startDate,
        endDate,
        sessions: newest.slice(0, params.limit).map(([each, its]) => sessionEntry(each, its, app, tell)),
        totals: totalsOf(rows, tell.isFree),
        aggregates: {
          messages: countsOf(rows),
          // What tools did is in the transcripts, not in what models cost.
          tools: { totalCalls: 0, uniqueTools: 0, tools: [] },
          byModel: byModel(rows, tell),
          byProvider: groups(rows, (row) => row.provider, tell).map(({ key: provider, ...rest }) => ({
            provider,
            ...rest,
          })),
          byAgent: groups(rows, (row) => row.agentId, tell).map(({ key: agentId, totals }) => ({ agentId, totals })),
          byChannel: groups(rows, channelOf, tell).map(({ key: channel, totals }) => ({ channel, totals })),
          daily: byDay(rows, tell).map((each) => ({ ...each, toolCalls: 0, errors: 0 })),
        },
      };
    },
  }),
  method({
    name: "sessions.usage.timeseries",
    scope: "operator.read",
    unlisted: true,
    summary: "Tokens and cost of a session over time, in at most 200 points.",
    params: () => v.object({ key: text }),
    result: () =>
      v.object({
        sessionId: v.string(),
        points: v.array(
          v.object({
            timestamp: v.number(),
            input: v.number(),
            output: v.number(),
            cacheRead: v.number(),
            cacheWrite: v.number(),
            totalTokens: v.number(),
            cost: v.number(),
            cumulativeTokens: v.number(),
            cumulativeCost: v.number(),
          }),
        ),
      }),
    async run({ app, params }) {
      const row = sessionOf(app, params.key);
      const rows = await app.budget.totals({ since: row.createdAt, until: Infinity, sessionKey: row.key });
      return { sessionId: row.sessionId, points: pointsOf(rows, MOST_POINTS) };
    },
  }),
  method({
    name: "sessions.usage.logs",
    scope: "operator.read",
    unlisted: true,
    summary: "The newest messages of a session with the tokens and cost of each answer.",
    params: () => v.object({ key: text, limit: limit(1000, 200) }),
    result: () =>
      v.object({
        logs: v.array(
          v.object({
            timestamp: v.number(),
            role: v.picklist(["user", "assistant", "toolResult"]),
            content: v.string(),
            tokens: v.optional(v.number()),
            cost: v.optional(v.number()),
          }),
        ),
      }),
    async run({ app, params }) {
      const transcript = app.sessions.transcript(sessionOf(app, params.key));
      const entries = await transcript.page({ limit: params.limit, kinds: ["message"] });
      return { logs: entries.flatMap((entry) => (entry.type === "message" ? [logEntry(entry.message)] : [])) };
    },
  }),
] as const;

const MOST_POINTS = 200;
const LONGEST_CONTENT = 2000;
const rangeDays = { "7d": 7, "30d": 30, "90d": 90, "1y": 365, all: 3660 } as const;

function sessionEntry(key: string, rows: readonly LedgerRow[], app: App, tell: Telling) {
  const row = app.sessions.get(key);
  const { label, sessionId, updatedAt, channel, chatType, modelProvider, model } = row ?? {};
  const [first, last] = [rows[0], rows.at(-1)];
  const known = { label, sessionId, updatedAt, channel, chatType, modelProvider, model };
  const breakdown = byDay(rows, tell).map(({ date, tokens, cost }) => ({ date, tokens, cost }));
  return {
    key,
    agentId: row?.agentId ?? first?.agentId,
    ...known,
    usage:
      first && last
        ? {
            ...totalsOf(rows, tell.isFree),
            sessionId,
            firstActivity: first.ts,
            lastActivity: last.ts,
            durationMs: last.ts - first.ts,
            activityDates: breakdown.map(({ date }) => date),
            dailyBreakdown: breakdown,
            messageCounts: countsOf(rows),
            modelUsage: byModel(rows, tell),
          }
        : null,
  };
}

function logEntry(message: Message) {
  const content = textOf(message).slice(0, LONGEST_CONTENT);
  const { timestamp, role } = message;
  if (message.role !== "assistant") return { timestamp, role, content };
  return { timestamp, role, content, tokens: message.usage.totalTokens, cost: message.usage.cost.total };
}

function freeProviders({ config }: App): Telling["isFree"] {
  const { providers } = catalogueOf(config.current().value);
  return (provider) => providers.get(provider)?.local === true;
}

function sessionOf(app: App, key: string): SessionRow {
  const row = app.sessions.get(fullKey(app, key));
  if (row) return row;
  throw new Failure("not-found", `there is no session ${JSON.stringify(key.slice(0, 100))}`);
}

function fullKey({ config }: App, key: string): string {
  const { value } = config.current();
  return sessionKey(key, { agentId: agentsOf(value)[0].id, mainKey: value.session.mainKey });
}
