import * as v from "valibot";
import type { LedgerRow } from "./budget.ts";

const count = v.number();
const entries = {
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
  missingCostEntries: v.pipe(count, v.description("Requests whose price is not known; their cost is not in the sums.")),
};

/** Sums of tokens and US dollars, as methods answer them. */
export const usageTotals = v.object(entries);
export type UsageTotals = v.InferOutput<typeof usageTotals>;

/** The same for a day. */
export const dailyTotals = v.object({ date: v.string(), ...entries });

/** Rows added up. `isFree` says of a provider that what costs nothing there has no price to be missed. */
export function totalsOf(rows: readonly LedgerRow[], isFree: (provider: string) => boolean): UsageTotals {
  const sum = (of: (row: LedgerRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const isMissing = ({ usage, provider }: LedgerRow): boolean =>
    usage.totalTokens > 0 && usage.cost.total === 0 && !isFree(provider);
  return {
    input: sum(({ usage }) => usage.input),
    output: sum(({ usage }) => usage.output),
    cacheRead: sum(({ usage }) => usage.cacheRead),
    cacheWrite: sum(({ usage }) => usage.cacheWrite),
    totalTokens: sum(({ usage }) => usage.totalTokens),
    totalCost: sum(({ usage }) => usage.cost.total),
    inputCost: sum(({ usage }) => usage.cost.input),
    outputCost: sum(({ usage }) => usage.cost.output),
    cacheReadCost: sum(({ usage }) => usage.cost.cacheRead),
    cacheWriteCost: sum(({ usage }) => usage.cost.cacheWrite),
    missingCostEntries: sum((row) => (isMissing(row) ? requestsOf(row) : 0)),
  };
}

/** How many requests to models a row sums up. */
export function requestsOf({ requests = 1 }: LedgerRow): number {
  return requests;
}

/** Rows by whatever `keyOf` says of them, in the order in which the keys first come. */
export function groupBy(
  rows: readonly LedgerRow[],
  keyOf: (row: LedgerRow) => string,
): ReadonlyMap<string, LedgerRow[]> {
  const groups = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
