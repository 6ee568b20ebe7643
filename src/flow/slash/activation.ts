import { quoted } from "./arguments.ts";
import type { SlashCommand } from "./slash.ts";

export const activation: SlashCommand = {
  name: "activation",
  summary: "Set whether every message of a group is answered, or only those that mention the assistant.",
  category: "management",
  usage: "mention|always",
  scope: "operator.admin",
  async run({ args, row, context }) {
    if (row.kind !== "group") return { reply: "⚙️ Group activation only applies to group chats." };
    if (args === "")
      return { reply: `Current group activation: ${row.groupActivation ?? "mention"}.\nOptions: ${valid}.` };
    const wanted = modes.find((mode) => mode === args.toLowerCase());
    if (!wanted) return { reply: `Unrecognized group activation ${quoted(args)}. Valid activations: ${valid}.` };
    await context.sessions.change(row.key, () => ({ groupActivation: wanted }), "settings");
    return { reply: `⚙️ Group activation set to ${wanted}.` };
  },
};

const modes = ["mention", "always"] as const;
const valid = modes.join(", ");
