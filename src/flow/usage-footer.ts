import type { RunOutcome } from "../agent/runner.ts";
import type { SessionRow } from "../session/sessions.ts";
import { dollars, short } from "../kit/amounts.ts";

/** An outcome with a line under its answer that says what it used, where `/usage` asked for one. */
export function withUsage(outcome: RunOutcome, level: SessionRow["responseUsage"]): RunOutcome {
  if (level === undefined || level === "off" || outcome.payloads.length === 0) return outcome;
  return { ...outcome, payloads: [...outcome.payloads, { text: footer(outcome, level) }] };
}

function footer({ usage, provider, model }: RunOutcome, level: "tokens" | "full" | "cost"): string {
  const spent = `${short(usage.input + usage.cacheRead + usage.cacheWrite)} in / ${short(usage.output)} out`;
  // Zero is what a model without known prices costs: nothing is claimed of it.
  const cost = usage.cost.total > 0 ? [dollars(usage.cost.total)] : [];
  if (level === "tokens") return `Usage: ${spent}`;
  if (level === "cost") return `Usage: ${cost[0] ?? "cost unknown"}`;
  return `Usage: ${[spent, ...cost, `${provider}/${model}`].join(" · ")}`;
}
