import type { SlashCommand } from "./slash.ts";

export const help: SlashCommand = {
  name: "help",
  summary: "Show the commands used most.",
  category: "status",
  scope: "operator.read",
  async run() {
    return {
      reply: [
        "ℹ️ Help",
        "Shortcuts: /new [model] | /reset | /compact [instructions] | /stop",
        "Options: /think <level> | /model <id> | /verbose off|on|full | /usage off|tokens|full|cost",
        "Status: /status | /context | /usage | /whoami",
        "More: /commands for the full list",
      ].join("\n"),
    };
  },
};

/** `/commands`, over a table that it stands in itself. */
export function commandList(all: () => readonly SlashCommand[]): SlashCommand {
  return {
    name: "commands",
    summary: "List all commands.",
    category: "status",
    scope: "operator.read",
    async run() {
      const groups = Object.entries(headings).map(([category, heading]) => {
        const commands = all().filter((command) => command.category === category);
        return [heading, ...commands.map(line)].join("\n");
      });
      return { reply: ["ℹ️ Slash commands", ...groups].join("\n\n") };
    },
  };
}

const headings = {
  session: "Session",
  options: "Options",
  status: "Status",
  management: "Management",
} as const satisfies Record<SlashCommand["category"], string>;

function line({ name, aliases = [], usage, summary }: SlashCommand): string {
  const others = aliases.length === 0 ? "" : ` (${aliases.map((alias) => `/${alias}`).join(", ")})`;
  return `/${name}${usage === undefined ? "" : ` ${usage}`}${others} - ${summary}`;
}
