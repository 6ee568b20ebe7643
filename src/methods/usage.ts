import * as v from "valibot";
import { catalogueOf } from "../model/catalogue.ts";
import { dayAfter, daysBetween, daysOf } from "../budget/usage-days.ts";
import { dailyTotals, groupBy, totalsOf, usageTotals } from "../budget/usage-totals.ts";
import { method } from "./method.ts";

const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "a day such as 2026-11-21"));

export const usageMethods = [
  method({
    name: "usage.status",
    scope: "operator.read",
    summary: "What providers say about quotas. None is asked: what is spent here is in `usage.cost`.",
    params: () => v.object({}),
    result: () => v.object({ updatedAt: v.number(), providers: v.array(v.looseObject({ provider: v.string() })) }),
    run: ({ app }) => ({ updatedAt: app.clock.now(), providers: [] }),
  }),
  method({
    name: "usage.cost",
    scope: "operator.read",
    summary: "Tokens and cost by day of the gateway's time zone.",
    params: () =>
      v.object({
        days: v.pipe(
          v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3660)), 30),
          v.description("How many days back, today included."),
        ),
        startDate: v.pipe(v.optional(day), v.description("The first day, in place of `days`.")),
        endDate: v.pipe(v.optional(day), v.description("The last day; today when absent.")),
        agentId: v.optional(v.pipe(v.string(), v.nonEmpty())),
      }),
    result: () =>
      v.object({
        updatedAt: v.number(),
        days: v.number(),
        daily: v.array(dailyTotals),
        totals: usageTotals,
      }),
    async run({ app, params: { days, startDate, endDate, agentId } }) {
      const now = app.clock.now();
      const calendar = daysOf({});
      const last = endDate ?? calendar.dayOf(now);
      const dates = daysBetween(startDate ?? dayAfter(last, 1 - days), last, MOST_DAYS);
      const since = calendar.startOf(dates[0] ?? last);
      const until = calendar.startOf(dayAfter(last, 1));
      const rows = await app.budget.totals({ since, until, ...(agentId === undefined ? {} : { agentId }) });
      const { providers } = catalogueOf(app.config.current().value);
      const isFree = (provider: string): boolean => providers.get(provider)?.local === true;
      const byDay = groupBy(rows, ({ ts }) => calendar.dayOf(ts));
      return {
        updatedAt: now,
        days: dates.length,
        daily: dates.map((date) => ({ date, ...totalsOf(byDay.get(date) ?? [], isFree) })),
        totals: totalsOf(rows, isFree),
      };
    },
  }),
] as const;

const MOST_DAYS = 3660;
