import { splitFirst } from "./arguments.ts";
import { choose, chooseFor } from "./model-choice.ts";
import type { SlashCall, SlashCommand, SlashOutcome } from "./slash.ts";

export const newSession: SlashCommand = {
  name: "new",
  summary: "Begin a new session, with another model if you name one.",
  category: "session",
  usage: "[model] [message]",
  scope: "operator.admin",
  sessionOnly: true,
  exclusive: true,
  interrupts: true,
  run: (call) => beginAnew(call, "new"),
};

export const reset: SlashCommand = {
  name: "reset",
  summary: "Begin this session anew.",
  category: "session",
  usage: "[model] [message]",
  scope: "operator.admin",
  sessionOnly: true,
  exclusive: true,
  interrupts: true,
  run: (call) => beginAnew(call, "reset"),
};

const greeting =
  "A new conversation begins. Greet the person in one or two short sentences, in your own manner, and ask what they " +
  "would like to do. Do not mention this request, your files or your tools.";

/** Words after the command are a model, when the first of them names one, and what is to be said first. */
async function beginAnew(call: SlashCall, reason: string): Promise<SlashOutcome> {
  const { args, row, context } = call;
  const [first, rest] = splitFirst(args);
  // A number is more often the beginning of a message than the place of a model in the list.
  const choice = /^\d*$/.test(first) ? undefined : await choose(first, call);
  // A word that is no model is the beginning of a message; by itself, a reference that leads nowhere is a mistake.
  if (choice && "problem" in choice && (choice.refused || (rest === "" && first.includes("/"))))
    return { reply: choice.problem };
  const fresh = await context.sessions.reset(row.key, reason);
  if (!choice || "problem" in choice) return { run: args || greeting };
  await chooseFor(fresh, choice, context);
  return { reply: choice.said, run: rest || greeting };
}
