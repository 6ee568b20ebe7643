import * as v from "valibot";
import { text, whole } from "./section.ts";

const model = v.union(
  [
    text,
    v.looseObject({
      primary: v.pipe(v.optional(text), v.description("provider/model that is asked first.")),
      fallbacks: v.pipe(
        v.optional(v.array(text, "a list of models")),
        v.description("provider/model references tried in order when the first fails."),
      ),
    }),
  ],
  "provider/model in quotes, or an object with primary and fallbacks",
);

const identity = v.looseObject({
  name: v.pipe(v.optional(text), v.description("The name the agent goes by.")),
  theme: v.pipe(v.optional(text), v.description("A few words on its character.")),
  emoji: v.pipe(v.optional(text), v.description("The emoji that stands for it.")),
  avatar: v.pipe(v.optional(text), v.description("Picture: a path in the workspace or a URL.")),
});

const common = {
  name: v.pipe(v.optional(text), v.description("Name shown to people.")),
  default: v.pipe(v.optional(v.boolean()), v.description("Takes what no binding sends elsewhere.")),
  workspace: v.pipe(v.optional(text), v.description("The folder the agent works in.")),
  agentDir: v.pipe(v.optional(text), v.description("The folder of the agent's own state.")),
  model: v.pipe(v.optional(model), v.description("The model it asks, as provider/model.")),
  identity: v.pipe(v.optional(identity), v.description("Who the agent is.")),
};

const defaults = v.looseObject({
  workspace: v.pipe(v.optional(text), v.description("The folder agents work in unless they have their own.")),
  skipBootstrap: v.pipe(v.optional(v.boolean(), false), v.description("Do not write the first files of a workspace.")),
  model: v.pipe(v.optional(model), v.description("The model agents ask unless they have their own.")),
  models: v.pipe(
    v.optional(v.record(v.string(), v.unknown(), "an object")),
    v.description("Models that may be chosen, by provider/model, with alias and parameters."),
  ),
  maxConcurrent: v.pipe(v.optional(whole(1)), v.description("Runs at the same time over all sessions.")),
  timeoutSeconds: v.pipe(v.optional(whole(1)), v.description("Longest run in seconds.")),
});

/** The `agents` section: who the agents are and what they run on. */
export const agentsSection = v.looseObject({
  defaults: v.pipe(v.optional(defaults, {}), v.description("What holds for every agent unless it says otherwise.")),
  list: v.pipe(
    v.optional(
      v.array(
        v.looseObject({ id: v.pipe(text, v.description("Short name that addresses the agent.")), ...common }),
        "a list of agents",
      ),
    ),
    v.description("The agents."),
  ),
  entries: v.pipe(
    v.optional(v.record(v.string(), v.looseObject(common), "an object of agents by id")),
    v.description("The agents by id, newer spelling."),
  ),
});
