import type { SlashCommand } from "./slash.ts";

export const stop: SlashCommand = {
  name: "stop",
  summary: "End the run of this session and what waits behind it.",
  category: "session",
  scope: "operator.write",
  async run({ row, context }) {
    const { length } = await context.abort(row.key);
    if (length === 0) return { reply: "⚙️ Nothing was running." };
    return { reply: length === 1 ? "⚙️ Agent was aborted." : `⚙️ Agent was aborted. ${length} runs ended.` };
  },
};
