import type { CommandContext } from "../commands/command.ts";
import { Failure } from "../kit/error.ts";
import { knownModelsOf, providerFacts } from "../providers/facts.ts";
import { openConfigFile } from "./config-file.ts";
import { at, listAt, stringAt } from "./pick.ts";
import { ask, targetOf, type ReachContext } from "./reach.ts";
import { runningGateway } from "./settings.ts";

/** The configuration of the gateway that a command is about, wherever that gateway is. */
export interface ConfigDoor {
  /** With its defaults, without its secrets. */
  readonly value: unknown;
  /** The reference, `provider/id`, of the model that a name stands for; undefined when there is none. */
  meant(name: string): Promise<string | undefined>;
  /** Applies a JSON merge patch (RFC 7396), unless the configuration has changed since it was read. */
  patch(patch: unknown): Promise<ConfigChange>;
}

export interface ConfigChange {
  readonly path: string;
  readonly changedPaths: readonly string[];
}

type Context = ReachContext & Pick<CommandContext, "paths" | "flavour">;

/** Through the gateway when there is one; else, for this machine's own, the file itself. `by` is for the history. */
export async function openConfigDoor(context: Context, by: string): Promise<ConfigDoor> {
  const { kind } = await targetOf(context);
  return kind !== "local" || (await runningGateway(context)) ? throughGateway(context) : throughFile(context, by);
}

async function throughGateway(context: Context): Promise<ConfigDoor> {
  const { config, hash, exists } = await ask(context, "config.get", {}, { scopes: ["operator.read"] });
  return {
    value: config,
    async meant(name) {
      const { models } = await ask(context, "models.list", { view: "all" }, { scopes: ["operator.read"] });
      return meantAmong(models, config, name);
    },
    async patch(patch) {
      const params = { raw: JSON.stringify(patch), ...(exists ? { baseHash: hash } : {}) };
      const { path, changedPaths } = await ask(context, "config.patch", params, { scopes: ["operator.admin"] });
      return { path, changedPaths };
    },
  };
}

/** As the gateway's own reading of names, over what it tells of its models. */
function meantAmong(models: readonly unknown[], config: unknown, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const known = models.map((model) => ({
    reference: `${stringAt(model, "provider")}/${stringAt(model, "id")}`,
    id: stringAt(model, "id")?.toLowerCase(),
    alias: stringAt(model, "alias")?.toLowerCase(),
  }));
  const exact =
    known.find(({ alias }) => alias === wanted) ?? known.find((each) => each.reference.toLowerCase() === wanted);
  if (exact) return exact.reference;
  const [provider = "", ...rest] = name.split("/");
  const providers = new Set([
    ...known.map(({ reference }) => reference.split("/")[0]),
    ...Object.keys(at(config, "models", "providers") ?? {}),
  ]);
  // A provider that is known may have models that are not.
  if (rest.join("") !== "" && providers.has(provider)) return name;
  const usual = providerFacts.flatMap(knownModelsOf).find(({ alias }) => alias === wanted);
  if (usual) return `${usual.provider}/${usual.id}`;
  const [only, ...others] = known.filter(({ id }) => id === wanted);
  return others.length === 0 ? only?.reference : undefined;
}

async function throughFile(context: Context, by: string): Promise<ConfigDoor> {
  const [store, { catalogueOf }, { referenceOf }] = await Promise.all([
    openConfigFile(context),
    import("../model/catalogue.ts"),
    import("../model/model-specs.ts"),
  ]);
  const { value, exists, hash } = store.current();
  return {
    value: store.redacted(value),
    async meant(name) {
      const model = catalogueOf(value).meant(name);
      return model && referenceOf(model);
    },
    async patch(patch) {
      const { snapshot, changedPaths } = await store.patch(patch, { baseHash: exists ? hash : undefined, by });
      return { path: snapshot.path, changedPaths };
    },
  };
}

/** The models that a configuration names for all agents, as written. */
export interface ChosenModels {
  readonly primary: string | undefined;
  readonly fallbacks: readonly string[];
}

/** `agents.defaults.model` or `imageModel`: a text, or an object. */
export function chosenModels(config: unknown, key: "model" | "imageModel"): ChosenModels {
  const chosen = at(config, "agents", "defaults", key);
  if (typeof chosen === "string") return { primary: chosen, fallbacks: [] };
  const fallbacks = listAt(chosen, "fallbacks").filter((each) => typeof each === "string");
  return { primary: stringAt(chosen, "primary"), fallbacks };
}

/** Throws for a name that stands for no model. */
export async function requireModel(door: ConfigDoor, name: string, program: string): Promise<string> {
  const reference = await door.meant(name.trim());
  if (reference !== undefined) return reference;
  throw new Failure(
    "usage",
    `there is no model ${JSON.stringify(name.slice(0, 100))}: write provider/model or an alias`,
    {
      hints: [`See: ${program} models list --all`],
    },
  );
}
