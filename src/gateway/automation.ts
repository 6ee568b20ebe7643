import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { createWorkspaceFiles } from "../agent/workspace-files.ts";
import { timeZoneOf } from "../agent/frame.ts";
import type { App } from "../app.ts";
import type { ConfigStore } from "../config/config.ts";
import { createCron } from "../cron/cron.ts";
import { replyOf } from "../cron/delivery.ts";
import { toolJobs } from "../cron/tool-jobs.ts";
import type { SystemEvents } from "../cron/system-events.ts";
import { addressOfAgent, mainKeyOf, requireAgent } from "../flow/address.ts";
import type { Turns } from "../flow/turns.ts";
import { filesOf, type Surroundings } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import type { Outbox } from "../flow/outbox.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Store } from "../store/store.ts";
import type { ToolJobs, ToolUser } from "../tools/tool.ts";
import { createHeartbeat } from "./heartbeat.ts";
import type { OpenHooks } from "./hooks.ts";

export interface AutomationOptions {
  readonly host: Surroundings;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly store: Store;
  readonly turns: Turns;
  readonly sessions: Sessions;
  readonly outbox: Outbox;
  readonly events: SystemEvents;
  /** Why nothing may go on by itself now; undefined when it may. */
  stopped(): string | undefined;
  /** Why nothing that is planned is done; undefined when it is. */
  skipped(): string | undefined;
  broadcast: App["broadcast"];
}

/** What the gateway does unasked: scheduled jobs, heartbeats and hooks. */
export interface Automation extends Pick<App, "cron" | "heartbeat"> {
  /** The jobs that an agent may use by its tools. */
  jobsOf(user: ToolUser): ToolJobs | undefined;
  /** Begins, or takes up what changed; what goes wrong is in the log. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Puts together what runs unasked; nothing of it is loaded before there is something to do. */
export function createAutomation(options: AutomationOptions): Automation {
  const { host, paths, config, log, store, turns, sessions, events } = options;
  const { clock } = host;
  const ending = new AbortController();
  const value = () => config.current().value;
  const files = createWorkspaceFiles(host.files);
  const stopped = (): string | undefined => options.stopped() ?? options.skipped();

  const heartbeat = createHeartbeat({
    ...options,
    clock,
    log: log.child("heartbeat"),
    signal: ending.signal,
    stopped,
    keyOf: ({ session, agentId }) => addressOfAgent({ config }, session, agentId).key,
    timeZone: () => timeZoneOf(value()),
    async checklist(agentId) {
      const folder = workspaceOf(requireAgent({ config }, agentId), value(), { host, paths });
      return (await files.load(folder, ["HEARTBEAT.md"]))[0]?.text;
    },
    tell: (news) => options.broadcast("heartbeat", news),
  });
  const cron = createCron({
    clock,
    log: log.child("cron"),
    store,
    turns,
    sessions,
    events,
    stopped: () => stopped() ?? (value().cron.enabled ? undefined : "cron.enabled is false"),
    maxRuns: () => value().cron.maxConcurrentRuns,
    agentOf(agentId) {
      const { id } = requireAgent({ config }, agentId ?? agentsOf(value())[0].id);
      return { agentId: id, mainKey: mainKeyOf({ config }, id) };
    },
    wake: (sessionKey) => heartbeat.wake(sessionKey),
    replyTo: (delivery, sessionKey) => replyOf(delivery, sessions.get(sessionKey)),
    tell: (event) => options.broadcast("cron", event),
  });

  /** Loaded where the configuration has any. */
  let hooks: Promise<OpenHooks> | undefined;
  let isStarted = false;

  async function openHooks(): Promise<void> {
    const isStart = !isStarted && options.stopped() === undefined;
    isStarted ||= isStart;
    if (value().hooks.internal === undefined || ending.signal.aborted) return;
    try {
      const own = { ...options, log: log.child("hooks"), files: filesOf(host) };
      hooks ??= import("./hooks.ts").then((module) => module.openHooks(own));
      const open = await hooks;
      if (isStart) open.startup();
    } catch (error) {
      log.error("hooks cannot be run", { error: Failure.from(error).message });
    }
  }

  let begun = false;
  // An agent's own heartbeat is read with the agent.
  const stopListening = config.onChange(() => begun && heartbeat.start());

  return {
    cron,
    heartbeat,
    jobsOf(user) {
      const mainKey = mainKeyOf({ config }, user.agentId);
      const defaultAgentId = agentsOf(value())[0].id;
      const wake = (sessionKey: string): void => heartbeat.wake(sessionKey);
      return toolJobs({ cron, events, sessions, mainKey, defaultAgentId, wake }, user);
    },
    async start() {
      begun = true;
      try {
        heartbeat.start();
        await cron.start();
      } catch (error) {
        log.error("scheduled jobs cannot be run", { error: Failure.from(error).message });
      }
      await openHooks();
    },
    async close() {
      ending.abort();
      stopListening();
      await Promise.all([cron.close(), heartbeat.close(), hooks?.then((open) => open.close())]);
    },
  };
}
