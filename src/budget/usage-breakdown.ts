import type { LedgerRow } from "./budget.ts";
import type { Days } from "./usage-days.ts";
import { groupBy, requestsOf, totalsOf } from "./usage-totals.ts";

/** How usage is told: by which calendar, and which providers have no prices that could be missing. */
export interface Telling {
  readonly days: Days;
  readonly isFree: (provider: string) => boolean;
}

/** Sums by model. */
export function byModel(rows: readonly LedgerRow[], { isFree }: Telling) {
  return [...groupBy(rows, ({ provider, model }) => `${provider}/${model}`).values()].flatMap((its) => {
    const [first] = its;
    return first
      ? [{ provider: first.provider, model: first.model, count: requestsIn(its), totals: totalsOf(its, isFree) }]
      : [];
  });
}

/** Sums by whatever `keyOf` says of a row. */
export function groups(rows: readonly LedgerRow[], keyOf: (row: LedgerRow) => string, { isFree }: Telling) {
  return [...groupBy(rows, keyOf)].map(([key, its]) => ({
    key,
    count: requestsIn(its),
    totals: totalsOf(its, isFree),
  }));
}

/** Sums by day, days without any left out. */
export function byDay(rows: readonly LedgerRow[], { days, isFree }: Telling) {
  return groups(rows, ({ ts }) => days.dayOf(ts), { days, isFree }).map(({ key: date, count, totals }) => ({
    date,
    tokens: totals.totalTokens,
    cost: totals.totalCost,
    messages: count,
  }));
}

/** Messages, as far as the ledger knows of them: each request to a model is one. */
export function countsOf(rows: readonly LedgerRow[]) {
  const requests = requestsIn(rows);
  return { total: requests, user: 0, assistant: requests, toolCalls: 0, toolResults: 0, errors: 0 };
}

/** Rows as points in time; neighbours become one point where there would be too many. */
export function pointsOf(rows: readonly LedgerRow[], most: number) {
  const times = [...groupBy(rows, ({ ts }) => String(ts)).values()];
  const size = Math.max(1, Math.ceil(times.length / most));
  let [cumulativeTokens, cumulativeCost] = [0, 0];
  return times.flatMap((_, index) => {
    if (index % size !== 0) return [];
    const its = times.slice(index, index + size).flat();
    const { input, output, cacheRead, cacheWrite, totalTokens, totalCost: cost } = totalsOf(its, () => true);
    cumulativeTokens += totalTokens;
    cumulativeCost += cost;
    const timestamp = its[0]?.ts ?? 0;
    return [{ timestamp, input, output, cacheRead, cacheWrite, totalTokens, cost, cumulativeTokens, cumulativeCost }];
  });
}

function requestsIn(rows: readonly LedgerRow[]): number {
  return rows.reduce((sum, row) => sum + requestsOf(row), 0);
}
