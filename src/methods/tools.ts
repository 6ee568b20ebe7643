import * as v from "valibot";
import { agentsOf, type Agent } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { mainKeyOf } from "../flow/address.ts";
import { Failure } from "../kit/error.ts";
import { tools } from "../tools/index.ts";
import { toolsWith, type Tool } from "../tools/tool.ts";
import { profilesOf, toolGroups, toolProfiles, type ProfileId } from "../tools/policy.ts";
import { method } from "./method.ts";

const profileId = v.picklist(Object.keys(toolProfiles) as [ProfileId, ...ProfileId[]]);

export const toolMethods = [
  method({
    name: "tools.catalog",
    scope: "operator.read",
    summary: "The profiles that `tools.profile` may name, and the tools that an agent can be given, by group.",
    params: () =>
      v.object({
        agentId: v.optional(v.pipe(v.string(), v.nonEmpty())),
        includePlugins: v.optional(v.boolean()),
      }),
    result: () =>
      v.object({
        agentId: v.string(),
        profiles: v.array(v.object({ id: profileId, label: v.string() })),
        groups: v.array(
          v.object({
            id: v.string(),
            label: v.string(),
            source: v.literal("core"),
            tools: v.array(
              v.object({
                id: v.string(),
                label: v.string(),
                description: v.string(),
                source: v.literal("core"),
                defaultProfiles: v.array(profileId),
              }),
            ),
          }),
        ),
      }),
    async run({ app, params }) {
      const agents = agentsOf(app.config.current().value);
      const agent = params.agentId === undefined ? agents[0] : agents.find(({ id }) => id === params.agentId);
      if (!agent) throw new Failure("invalid-request", `unknown agent id ${JSON.stringify(params.agentId)}`);
      return { agentId: agent.id, profiles: profiles(), groups: groups(await toolsOf(app, agent)) };
    },
  }),
] as const;

/** The tools that this gateway has for an agent. */
async function toolsOf(app: App, { id }: Agent): Promise<readonly Tool[]> {
  const user = { agentId: id, sessionKey: mainKeyOf(app, id) };
  return toolsWith(tools, { files: app.host.files, ...(await app.toolParts(user)) });
}

function profiles() {
  return Object.entries(toolProfiles).map(([id, { label }]) => ({ id: id as ProfileId, label }));
}

/** The groups that have tools here. */
function groups(tools: readonly Tool[]) {
  const core = "core" as const;
  return Object.entries(toolGroups)
    .map(([id, group]) => {
      const names: readonly string[] = group.tools;
      const members = tools.filter(({ name }) => names.includes(name));
      return { id, label: group.label, source: core, tools: members.map(entryOf) };
    })
    .filter(({ tools }) => tools.length > 0);
}

function entryOf({ name, summary }: Tool) {
  return { id: name, label: name, description: summary, source: "core" as const, defaultProfiles: profilesOf(name) };
}
