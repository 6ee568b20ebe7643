import * as v from "valibot";
import { method } from "./method.ts";

const count = v.number();
const sums = {
  input: count,
  output: count,
  cacheRead: count,
  cacheWrite: count,
  totalTokens: count,
  totalCost: count,
  inputCost: count,
  outputCost: count,
  cacheReadCost: count,
  cacheWriteCost: count,
  missingCostEntries: count,
};

export const usageMethods = [
  method({
    name: "usage.status",
    scope: "operator.read",
    summary: "What providers say about quotas. None is asked before an agent runs here.",
    params: v.object({}),
    result: v.object({ updatedAt: v.number(), providers: v.array(v.looseObject({ provider: v.string() })) }),
    run: ({ app }) => ({ updatedAt: app.clock.now(), providers: [] }),
  }),
  method({
    name: "usage.cost",
    scope: "operator.read",
    summary: "Tokens and cost by day; days without any are left out.",
    params: v.object({
      days: v.pipe(
        v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3660)), 30),
        v.description("How many days back."),
      ),
    }),
    result: v.object({
      updatedAt: v.number(),
      days: count,
      daily: v.array(v.object({ date: v.string(), ...sums })),
      totals: v.object(sums),
    }),
    run: ({ app, params: { days } }) => ({ updatedAt: app.clock.now(), days, daily: [], totals: nothing }),
  }),
] as const;

const nothing = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 0,
  totalCost: 0,
  inputCost: 0,
  outputCost: 0,
  cacheReadCost: 0,
  cacheWriteCost: 0,
  missingCostEntries: 0,
};
