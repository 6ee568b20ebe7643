import type { LedgerRow } from "./budget.ts";
import type { BudgetName } from "./budget-limits.ts";
import { type Amount, nothing, plus } from "./ledger.ts";

/** What was spent so far, by everything that may be limited. */
export interface Sums {
  /** Sessions are counted: that takes reading every ledger, and is done only when they are limited. */
  readonly countsSessions: boolean;
  /** Adds to the sums that an expense belongs to; a negative amount gives back. */
  add(expense: Expense, amount: Amount): void;
  /** Adds to the sum of all time alone. */
  addOld(amount: Amount): void;
  spent(name: BudgetName, expense: Expense): Amount;
}

export type Expense = Pick<LedgerRow, "ts" | "agentId" | "sessionKey">;

/** Sums that begin at nothing. Of days the newest are counted: a clock that was wrong for a while lifts no limit. */
export function createSums(countsSessions: boolean): Sums {
  let all = nothing;
  const days = new Map<string, Amount>();
  const agents = new Map<string, Map<string, Amount>>();
  const sessions = new Map<string, Amount>();

  return {
    countsSessions,
    add({ ts, agentId, sessionKey }, amount) {
      all = plus(all, amount);
      if (countsSessions) addTo(sessions, sessionKey, amount);
      const day = dayOf(ts);
      const its = agents.get(day) ?? new Map<string, Amount>();
      addTo(days, day, amount);
      addTo(its, agentId, amount);
      agents.set(day, its);
      const [oldest = day] = [...days.keys()].toSorted();
      if (days.size <= DAYS) return;
      days.delete(oldest);
      agents.delete(oldest);
    },
    addOld: (amount) => void (all = plus(all, amount)),
    spent(name, { ts, agentId, sessionKey }) {
      if (name === "install") return all;
      if (name === "session") return sessions.get(sessionKey) ?? nothing;
      return (name === "day" ? days.get(dayOf(ts)) : agents.get(dayOf(ts))?.get(agentId)) ?? nothing;
    },
  };
}

const DAYS = 3;

function addTo(sums: Map<string, Amount>, key: string, amount: Amount): void {
  sums.set(key, plus(sums.get(key) ?? nothing, amount));
}

/** The day of a time in the gateway's time zone: `2026-11-21`. */
export function dayOf(ts: number): string {
  const date = new Date(ts);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** When the day of a time begins in the gateway's time zone, or one that is `later` days after it. */
export function startOfDay(ts: number, later = 0): number {
  const date = new Date(ts);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + later).getTime();
}
