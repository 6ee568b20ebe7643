import type { RowChanges, SessionRow } from "../../session/sessions.ts";
import { quoted, settingScope } from "./arguments.ts";
import type { SlashCall, SlashCommand, SlashOutcome } from "./slash.ts";

export const verbose: SlashCommand = {
  name: "verbose",
  aliases: ["v"],
  summary: "Show or set whether tool calls are shown.",
  category: "options",
  usage: "off|on|full",
  scope: settingScope,
  sessionOnly: true,
  run: (call) =>
    level(call, {
      name: "verbose level",
      current: ({ verboseLevel }) => verboseLevel ?? call.context.config.current().value.agents.defaults.verboseDefault,
      replies: {
        off: "⚙️ Verbose logging disabled.",
        on: "⚙️ Verbose logging enabled.",
        full: "⚙️ Verbose logging set to full.",
      },
      changes: (verboseLevel) => ({ verboseLevel }),
    }),
};

export const reasoning: SlashCommand = {
  name: "reasoning",
  summary: "Show or set whether the model's thoughts are shown.",
  category: "options",
  usage: "off|on|stream",
  scope: settingScope,
  sessionOnly: true,
  run: (call) =>
    level(call, {
      name: "reasoning level",
      current: ({ reasoningLevel }) => reasoningLevel ?? "off",
      replies: {
        off: "⚙️ Reasoning visibility disabled.",
        on: "⚙️ Reasoning visibility enabled.",
        stream: "⚙️ Reasoning stream enabled.",
      },
      changes: (reasoningLevel) => ({ reasoningLevel }),
    }),
};

interface Setting {
  readonly name: string;
  readonly current: (row: SessionRow) => string;
  /** What is said when it is set, by level. */
  readonly replies: Readonly<Record<string, string>>;
  readonly changes: (level: string) => RowChanges;
}

/** A setting of the session that is one of a few words. */
async function level({ args, row, context }: SlashCall, setting: Setting): Promise<SlashOutcome> {
  const levels = Object.keys(setting.replies);
  if (args === "")
    return { reply: `Current ${setting.name}: ${setting.current(row)}.\nOptions: ${levels.join(", ")}.` };
  const wanted = levels.find((level) => level === args.toLowerCase());
  if (wanted === undefined)
    return { reply: `Unrecognized ${setting.name} ${quoted(args)}. Valid levels: ${levels.join(", ")}.` };
  await context.sessions.change(row.key, () => setting.changes(wanted), "settings");
  return { reply: setting.replies[wanted] ?? "" };
}
