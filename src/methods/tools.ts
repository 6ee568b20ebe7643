import * as v from "valibot";
import { agentsOf } from "../agent/roster.ts";
import { method } from "./method.ts";

const profiles = [
  { id: "minimal", label: "Minimal" },
  { id: "coding", label: "Coding" },
  { id: "messaging", label: "Messaging" },
  { id: "full", label: "Full" },
] as const;

export const toolMethods = [
  method({
    name: "tools.catalog",
    scope: "operator.read",
    summary: "The profiles that `tools.profile` may name, and the tools that an agent can be given: none are built in.",
    params: v.object({ agentId: v.optional(v.string()), includePlugins: v.optional(v.boolean()) }),
    result: v.object({
      agentId: v.string(),
      profiles: v.array(v.object({ id: v.picklist(profiles.map(({ id }) => id)), label: v.string() })),
      groups: v.array(v.looseObject({ id: v.string() })),
    }),
    run: ({ app, params }) => ({
      agentId: params.agentId ?? agentsOf(app.config.current().value)[0].id,
      profiles: [...profiles],
      groups: [],
    }),
  }),
] as const;
