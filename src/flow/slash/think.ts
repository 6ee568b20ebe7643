import { thinkingLevels, type ModelSpec, type ThinkingLevel } from "../../providers/provider.ts";
import { quoted, splitFirst } from "./arguments.ts";
import { currentModel, currentThinking } from "./current-model.ts";
import type { SlashCommand, SlashContext } from "./slash.ts";

export const think: SlashCommand = {
  name: "think",
  aliases: ["t", "thinking"],
  summary: "Show or set how hard the model thinks.",
  category: "options",
  usage: "off|minimal|low|medium|high|xhigh",
  scope: "operator.write",
  async run({ args, row, context }) {
    const [word, rest] = splitFirst(args);
    const { reference, model } = await currentModel({ row, context });
    const levels = levelsOf(model, context);
    const valid = levels.join(", ");
    if (word === "") {
      const level = currentThinking(row, { context, model });
      return { reply: `Current thinking level: ${level}.\nOptions: ${valid}.` };
    }
    const level = levelOf(word);
    if (level === undefined) return { reply: `Unrecognized thinking level ${quoted(word)}. Valid levels: ${valid}.` };
    if (!levels.includes(level))
      return { reply: `Thinking level "${level}" is not supported by ${reference}. Valid levels: ${valid}.` };
    if (rest !== "") return { run: rest, thinking: level };
    await context.sessions.change(row.key, () => ({ thinkingLevel: level }), "thinking");
    return { reply: level === "off" ? "Thinking disabled." : `Thinking level set to ${level}.` };
  },
};

/** A model that does not think is told no level, whatever the session says: what is set holds for the next model. */
function levelsOf(model: ModelSpec | undefined, { accounts }: SlashContext): readonly ThinkingLevel[] {
  const own = model ? accounts.thinkingLevels(model) : [];
  return thinkingLevels.filter((level) => level !== "xhigh" || own.includes(level));
}

function levelOf(word: string): ThinkingLevel | undefined {
  const written = word.toLowerCase();
  return thinkingLevels.find((level) => level === (others[written] ?? written));
}

const others: Readonly<Record<string, ThinkingLevel>> = { max: "high", highest: "high", on: "low" };
