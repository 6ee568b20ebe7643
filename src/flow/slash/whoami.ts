import type { SlashCommand } from "./slash.ts";

export const whoami: SlashCommand = {
  name: "whoami",
  aliases: ["id"],
  summary: "Show as whom you are known here.",
  category: "status",
  scope: "operator.read",
  async run({ input: { origin } }) {
    const { channel, sender } = origin;
    return { reply: ["🧭 Identity", `Channel: ${channel}`, `User id: ${sender}`, `AllowFrom: ${sender}`].join("\n") };
  },
};
