import * as v from "valibot";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { agentParam, keyParam, positiveParam, rowResult, textParam } from "../flow/params.ts";
import { sessionView } from "../flow/session-view.ts";
import { textOf } from "../session/message.ts";
import { publicMessage, shownKinds } from "../session/public-message.ts";
import { method } from "./method.ts";

export const sessionFindMethods = [
  method({
    name: "sessions.describe",
    scope: "operator.read",
    summary: "One session, or null when there is none under this key.",
    params: () =>
      v.object({
        key: keyParam,
        agentId: agentParam,
        includeDerivedTitles: v.optional(v.boolean()),
        includeLastMessage: v.optional(v.boolean()),
      }),
    result: () => v.object({ session: v.nullable(rowResult) }),
    run({ app, params }) {
      const row = app.sessions.get(addressOf(app, params.key, params.agentId).key);
      const options = { withTitle: params.includeDerivedTitles, withLastMessage: params.includeLastMessage };
      return { session: row ? sessionView(app).row(row, options) : null };
    },
  }),
  method({
    name: "sessions.preview",
    scope: "operator.read",
    summary: "The last words of several sessions.",
    params: () =>
      v.object({
        keys: v.pipe(v.array(keyParam), v.minLength(1)),
        limit: v.pipe(v.optional(positiveParam, 12), v.description("Messages of each session, 50 at most.")),
        maxChars: v.pipe(
          v.optional(v.pipe(v.number(), v.integer(), v.minValue(20)), 240),
          v.description("Characters of each message, 2,000 at most."),
        ),
      }),
    result: () =>
      v.object({
        ts: v.number(),
        previews: v.array(
          v.object({
            key: v.string(),
            status: v.picklist(["ok", "empty", "missing"]),
            items: v.array(v.object({ role: v.picklist(["user", "assistant"]), text: v.string() })),
          }),
        ),
      }),
    async run({ app, params }) {
      const { keys, limit, maxChars } = params;
      const bounds = { limit: Math.min(limit, 50), maxChars: Math.min(maxChars, 2000) };
      const previews = await Promise.all(keys.slice(0, 64).map((key) => preview(app, key, bounds)));
      return { ts: app.clock.now(), previews };
    },
  }),
  method({
    name: "sessions.get",
    scope: "operator.read",
    unlisted: true,
    summary: "The newest messages of a session.",
    params: () => v.object({ key: keyParam, agentId: agentParam, limit: v.optional(positiveParam, 200) }),
    result: () => v.object({ messages: v.array(v.looseObject({ role: v.string() })) }),
    async run({ app, params }) {
      const row = app.sessions.get(addressOf(app, params.key, params.agentId).key);
      if (!row) return { messages: [] };
      const transcript = app.sessions.transcript(row);
      const entries = await transcript.page({ limit: Math.min(params.limit, 1000), kinds: shownKinds });
      return { messages: entries.flatMap((entry) => publicMessage(entry) ?? []) };
    },
  }),
  method({
    name: "sessions.search",
    scope: "operator.read",
    summary: "Finds words in what was said, in all sessions or in some.",
    params: () =>
      v.object({
        query: v.pipe(textParam, v.maxLength(4096)),
        agentId: agentParam,
        sessionKeys: v.optional(v.pipe(v.array(keyParam), v.minLength(1), v.maxLength(200))),
        limit: v.optional(v.pipe(positiveParam, v.maxValue(25)), 10),
      }),
    result: () =>
      v.object({
        results: v.array(
          v.object({
            sessionKey: v.string(),
            sessionId: v.string(),
            messageId: v.string(),
            role: v.picklist(["user", "assistant"]),
            timestamp: v.number(),
            snippet: v.string(),
            score: v.number(),
          }),
        ),
        truncated: v.optional(v.boolean()),
      }),
    async run({ app, params: { query, agentId, sessionKeys, limit } }) {
      const keys = sessionKeys?.map((key) => addressOf(app, key, agentId).key);
      const { hits, truncated } = await app.sessions.search({ query, agentId, sessionKeys: keys, limit });
      return {
        results: hits.map(({ row, timestamp, ...hit }) => ({
          sessionKey: row.key,
          sessionId: row.sessionId,
          timestamp: Math.round(timestamp),
          ...hit,
        })),
        ...(truncated ? { truncated } : {}),
      };
    },
  }),
] as const;

async function preview(app: App, written: string, { limit, maxChars }: { limit: number; maxChars: number }) {
  const { key } = addressOf(app, written);
  const row = app.sessions.get(key);
  if (!row) return { key: written, status: "missing" as const, items: [] };
  const entries = await app.sessions.transcript(row).page({ limit: limit * 2, kinds: ["message"] });
  const items = entries.flatMap((entry) => {
    if (entry.type !== "message" || entry.message.role === "toolResult") return [];
    const text = textOf(entry.message).replaceAll(/\s+/g, " ").trim();
    const short = text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
    return text === "" ? [] : [{ role: entry.message.role, text: short }];
  });
  return { key: written, status: items.length > 0 ? ("ok" as const) : ("empty" as const), items: items.slice(-limit) };
}
