import { chosenModels, openConfigDoor, requireModel, type ConfigDoor } from "../cli/config-door.ts";
import { clean, columns } from "../cli/layout.ts";
import { clientOptions } from "../cli/options.ts";
import { at, stringAt } from "../cli/pick.ts";
import type { ReachContext } from "../cli/reach.ts";
import { exit, Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { command, type CommandContext } from "./command.ts";

const model = { name: "model", description: "The model, as provider/model or by an alias." };
const alias = { name: "alias", description: "A short name, such as fast." };

/** Chooses the model that agents ask first. */
export const modelsSet = command({
  path: ["models", "set"],
  summary: "Choose the model that agents ask first.",
  positionals: [model],
  options: clientOptions,
  examples: [{ command: "models set anthropic/claude-sonnet-4-5", description: "For every agent without its own." }],
  run: (context) =>
    changed(context, async (door, reference) => {
      const { fallbacks } = chosenModels(door.value, "model");
      const others = fallbacks.filter((each) => each !== reference);
      const choice = { primary: reference, ...(fallbacks.length > 0 ? { fallbacks: others } : {}) };
      return { patch: { model: choice, ...listed(door, reference) }, said: `✓ Default model: ${reference}` };
    }),
});

/** Lists the models that are asked when the first fails. */
export const fallbacksList = command({
  path: ["models", "fallbacks", "list"],
  summary: "List the models that are asked when the first one fails.",
  options: clientOptions,
  examples: [{ command: "models fallbacks list", description: "In the order in which they are asked." }],
  async run(context) {
    const { output } = context;
    const { fallbacks } = chosenModels((await openConfigDoor(context, "models")).value, "model");
    if (output.json) output.data({ fallbacks });
    else if (fallbacks.length === 0) output.print("No fallbacks.");
    else for (const each of fallbacks) output.print(clean(each));
    return exit.ok;
  },
});

/** Adds a model to those. */
export const fallbacksAdd = command({
  path: ["models", "fallbacks", "add"],
  summary: "Add a model to be asked when those before it fail.",
  positionals: [model],
  options: clientOptions,
  examples: [{ command: "models fallbacks add openai/gpt-5.2", description: "After the others." }],
  run: (context) =>
    changed(context, async (door, reference) => {
      const { primary, fallbacks } = chosenModels(door.value, "model");
      const all = [...fallbacks.filter((each) => each !== reference), reference];
      return {
        patch: { model: { ...(primary === undefined ? {} : { primary }), fallbacks: all }, ...listed(door, reference) },
        said: `✓ Fallbacks: ${all.join(", ")}`,
      };
    }),
});

/** Takes a model out of those. */
export const fallbacksRemove = command({
  path: ["models", "fallbacks", "remove"],
  summary: "Take a model out of the fallbacks.",
  positionals: [model],
  options: clientOptions,
  examples: [{ command: "models fallbacks remove openai/gpt-5.2", description: "As models fallbacks list shows it." }],
  async run(context) {
    const door = await openConfigDoor(context, "models fallbacks remove");
    const { fallbacks } = chosenModels(door.value, "model");
    const wanted = first(context);
    const named = fallbacks.includes(wanted) ? wanted : await door.meant(wanted);
    const left = fallbacks.filter((each) => each !== named);
    if (left.length === fallbacks.length)
      throw new Failure("not-found", `${clean(wanted)} is not among the fallbacks`, {
        hints: [`See: ${context.program} models fallbacks list`],
      });
    return write(context, door, { patch: { model: withFallbacks(door, left) }, said: `✓ Removed ${clean(wanted)}.` });
  },
});

/** Empties that list. */
export const fallbacksClear = command({
  path: ["models", "fallbacks", "clear"],
  summary: "Have no fallbacks.",
  options: clientOptions,
  examples: [{ command: "models fallbacks clear", description: "Only the first model is asked." }],
  async run(context) {
    const door = await openConfigDoor(context, "models fallbacks clear");
    return write(context, door, { patch: { model: withFallbacks(door, []) }, said: "✓ No fallbacks." });
  },
});

/** Lists short names of models. */
export const aliasesList = command({
  path: ["models", "aliases", "list"],
  summary: "List the short names of models.",
  options: clientOptions,
  examples: [{ command: "models aliases list", description: "Names that the configuration gives." }],
  async run(context) {
    const { output } = context;
    const aliases = aliasesOf(await openConfigDoor(context, "models"));
    if (output.json) output.data({ aliases: Object.fromEntries(aliases) });
    else if (aliases.length === 0) output.print("No aliases.");
    else output.print(columns([["Alias", "Model"], ...aliases.map((row) => row.map(clean))]));
    return exit.ok;
  },
});

/** Gives a model a short name. */
export const aliasesAdd = command({
  path: ["models", "aliases", "add"],
  summary: "Give a model a short name.",
  positionals: [alias, model],
  options: clientOptions,
  examples: [{ command: "models aliases add fast openai/gpt-5-mini", description: "Then /model fast chooses it." }],
  async run(context) {
    const [name = "", wanted = ""] = context.args;
    if (!/^[\w.:-]{1,64}$/.test(name))
      throw new Failure("usage", `${JSON.stringify(name.slice(0, 100))} is no alias: use letters, digits, . _ : and -`);
    const door = await openConfigDoor(context, "models aliases add");
    const reference = await requireModel(door, wanted, context.program);
    const taken = aliasesOf(door).find(
      ([known, model]) => known.toLowerCase() === name.toLowerCase() && model !== reference,
    );
    if (taken)
      throw new Failure("conflict", `${name} already stands for ${clean(taken[1])}`, {
        hints: [`Fix: ${context.program} models aliases remove ${name}`],
      });
    const entry = { ...asObject(at(settingsOf(door), reference)), alias: name };
    // An entry allows a model, and the first one would forbid all others.
    const opens = Object.keys(settingsOf(door)).length === 0;
    const { primary, fallbacks } = chosenModels(door.value, "model");
    const kept = opens ? [...(primary === undefined ? [] : [primary]), ...fallbacks] : [];
    if (opens) context.output.warn(onlyListed(context.program));
    return write(context, door, {
      patch: { models: { ...Object.fromEntries(kept.map((each) => [each, {}])), [reference]: entry } },
      said: `✓ ${name} stands for ${reference}.`,
    });
  },
});

/** Takes a short name away. */
export const aliasesRemove = command({
  path: ["models", "aliases", "remove"],
  summary: "Take a model's short name away.",
  positionals: [alias],
  options: clientOptions,
  examples: [{ command: "models aliases remove fast", description: "The model stays among those that are allowed." }],
  async run(context) {
    const door = await openConfigDoor(context, "models aliases remove");
    const name = first(context);
    const found = aliasesOf(door).find(([known]) => known.toLowerCase() === name.toLowerCase());
    if (!found)
      throw new Failure("not-found", `${clean(name)} is no alias`, {
        hints: [`See: ${context.program} models aliases list`],
      });
    return write(context, door, {
      patch: { models: { [found[1]]: { alias: null } } },
      said: `✓ Removed ${clean(name)}.`,
    });
  },
});

type Context = ReachContext & Pick<CommandContext, "args">;

interface Change {
  /** Of `agents.defaults`. */
  readonly patch: unknown;
  readonly said: string;
}

function first({ args }: Pick<Context, "args">): string {
  return args[0] ?? "";
}

/** Does something with the model that the first argument names. */
async function changed(
  context: Context,
  change: (door: ConfigDoor, reference: string) => Promise<Change>,
): Promise<number> {
  const door = await openConfigDoor(context, "models");
  const reference = await requireModel(door, first(context), context.program);
  return write(context, door, await change(door, reference));
}

async function write({ output }: Context, door: ConfigDoor, { patch, said }: Change): Promise<number> {
  const { path, changedPaths } = await door.patch({ agents: { defaults: patch } });
  if (output.json) output.data({ ok: true, path, changedPaths });
  else output.print(clean(said));
  return exit.ok;
}

function settingsOf({ value }: ConfigDoor): Readonly<Record<string, unknown>> {
  return asObject(at(value, "agents", "defaults", "models"));
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** Where only some models are allowed, one that is chosen must be among them. */
function listed(door: ConfigDoor, reference: string): object {
  const settings = settingsOf(door);
  const isFree = Object.keys(settings).length === 0 || Object.hasOwn(settings, reference);
  return isFree ? {} : { models: { [reference]: {} } };
}

function withFallbacks(door: ConfigDoor, fallbacks: readonly string[]): object {
  const { primary } = chosenModels(door.value, "model");
  return { ...(primary === undefined ? {} : { primary }), fallbacks };
}

function aliasesOf(door: ConfigDoor): readonly (readonly [alias: string, model: string])[] {
  return Object.entries(settingsOf(door)).flatMap(([reference, settings]) => {
    const name = stringAt(settings, "alias");
    return name === undefined ? [] : [[name, reference] as const];
  });
}

function onlyListed(program: string): string {
  return `From now on only the models in agents.defaults.models can be chosen: ${program} config get agents.defaults.models`;
}
