import { agentsOf } from "../../agent/roster.ts";
import { statusCard } from "../../agent/status-card.ts";
import { currentModel, currentThinking, windowOf } from "./current-model.ts";
import type { SlashCommand, SlashContext } from "./slash.ts";

export const status: SlashCommand = {
  name: "status",
  summary: "Show the session as it is: model, context, queue.",
  category: "status",
  scope: "operator.read",
  async run({ row, context }) {
    const { reference, model, profileId } = await currentModel({ row, context });
    const reply = statusCard({
      title: context.flavour.title,
      version: context.version,
      model: reference,
      profileId,
      contextUsed: row.totalTokens,
      contextWindow: windowOf(model, context) ?? 0,
      compactions: row.compactionCount,
      sessionKey: shortKey(row.key, context),
      updatedAt: row.updatedAt,
      now: context.clock.now(),
      thinking: currentThinking(row, { context, model }),
      queue: context.queue(row),
    });
    return { reply };
  },
};

/** The key as people write it: without the default agent. */
function shortKey(key: string, { config }: SlashContext): string {
  const prefix = `agent:${agentsOf(config.current().value)[0].id}:`;
  return key.startsWith(prefix) ? key.slice(prefix.length) : key;
}
