import { agentsOf } from "../agent/roster.ts";
import type { Config } from "../config/schema.ts";
import { parseDuration } from "../kit/duration.ts";

/** How an agent looks after things unasked, with what the configuration does not say filled in. */
export interface HeartbeatSettings {
  readonly agentId: string;
  /** Undefined for never. */
  readonly everyMs: number | undefined;
  /** As people read it: `30m`, or `disabled`. */
  readonly every: string;
  readonly prompt: string;
  /** `last`, `none`, or a chat network. */
  readonly target: string;
  readonly to: string | undefined;
  readonly ackMaxChars: number;
  /** The key of its session, in full or short. */
  readonly session: string;
  readonly model: string | undefined;
  readonly activeHours:
    | { readonly start: string; readonly end: string; readonly timezone?: string | undefined }
    | undefined;
}

/** Each agent's heartbeat. An agent that has one of its own makes it that only such agents have any. */
export function heartbeatsOf(config: Config): readonly HeartbeatSettings[] {
  const rows = [...(config.agents.list ?? []), ...entriesOf(config)];
  const own = new Map(rows.flatMap(({ id, heartbeat }) => (heartbeat ? [[id, heartbeat] as const] : [])));
  return agentsOf(config).map((agent) => {
    const isOn = own.size > 0 ? own.has(agent.id) : agent.isDefault;
    const written = { ...config.agents.defaults.heartbeat, ...own.get(agent.id) };
    const named = rows.find(({ id }) => id === agent.id)?.model ?? config.agents.defaults.model ?? written.model;
    // Without a model that somebody chose there is nobody to ask, unless heartbeats are what was asked for.
    const isReal = named !== undefined && agent.model.primary !== "clawlet/echo";
    const everyMs = isOn && (isReal || written.every !== undefined) ? msOf(written.every) : undefined;
    return {
      agentId: agent.id,
      everyMs,
      every: everyMs === undefined ? "disabled" : (written.every ?? DEFAULT_EVERY),
      prompt: written.prompt ?? DEFAULT_PROMPT,
      target: written.target ?? "last",
      to: written.to,
      ackMaxChars: written.ackMaxChars ?? 300,
      session: written.session ?? "main",
      model: written.model,
      activeHours: written.activeHours,
    };
  });
}

const DEFAULT_EVERY = "30m";
const DEFAULT_PROMPT =
  "Look at HEARTBEAT.md, if there is one, and do what it says. Do not take up what earlier conversations left. " +
  "If nothing needs attention, answer HEARTBEAT_OK.";

function entriesOf({ agents }: Config) {
  return Object.entries(agents.entries ?? {}).map(([id, entry]) => ({ ...entry, id }));
}

/** Undefined for `0m` and for what is no duration; a number alone counts minutes. */
function msOf(written: string = DEFAULT_EVERY): number | undefined {
  const ms = parseDuration(/^\d+$/.test(written.trim()) ? `${written.trim()}m` : written);
  return ms === undefined || ms <= 0 ? undefined : Math.max(ms, LEAST_MS);
}

/** More often than this is a slip of the pen that costs money. */
const LEAST_MS = 10_000;
