import type { Route } from "../model/accounts.ts";
import { compactConversation } from "./compact.ts";
import { openConversation } from "./conversation.ts";
import { orAborted } from "./interrupt.ts";
import { limitsOf } from "./limits.ts";
import type { RunnerDeps } from "./runner-deps.ts";
import type { CompactInput, CompactOutcome } from "./runner.ts";
import { contextTokens, entriesTokens } from "./tokens.ts";

/** Sums up a session because a person asks for it: all but the newest quarter, however short it is. */
export async function compactSession(deps: RunnerDeps, input: CompactInput): Promise<CompactOutcome> {
  const { sessions, accounts, host, log } = deps;
  const { row, instructions, signal } = input;
  const { defaults } = deps.config.current().value.agents;
  const conversation = await openConversation(sessions, { ...row, sessionKey: row.key }, () => undefined);
  const guessed = (): number => entriesTokens(conversation.entries);
  const before = guessed();
  const tokensBefore = contextTokens(conversation.entries, 0);
  const [route]: readonly (Route | undefined)[] = await orAborted(
    accounts.routes({ agentId: row.agentId, row }),
    signal,
  );
  const limits = limitsOf(defaults, route?.model.contextWindow ?? USUAL_WINDOW);
  const compacted = await compactConversation(
    { ...deps, clock: host.clock, log: log.child("agent") },
    {
      conversation,
      limits,
      tokensBefore,
      mode: defaults.compaction.mode,
      wish: instructions,
      keep: Math.min(limits.keep, Math.floor(before / 4)),
      asker: { agentId: row.agentId, sessionKey: row.key, row, signal },
      // What this cost is in the ledger; there is no run to count it for.
      spent: () => undefined,
    },
  );
  if (!compacted) return { compacted, reason: "nothing to sum up yet", tokensBefore, tokensAfter: tokensBefore };
  // Prompt and tools, which were counted with the last request, stay.
  const tokensAfter = Math.max(0, tokensBefore - before) + guessed();
  conversation.note({ totalTokens: tokensAfter });
  return { compacted, tokensBefore, tokensAfter };
}

/** When no model can be asked, and the summary is made without one. */
const USUAL_WINDOW = 200_000;
