import type { ConfigSnapshot } from "../config/config.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";

export type BudgetName = "install" | "day" | "agent" | "session";

/** What may be spent; what is undefined is not limited. */
export interface Limit {
  readonly usd?: number | undefined;
  readonly tokens?: number | undefined;
}

export interface Limits extends Readonly<Record<BudgetName, Limit>> {
  /** Share of a limit from which people are warned. */
  readonly warnAt: number;
}

/**
 * The limits in force. When the `agents` section is wrong its defaults hold, and those limit nothing: the limits are
 * then read from what is written, and when they are what is wrong, nothing is spent at all.
 */
export function limitsOf({ value, source, disabled }: ConfigSnapshot): Limits {
  const off = disabled.find(({ section }) => section === "agents");
  if (!off) return value.agents.defaults.budget;
  const { path, message } = off.issue;
  if (path.startsWith(BUDGET))
    throw new Failure("config", `${path} is wrong, so that nothing may be spent: ${message}`);
  const written = inside(source, ...BUDGET.split("."));
  const limit = (name: BudgetName): Limit => {
    const { usd, tokens } = inside(written, name);
    return {
      usd: typeof usd === "number" ? usd : undefined,
      tokens: typeof tokens === "number" ? tokens : undefined,
    };
  };
  return {
    install: limit("install"),
    day: limit("day"),
    agent: limit("agent"),
    session: limit("session"),
    warnAt: value.agents.defaults.budget.warnAt,
  };
}

export function isLimited({ usd, tokens }: Limit): boolean {
  return usd !== undefined || tokens !== undefined;
}

/** Where the limits are in the configuration. */
export const BUDGET = "agents.defaults.budget";

function inside(value: unknown, ...names: readonly string[]): JsonObject {
  const found = names.reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), value);
  return isObject(found) ? found : {};
}
