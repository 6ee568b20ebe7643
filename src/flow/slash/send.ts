import { quoted } from "./arguments.ts";
import type { SlashCommand } from "./slash.ts";

export const send: SlashCommand = {
  name: "send",
  summary: "Set whether answers of this session are sent to its chat.",
  category: "management",
  usage: "on|off|inherit",
  scope: "operator.admin",
  async run({ args, row, context }) {
    if (args === "") {
      const current = row.sendPolicy === undefined ? "inherit" : row.sendPolicy === "allow" ? "on" : "off";
      return { reply: `Current send policy: ${current}.\nOptions: ${valid}.` };
    }
    const wanted = args.toLowerCase();
    if (!isPolicy(wanted)) return { reply: `Unrecognized send policy ${quoted(args)}. Valid policies: ${valid}.` };
    await context.sessions.change(row.key, () => ({ sendPolicy: policies[wanted] }), "settings");
    return { reply: `⚙️ Send policy set to ${wanted}.` };
  },
};

const policies = { on: "allow", off: "deny", inherit: undefined } as const;
const valid = Object.keys(policies).join(", ");

function isPolicy(word: string): word is keyof typeof policies {
  return Object.hasOwn(policies, word);
}
