import type { Accounts } from "../../model/accounts.ts";
import { createFrames, type FrameParts } from "../../agent/frame.ts";
import type { PromptReport } from "../../agent/prompt.ts";
import { agentsOf, workspaceOf } from "../../agent/roster.ts";
import type { ConfigStore } from "../../config/config.ts";
import type { Paths } from "../../host/paths.ts";
import type { SessionRow } from "../../session/sessions.ts";
import { toolsWith, type ToolParts, type ToolUser } from "../../tools/tool.ts";

/** What a prompt is made from, whichever session asks. */
export interface PromptSource extends Pick<FrameParts, "host" | "tools" | "toolSpecs" | "workspaceFiles" | "accounts"> {
  /** As in `RunnerDeps`. */
  readonly toolParts?: ((user: ToolUser) => Promise<ToolParts>) | undefined;
  readonly accounts: Accounts;
  readonly config: ConfigStore;
  readonly paths: Paths;
}

/**
 * Says what the system prompt of a session's next run is made of, by making it. Answers undefined when the agent is gone
 * or no model can be asked.
 */
export function promptReporter(source: PromptSource): (row: SessionRow) => Promise<PromptReport | undefined> {
  return async (row) => {
    const config = source.config.current().value;
    const agent = agentsOf(config).find(({ id }) => id === row.agentId);
    const [route] = await source.accounts.routes({ agentId: row.agentId, row });
    if (!agent || !route) return undefined;
    const workspace = workspaceOf(agent, config, source);
    const user = { agentId: agent.id, sessionKey: row.key };
    const tools = toolsWith(source.tools, { files: source.host.files, ...(await source.toolParts?.(user)) });
    return (await createFrames({ ...source, tools, config, agent, workspace, row, input: {} })(route.model)).report;
  };
}
