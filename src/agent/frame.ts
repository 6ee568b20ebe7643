import type { Config } from "../config/schema.ts";
import type { Surroundings } from "../host/host.ts";
import type { ModelSpec, ToolSpec } from "../providers/provider.ts";
import type { SessionRow } from "../session/sessions.ts";
import { toolPolicy } from "../tools/policy.ts";
import type { Tool } from "../tools/tool.ts";
import type { Accounts } from "../model/accounts.ts";
import { limitsOf } from "./limits.ts";
import { buildPrompt, type PromptReport } from "./prompt.ts";
import type { Frame } from "./request.ts";
import type { Agent } from "./roster.ts";
import type { RunInput } from "./runner.ts";
import { fixedTokens } from "./request-usage.ts";
import { thinkingFor } from "./thinking.ts";
import type { WorkspaceFiles } from "./workspace-files.ts";

/** What the frames of a run are made of. */
export interface FrameParts {
  readonly host: Surroundings;
  readonly config: Config;
  readonly accounts: Accounts;
  readonly tools: readonly Tool[];
  readonly toolSpecs: (tools: readonly Tool[]) => readonly ToolSpec[];
  readonly workspaceFiles: WorkspaceFiles;
  readonly agent: Agent;
  readonly workspace: string;
  readonly row: SessionRow;
  readonly input: Pick<RunInput, "thinking" | "promptMode" | "extraSystemPrompt">;
  /** Told what is odd in the policy for tools. */
  readonly warn?: ((text: string) => void) | undefined;
}

/** Prompt, tools and limits for each model that a run asks, made once per model: requests that begin alike are cached. */
export function createFrames(parts: FrameParts): (model: ModelSpec) => Promise<Frame & { report: PromptReport }> {
  const made = new Map<string, Promise<Frame & { report: PromptReport }>>();
  return (model) => {
    const name = `${model.provider}/${model.id}`;
    const frame = made.get(name) ?? makeFrame(parts, model);
    made.set(name, frame);
    return frame;
  };
}

async function makeFrame(parts: FrameParts, model: ModelSpec): Promise<Frame & { report: PromptReport }> {
  const { accounts, config, agent, row, input, host, workspace, workspaceFiles } = parts;
  const { defaults } = config.agents;
  const { allowed: tools, warnings } = toolPolicy(parts.tools, config, {
    agentId: agent.id,
    model: `${model.provider}/${model.id}`,
  });
  for (const warning of warnings) parts.warn?.(warning);
  const thinking = thinkingFor(accounts, model, input.thinking ?? row.thinkingLevel ?? defaults.thinkingDefault);
  const { text: system, report } = await buildPrompt({
    host,
    config,
    agent,
    workspace,
    workspaceFiles,
    model,
    thinking,
    tools,
    sessionKey: row.key,
    mode: input.promptMode ?? "full",
    extra: input.extraSystemPrompt,
    now: host.clock.now(),
    timeZone: timeZoneOf(config),
    aliases: accounts.aliases(),
  });
  const specs = parts.toolSpecs(tools);
  const tokens = fixedTokens({ system, tools: specs });
  return { model, system, tools, specs, thinking, tokens, limits: limitsOf(defaults, model.contextWindow), report };
}

/** The person's time zone: the configured one, when there is such a zone, else the machine's. */
export function timeZoneOf(config: Config): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    const timeZone = config.agents.defaults.userTimezone ?? own;
    return Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    return own; // the configured name is no zone that this system knows
  }
}
