import * as v from "valibot";
import { agentsOf, workspaceOf, type Agent, type AgentIdentity } from "../agent/roster.ts";
import type { App } from "../app.ts";
import { addressOf } from "../flow/address.ts";
import { sessionView, shownDefaults, type SessionView } from "../flow/session-view.ts";
import { Failure } from "../kit/error.ts";
import { method } from "./method.ts";

const text = v.pipe(v.string(), v.nonEmpty());

export const agentMethods = [
  method({
    name: "agents.list",
    scope: "operator.read",
    summary: "The agents of this gateway, the default one first.",
    params: () => v.object({}),
    result: () =>
      v.object({
        defaultId: text,
        ownership: v.optional(v.literal("sole")),
        selectionRequired: v.boolean(),
        mainKey: text,
        scope: v.picklist(["per-sender", "global"]),
        agents: v.array(
          v.object({
            id: text,
            kind: v.pipe(
              v.optional(v.literal("agent")),
              v.description("Only for clients with the capability agent-kind."),
            ),
            name: v.optional(text),
            identity: v.optional(
              v.object({
                name: v.optional(text),
                theme: v.optional(text),
                emoji: v.optional(text),
                avatar: v.optional(text),
              }),
            ),
            workspace: text,
            model: v.object({ primary: text, fallbacks: v.array(text) }),
            thinkingLevels: v.array(v.object({ id: text, label: text })),
            thinkingOptions: v.array(text),
            thinkingDefault: text,
          }),
        ),
      }),
    run({ app, caller }) {
      const { value } = app.config.current();
      const agents = agentsOf(value);
      const view = sessionView(app);
      return {
        defaultId: agents[0].id,
        ...(agents.length === 1 ? { ownership: "sole" as const } : {}),
        selectionRequired: false,
        mainKey: value.session.mainKey,
        scope: value.session.scope,
        agents: agents.map((agent) => ({
          id: agent.id,
          ...(caller.caps.has("agent-kind") ? { kind: "agent" as const } : {}),
          ...(agent.name === undefined ? {} : { name: agent.name }),
          ...(Object.keys(agent.identity).length > 0 ? { identity: publicIdentity(agent.identity) } : {}),
          workspace: workspaceOf(agent, value, app),
          model: { primary: primaryOf(view, agent.id), fallbacks: [...agent.model.fallbacks] },
          ...thinkingOf(view, agent.id),
        })),
      };
    },
  }),
  method({
    name: "agent.identity.get",
    scope: "operator.read",
    summary: "The name and picture of an agent, or of the agent of a session.",
    params: () => v.object({ agentId: v.optional(text), sessionKey: v.optional(text) }),
    result: () =>
      v.object({
        agentId: text,
        name: text,
        nameSource: v.picklist(["config", "default"]),
        avatar: text,
        emoji: v.optional(text),
      }),
    run({ app, params }) {
      const { id, name, identity } = find(app, params);
      const known = identity.name ?? name;
      const shown = known ?? "Assistant";
      const { avatar, emoji } = publicIdentity(identity);
      return {
        agentId: id,
        name: shown,
        nameSource: known === undefined ? ("default" as const) : ("config" as const),
        avatar: avatar ?? emoji ?? shown.replace(/^(.).*$/su, "$1").toUpperCase(),
        ...(emoji === undefined ? {} : { emoji }),
      };
    },
  }),
] as const;

function thinkingOf(view: SessionView, agentId: string) {
  const { thinkingLevels, thinkingOptions, thinkingDefault } = shownDefaults(view.defaults(agentId));
  return { thinkingLevels, thinkingOptions, thinkingDefault };
}

function find(app: App, asked: { agentId?: string | undefined; sessionKey?: string | undefined }): Agent {
  const agents = agentsOf(app.config.current().value);
  const id = asked.agentId ?? addressOf(app, asked.sessionKey ?? "main").agentId;
  const agent = agents.find((each) => each.id.toLowerCase() === id.toLowerCase());
  if (agent) return agent;
  const known = agents.map((each) => each.id).join(", ");
  throw new Failure("not-found", `unknown agent id "${id}": known are ${known}`, {
    details: { code: "UNKNOWN_AGENT_ID", agentId: id },
  });
}

/** The identity as other machines can use it: a picture that is a file here is of no use there, and nobody's business. */
function publicIdentity({ name, theme, emoji, avatar }: AgentIdentity): {
  -readonly [K in keyof AgentIdentity]: string;
} {
  const remote = avatar !== undefined && /^(https?:\/\/|data:image\/)/i.test(avatar);
  return {
    ...(name === undefined ? {} : { name }),
    ...(theme === undefined ? {} : { theme }),
    ...(emoji === undefined ? {} : { emoji }),
    ...(remote ? { avatar } : {}),
  };
}

/** The model that is really asked: with none configured, one that there is a credential for, or the built-in one. */
function primaryOf(view: SessionView, agentId: string): string {
  const { modelProvider, model } = view.defaults(agentId);
  return `${modelProvider}/${model}`;
}
