import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import { absolute, join, type Paths } from "../host/paths.ts";
import { DEFAULT_MODEL } from "../model/models.ts";

/** An agent as the configuration has it, with what it did not say filled in. */
export interface Agent {
  readonly id: string;
  readonly isDefault: boolean;
  readonly name: string | undefined;
  readonly identity: AgentIdentity;
  /** As written; `workspaceOf` says where that is. */
  readonly workspace: string | undefined;
  /** `provider/model` references. */
  readonly model: { readonly primary: string; readonly fallbacks: readonly string[] };
  /** What it is called by in groups, when not as all agents are. */
  readonly mentionPatterns?: readonly string[] | undefined;
}

export interface AgentIdentity {
  readonly name?: string | undefined;
  readonly theme?: string | undefined;
  readonly emoji?: string | undefined;
  readonly avatar?: string | undefined;
}

/** The agents of this gateway, the default one first; `main` when none is written. */
export function agentsOf(config: Config): readonly [Agent, ...Agent[]] {
  const listed = config.agents.list ?? [];
  const entries = Object.entries(config.agents.entries ?? {}).map(([id, entry]) => ({ ...entry, id }));
  const [first = { id: "main" }, ...others] = [...listed, ...entries];
  const chosen = [first, ...others].find((row) => row.default === true) ?? first;
  const rest = [first, ...others].filter((row) => row !== chosen);
  const agentOf = (row: typeof chosen, isDefault: boolean): Agent => ({
    id: row.id,
    isDefault,
    name: row.name,
    identity: row.identity ?? {},
    workspace: row.workspace,
    model: modelOf(row.model ?? config.agents.defaults.model),
    mentionPatterns: row.groupChat?.mentionPatterns,
  });
  return [agentOf(chosen, true), ...rest.map((row) => agentOf(row, false))];
}

export interface Place {
  readonly host: Pick<Host, "home" | "cwd">;
  readonly paths: Paths;
}

/** The folder an agent works in: its own, or the shared one, with `-<id>` for all but the default agent. */
export function workspaceOf({ id, isDefault, workspace }: Agent, config: Config, { host, paths }: Place): string {
  const shared = config.agents.defaults.workspace ?? paths.workspace;
  return absolute(host, workspace ?? (isDefault ? shared : `${shared}-${id}`));
}

/** The file that lists an agent's sessions. */
export function sessionsFile(paths: Paths, agentId: string): string {
  return join(paths.state, "agents", agentId, "sessions", "sessions.json");
}

type ModelChoice = Config["agents"]["defaults"]["model"];

function modelOf(choice: ModelChoice): Agent["model"] {
  const { primary, fallbacks = [] } = typeof choice === "string" ? { primary: choice } : (choice ?? {});
  return { primary: fullReference(primary ?? DEFAULT_MODEL), fallbacks: fallbacks.map(fullReference) };
}

/** A model without a provider is Anthropic's (cli.md 2.5). */
function fullReference(reference: string): string {
  return reference.includes("/") ? reference : `anthropic/${reference}`;
}
