import { Failure } from "../kit/error.ts";
import type { BudgetRequest } from "./budget.ts";
import { BUDGET, type BudgetName, type Limits } from "./budget-limits.ts";
import type { Amount } from "./ledger.ts";
import { dayOf, startOfDay } from "./sums.ts";

export interface BudgetCheck {
  readonly limits: Limits;
  readonly request: BudgetRequest;
  /** What the request may cost at most. */
  readonly most: Amount;
  readonly now: number;
  readonly spent: (name: BudgetName) => Amount;
}

/** A limit of which a good part is used, now for the first time. */
export interface Warning {
  /** The same for the same limit and period. */
  readonly key: string;
  readonly text: string;
}

/** Throws `rate-limited` when a request could pass a limit; answers the limits that it comes near to. */
export function checkBudget({ limits, request, most, now, spent }: BudgetCheck): readonly Warning[] {
  const warnings: Warning[] = [];
  for (const name of names)
    for (const unit of units) {
      const limit = limits[name][unit];
      if (limit === undefined) continue;
      const before = spent(name)[unit];
      const after = before + most[unit];
      if (after > limit + ROUNDING) throw refusal({ name, unit, limit, before, most: most[unit], request, now });
      const share = limits.warnAt * limit;
      // Before is known over restarts: what was passed then was told then.
      if (before >= share || after < share) continue;
      const percent = Math.round((after / limit) * 100);
      warnings.push({
        key: [name, unit, ...periodOf(name, request, now)].join(" "),
        text: `With this request up to ${percent} % of ${title(name, request)} may be used (${show(limit, unit)}).`,
      });
    }
  return warnings;
}

type Unit = keyof Amount;

const names = ["install", "day", "agent", "session"] as const satisfies readonly BudgetName[];
const units = ["usd", "tokens"] as const satisfies readonly Unit[];
/** Sums of many small numbers are not exact. */
const ROUNDING = 1e-9;

interface Refused {
  readonly name: BudgetName;
  readonly unit: Unit;
  readonly limit: number;
  readonly before: number;
  readonly most: number;
  readonly request: BudgetRequest;
  readonly now: number;
}

function refusal({ name, unit, limit, before, most, request, now }: Refused): Failure {
  const opensAt = name === "day" || name === "agent" ? startOfDay(now, 1) : undefined;
  const opens =
    opensAt === undefined ? "It does not open again by itself" : `It opens again on ${dayOf(opensAt)} at 0:00`;
  return new Failure(
    "rate-limited",
    `${title(name, request)} is ${show(limit, unit)}; ${show(before, unit)} of it is spent or set aside, and this request may take ` +
      `${show(most, unit)}. ${opens}; raise ${BUDGET}.${name}.${unit} to go on`,
    {
      details: {
        reason: "budget",
        budget: name,
        unit,
        limit,
        spent: before,
        requested: most,
        ...(opensAt && { opensAt }),
      },
      retryable: opensAt !== undefined,
      ...(opensAt === undefined ? {} : { retryAfterMs: opensAt - now }),
    },
  );
}

function title(name: BudgetName, { agentId }: BudgetRequest): string {
  return {
    install: "the budget of this installation",
    day: "the budget of today",
    agent: `the budget of the agent ${agentId} for today`,
    session: "the budget of this session",
  }[name];
}

function periodOf(name: BudgetName, { agentId, sessionKey }: BudgetRequest, now: number): readonly string[] {
  return { install: [], day: [dayOf(now)], agent: [dayOf(now), agentId], session: [sessionKey] }[name];
}

function show(amount: number, unit: Unit): string {
  if (unit === "tokens") return `${amount.toLocaleString("en-US")} tokens`;
  return amount > 0 && amount < 0.01 ? `$${amount.toFixed(4)}` : `$${amount.toFixed(2)}`;
}
