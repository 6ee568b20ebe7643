import * as v from "valibot";
import { method } from "./method.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const jobMethods = [
  method({
    name: "tasks.list",
    scope: "operator.read",
    summary: "Background work of agents: none before an agent runs here.",
    params: v.object({
      agentId: v.optional(v.string()),
      sessionKey: v.optional(v.string()),
      limit: v.optional(count),
      cursor: v.optional(v.string()),
    }),
    result: v.object({ tasks: v.array(v.looseObject({ id: v.string() })) }),
    run: () => ({ tasks: [] }),
  }),
  method({
    name: "cron.list",
    scope: "operator.read",
    summary: "Scheduled jobs. The scheduler is off, so there are none.",
    params: v.object({ limit: v.optional(count, 50), offset: v.optional(count, 0) }),
    result: v.object({
      jobs: v.array(v.looseObject({ id: v.string() })),
      total: count,
      offset: count,
      limit: count,
      hasMore: v.boolean(),
      nextOffset: v.nullable(count),
    }),
    run: ({ params: { limit, offset } }) => ({ jobs: [], total: 0, offset, limit, hasMore: false, nextOffset: null }),
  }),
  method({
    name: "cron.status",
    scope: "operator.read",
    summary: "Whether the scheduler runs: it does not.",
    params: v.object({}),
    result: v.object({ enabled: v.boolean(), jobs: count, nextWakeAtMs: v.nullable(v.number()) }),
    run: () => ({ enabled: false, jobs: 0, nextWakeAtMs: null }),
  }),
] as const;
