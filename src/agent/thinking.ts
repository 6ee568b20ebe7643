import { thinkingLevels, type ModelSpec, type ThinkingLevel } from "../providers/provider.ts";
import type { Accounts } from "../model/accounts.ts";

/** The level to ask a model at: the one that is wanted, else the nearest below that it has, else its lowest. */
export function thinkingFor(
  accounts: Pick<Accounts, "thinkingLevels" | "defaultThinking">,
  model: ModelSpec,
  wanted: string | undefined,
): ThinkingLevel {
  const level = thinkingLevels.find((known) => known === wanted) ?? accounts.defaultThinking(model);
  const available = accounts.thinkingLevels(model);
  const upTo = thinkingLevels.slice(0, thinkingLevels.indexOf(level) + 1);
  return upTo.findLast((each) => available.includes(each)) ?? available[0] ?? "off";
}
