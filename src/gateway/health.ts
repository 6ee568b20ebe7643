import { agentsOf, sessionsFile } from "../agent/roster.ts";
import type { App, Health, HealthSnapshot, PartState } from "../app.ts";
import type { ConfigStore } from "../config/config.ts";
import { heartbeatsOf, type HeartbeatSettings } from "../cron/heartbeat-settings.ts";
import type { AccountStatus } from "../flow/networks.ts";
import type { Surroundings } from "../host/host.ts";
import { tildify, type Paths } from "../host/paths.ts";
import type { Sessions } from "../session/sessions.ts";
import { createLoopMeter } from "./loop-meter.ts";
import type { SafeMode } from "./starts.ts";

export interface HealthOptions {
  /** The process that owns the state folder when this one only stands by. */
  readonly owner: App["info"]["owner"];
  readonly paths: Paths;
  readonly sessions: Pick<Sessions, "list">;
  /** The accounts of the chat networks; none when it is left out. */
  readonly networks?: (() => readonly AccountStatus[]) | undefined;
  /** Set while only the control plane runs. */
  readonly safeMode?: SafeMode | undefined;
  /** Called after a change, for who wants to tell the clients before the next round. */
  readonly onChange?: () => void;
}

/** Health, with what the gateway does to keep it true. */
export interface LiveHealth extends Health {
  /** Takes the facts again: the owner of the state folder is another one now. */
  changed(): void;
  /** Measures from now on and keeps the snapshot fresh, until the answer is called. */
  start(): () => void;
}

const refreshMs = 10_000;
/** Sessions named for each agent. */
const recentCount = 5;

/**
 * How the gateway and its parts fare. The snapshot and its text are made once per change and every ten seconds, never
 * per call. `ok` is false when a part has failed; one that is disabled or degraded says why and leaves the rest in order.
 */
export function createHealth(host: Surroundings, config: ConfigStore, options: HealthOptions): LiveHealth {
  const { clock } = host;
  const meter = createLoopMeter(clock);
  const named = new Map<string, PartState>();
  const { safeMode } = options;
  if (safeMode) named.set("safe-mode", { part: "safe-mode", state: "failed", reason: safeMode.reason });
  let version = 1;
  let made: { readonly snapshot: HealthSnapshot; readonly json: string } | undefined;

  const accounts = (): readonly AccountStatus[] => options.networks?.() ?? [];
  const parts = (): readonly PartState[] => [
    ...named.values(),
    ...rejectedFile(config),
    ...disabledSections(config),
    ...failedAccounts(accounts()),
  ];
  function current(): NonNullable<typeof made> {
    if (!made) {
      const startedAt = clock.monotonic();
      const facts = factsOf(host, config, options, parts());
      const snapshot = { ...facts, durationMs: Math.round(clock.monotonic() - startedAt), eventLoop: meter.read() };
      made = { snapshot, json: JSON.stringify(snapshot) };
    }
    return made;
  }
  function changed(): void {
    made = undefined;
    version += 1;
    options.onChange?.();
  }

  return {
    get version() {
      return version;
    },
    snapshot: () => current().snapshot,
    json: () => current().json,
    parts,
    setPart(part) {
      const before = named.get(part.part);
      if (before?.state === part.state && before.reason === part.reason) return;
      named.set(part.part, part);
      changed();
    },
    changed,
    start() {
      const stop = [meter.start(), clock.every(refreshMs, () => void (made = undefined)), config.onChange(changed)];
      return () => stop.forEach((each) => each());
    },
  };
}

/** A file that was changed into one with mistakes: the last good configuration goes on, and people should know. */
function rejectedFile(config: ConfigStore): readonly PartState[] {
  const issue = config.current().rejected?.issues[0];
  const reason = issue && `not in force: ${issue.path || "<root>"}: ${issue.message}`;
  return reason === undefined ? [] : [{ part: "config", state: "degraded", reason }];
}

/** A section that is wrong switches off what it configures, and says so here instead of stopping the gateway. */
function disabledSections(config: ConfigStore): readonly PartState[] {
  return config.current().disabled.map(({ section, issue }) => ({
    part: `config.${section}`,
    state: "disabled",
    reason: `${issue.path}: ${issue.message}`,
  }));
}

/** A chat network that cannot be reached leaves the rest of the gateway in order. */
function failedAccounts(accounts: readonly AccountStatus[]): readonly PartState[] {
  return accounts.flatMap(({ channel, accountId, enabled, connection }) =>
    enabled && connection?.state === "failed"
      ? [{ part: `channels.${channel}.${accountId}`, state: "degraded" as const, reason: connection.reason }]
      : [],
  );
}

/** The chat networks as clients know them: each with how its accounts fare. */
function channelsOf(accounts: readonly AccountStatus[]) {
  const order = [...new Set(accounts.map(({ channel }) => channel))];
  return {
    channels: Object.fromEntries(order.map((id) => [id, channelOf(accounts.filter(({ channel }) => channel === id))])),
    channelOrder: order,
    channelLabels: Object.fromEntries(accounts.map(({ channel, label }) => [channel, label])),
  };
}

function channelOf(accounts: readonly AccountStatus[]) {
  return {
    configured: accounts.some(({ configured }) => configured),
    running: accounts.some(({ running }) => running),
    connected: accounts.some(({ connection }) => connection?.state === "ready"),
    accounts: Object.fromEntries(
      accounts.map(({ accountId, enabled, configured, running, connection }) => [
        accountId,
        { accountId, enabled, configured, running, connected: connection?.state === "ready" },
      ]),
    ),
  };
}

function heartbeatOf(settings: HeartbeatSettings | undefined) {
  const { every = "disabled", everyMs = null, prompt = "", target = "none", ackMaxChars = 300 } = settings ?? {};
  return { enabled: everyMs !== null, every, everyMs, prompt, target, ackMaxChars };
}

function factsOf(
  host: Surroundings,
  config: ConfigStore,
  { owner, paths, sessions, safeMode, networks }: HealthOptions,
  parts: readonly PartState[],
): HealthSnapshot {
  const { value } = config.current();
  const heartbeats = heartbeatsOf(value);
  const standby = owner();
  const agents = agentsOf(value);
  const now = host.clock.now();
  const sessionsOf = (agentId: string) => {
    const { rows, total } = sessions.list({ agentId, archived: "all", limit: recentCount });
    return {
      // Shown to every caller, so the path starts at `~`.
      path: tildify(host, sessionsFile(paths, agentId)),
      count: total,
      recent: rows.map(({ key, updatedAt }) => ({ key, updatedAt, age: Math.max(0, now - updatedAt) })),
    };
  };
  return {
    ok: parts.every(({ state }) => state !== "failed"),
    ts: now,
    plugins: { loaded: [], errors: [], unavailable: [] },
    configReload: { hotReloadStatus: value.gateway.reload.mode === "off" ? "disabled" : "active" },
    ...channelsOf(networks?.() ?? []),
    heartbeatSeconds: Math.round((heartbeats.find(({ everyMs }) => everyMs)?.everyMs ?? 0) / 1000),
    defaultAgentId: agents[0].id,
    agents: agents.map(({ id, isDefault }) => ({
      agentId: id,
      isDefault,
      heartbeat: heartbeatOf(heartbeats.find(({ agentId }) => agentId === id)),
      sessions: sessionsOf(id),
    })),
    sessions: sessionsOf(agents[0].id),
    parts,
    ...(standby ? { standby: { pid: standby.pid, port: standby.port } } : {}),
    ...(safeMode ? { safeMode } : {}),
  };
}
