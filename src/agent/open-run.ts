import type { Config } from "../config/schema.ts";
import { Failure } from "../kit/error.ts";
import type { ModelSpec } from "../providers/provider.ts";
import type { SessionRow } from "../session/sessions.ts";
import type { Asking } from "./ask.ts";
import type { Conversation } from "./conversation.ts";
import { createFrames, timeZoneOf, type FrameParts } from "./frame.ts";
import { orAborted } from "./interrupt.ts";
import type { PromptReport } from "./prompt.ts";
import type { Frame } from "./request.ts";
import { agentsOf, workspaceOf, type Agent } from "./roster.ts";
import type { RunnerDeps } from "./runner-deps.ts";
import type { RunInput } from "./runner.ts";
import { statusCard } from "./status-card.ts";
import { contextTokens } from "./tokens.ts";
import { toolsWith, type ToolParts, type ToolUser } from "../tools/tool.ts";
import { ensureWorkspace } from "./workspace.ts";

/** What a run works with from its beginning to its end. The configuration is the one that was in force as it began. */
export interface OpenRun {
  readonly deps: RunnerDeps;
  readonly asking: Asking;
  readonly input: RunInput;
  readonly config: Config;
  readonly agent: Agent;
  readonly workspace: string;
  readonly conversation: Conversation;
  /** The session as it was when the run began. */
  readonly row: SessionRow;
  /** What its tools work with. */
  readonly toolParts: ToolParts;
  frame(model: ModelSpec): Promise<Frame & { report: PromptReport }>;
  /** For `session_status`. */
  status(frame: Frame, profileId: string): string;
}

/** Prepares the agent's folder and what requests are made of. Throws `not-found` for an agent or a session that is gone. */
export async function openRun(
  deps: RunnerDeps,
  input: RunInput,
  { conversation, workspaceFiles, warn }: Pick<OpenRun, "conversation"> & Pick<FrameParts, "workspaceFiles" | "warn">,
): Promise<OpenRun> {
  const { host, paths, log, accounts, toolSpecs } = deps;
  const config = deps.config.current().value;
  input.emit({ type: "phase", phase: "preparing_workspace" });
  const agent = agentsOf(config).find(({ id }) => id === input.agentId);
  if (!agent) throw new Failure("not-found", `Agent "${input.agentId}" no longer exists in configuration`);
  const workspace = workspaceOf(agent, config, { host, paths });
  await orAborted(prepareWorkspace(deps, workspace, config), input.signal);

  input.emit({ type: "phase", phase: "preparing_context" });
  const row = conversation.row();
  if (!row)
    throw new Failure("not-found", `the session ${input.sessionKey} was reset or deleted: send the message again`);
  const user = { agentId: agent.id, sessionKey: row.key };
  const toolParts = { files: host.files, ...(await orAborted(partsFor(deps, user), input.signal)) };
  const tools = toolsWith(deps.tools, toolParts);
  const of = { agent, workspace, row, input };
  const parts = { host, config, accounts, tools, toolSpecs, workspaceFiles, warn, ...of };
  return {
    deps,
    input,
    config,
    agent,
    workspace,
    conversation,
    row,
    toolParts,
    asking: { ...deps, clock: host.clock, log: log.child("agent") },
    frame: createFrames(parts),
    status({ model, limits, thinking, tokens }, profileId) {
      const now = conversation.row() ?? row;
      return statusCard({
        title: deps.flavour.title,
        version: deps.version,
        model: `${model.provider}/${model.id}`,
        profileId,
        contextUsed: contextTokens(conversation.entries, tokens),
        contextWindow: limits.window,
        compactions: now.compactionCount,
        sessionKey: now.key,
        updatedAt: now.updatedAt,
        now: host.clock.now(),
        thinking,
        queue: deps.queue?.(now) ?? { mode: config.messages.queue.mode, depth: 0 },
        timeZone: timeZoneOf(config),
      });
    },
  };
}

/** A folder that cannot be made is told to the log alone: an answer may need none, and the tools say what they miss. */
async function prepareWorkspace({ host, paths, log }: RunnerDeps, folder: string, config: Config): Promise<void> {
  const { files, processes } = host;
  if (!files) return;
  try {
    if (config.agents.defaults.skipBootstrap) await files.makeFolder(folder);
    else await ensureWorkspace({ files, processes }, folder, paths.profile === "dev" ? "dev" : "person");
  } catch (error) {
    log.warn("the workspace could not be prepared", { folder, error });
  }
}

async function partsFor({ toolParts }: RunnerDeps, user: ToolUser): Promise<ToolParts> {
  return (await toolParts?.(user)) ?? {};
}
