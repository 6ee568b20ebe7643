import { short } from "../../kit/amounts.ts";
import { currentModel, windowOf } from "./current-model.ts";
import type { SlashCommand } from "./slash.ts";

export const compact: SlashCommand = {
  name: "compact",
  summary: "Sum up the older part of the conversation for the model.",
  category: "session",
  usage: "[instructions]",
  scope: "operator.admin",
  sessionOnly: true,
  exclusive: true,
  async run({ args, row, context, signal }) {
    const outcome = await context.runner.compact({ row, signal, ...(args === "" ? {} : { instructions: args }) });
    const { compacted, reason, tokensBefore, tokensAfter } = outcome;
    const { model } = await currentModel({ row, context });
    const window = windowOf(model, context);
    const held = `Context ${tokensAfter > 0 ? short(tokensAfter) : "?"}/${window === undefined ? "?" : short(window)}`;
    if (!compacted) return { reply: `⚙️ Compaction skipped${reason === undefined ? "" : `: ${reason}`} • ${held}` };
    const change = tokensBefore > 0 && tokensAfter > 0 ? ` (${short(tokensBefore)} → ${short(tokensAfter)})` : "";
    return { reply: `⚙️ Compacted${change} • ${held}` };
  },
};
