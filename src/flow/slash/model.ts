import { referenceOf } from "../../model/model-specs.ts";
import { splitFirst } from "./arguments.ts";
import { currentModel, ownModel } from "./current-model.ts";
import { choose, chooseFor, ownChanges } from "./model-choice.ts";
import { modelList } from "./model-list.ts";
import type { SlashCall, SlashCommand, SlashOutcome } from "./slash.ts";

export const model: SlashCommand = {
  name: "model",
  summary: "Show or choose the model of this session.",
  category: "options",
  usage: "list|status|default|<number>|<provider/model>",
  scope: "operator.write",
  async run(call) {
    const [word, rest] = splitFirst(call.args);
    switch (word.toLowerCase()) {
      case "":
        return { reply: await current(call) };
      case "list":
        return { reply: modelList(rest, call.context) };
      case "status":
        return { reply: await tries(call) };
      case "default":
        return rest === "" ? toOwn(call) : { run: rest, model: await ownModel(call.row, call.context) };
      default:
        return set(call, { word, rest });
    }
  },
};

export const models: SlashCommand = {
  name: "models",
  summary: "List the models that can be chosen.",
  category: "options",
  usage: "[provider] [page]",
  scope: "operator.write",
  run: async ({ args, context }) => ({ reply: modelList(args, context) }),
};

async function current(call: SlashCall): Promise<string> {
  const { reference } = await currentModel(call);
  return [
    `Current: ${reference}`,
    "",
    "Switch: /model <provider/model>",
    "Browse: /models (providers) or /models <provider> (models)",
    "More: /model status",
  ].join("\n");
}

/** What is asked in which order, and with what; or why nothing can be asked. */
async function tries({ row, context }: SlashCall): Promise<string> {
  const { accounts } = context;
  const input = { agentId: row.agentId, row };
  const routes = await accounts.routes(input);
  const { reference } = await currentModel({ row, context });
  const lines = routes.map((route, at) => `${at + 1}. ${referenceOf(route.model)} · 🔑 ${route.profileId}`);
  return [
    `Current: ${reference}${row.modelOverride === undefined ? "" : " (chosen for this session)"}`,
    `Default: ${await ownModel(row, context)}`,
    ...(lines.length === 0 ? [await accounts.explain(input)] : ["Asked in this order:", ...lines]),
  ].join("\n");
}

async function toOwn({ row, context }: SlashCall): Promise<SlashOutcome> {
  await context.sessions.change(row.key, () => ownChanges, "model");
  return { reply: `Model reset to default (${await ownModel(row, context)}).` };
}

async function set(call: SlashCall, { word, rest }: { word: string; rest: string }): Promise<SlashOutcome> {
  const choice = await choose(word, call);
  if ("problem" in choice) return { reply: choice.problem };
  if (rest !== "" && choice.profileId !== undefined)
    return { reply: `A credential holds for the session: send /model ${word} by itself, and the message after it.` };
  if (rest !== "") return { run: rest, model: referenceOf(choice.model) };
  const { row, context } = call;
  await chooseFor(row, choice, context);
  return { reply: choice.said };
}
