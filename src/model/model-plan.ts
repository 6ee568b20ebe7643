import type { Config } from "../config/schema.ts";

/** The models that the configuration names for an agent, as written: aliases and bare names included. */
export interface ModelPlan {
  /** Undefined when nobody chose a model, for this agent or for all. */
  readonly primary: string | undefined;
  readonly fallbacks: readonly string[];
  /** For requests with pictures. */
  readonly images: readonly string[];
}

/** What an agent is to ask: its own model, else the one of all agents. */
export function planOf(config: Config, agentId: string): ModelPlan {
  const { model, imageModel } = config.agents.defaults;
  const { primary, fallbacks = [] } = choiceOf(ownModel(config, agentId) ?? model);
  const images = choiceOf(imageModel);
  return { primary, fallbacks, images: [...(images.primary ? [images.primary] : []), ...(images.fallbacks ?? [])] };
}

/** Every model that the configuration refers to, as written, each once, the ones that agents ask first. */
export function referencesOf(config: Config): readonly string[] {
  const { defaults, list = [], entries = {} } = config.agents;
  const choices = [...list, ...Object.values(entries)].map(({ model }) => model);
  const named = [defaults.model, ...choices, defaults.imageModel].map(choiceOf);
  return [
    ...new Set([
      ...named.flatMap(({ primary, fallbacks = [] }) => [...(primary ? [primary] : []), ...fallbacks]),
      ...Object.keys(defaults.models ?? {}),
    ]),
  ];
}

type Choice = Config["agents"]["defaults"]["model"];

function ownModel({ agents }: Config, agentId: string): Choice {
  return agents.list?.find(({ id }) => id === agentId)?.model ?? agents.entries?.[agentId]?.model;
}

function choiceOf(choice: Choice): {
  readonly primary?: string | undefined;
  readonly fallbacks?: readonly string[] | undefined;
} {
  return typeof choice === "string" ? { primary: choice } : (choice ?? {});
}
