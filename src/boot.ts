import { openBudget } from "./budget/open-budget.ts";
import { openAccounts } from "./model/open-accounts.ts";
import { agentsOf, workspaceOf } from "./agent/roster.ts";
import { createRunner } from "./agent/run.ts";
import { createWorkspaceFiles } from "./agent/workspace-files.ts";
import type { App } from "./app.ts";
import type { ConfigStore } from "./config/config.ts";
import { announce } from "./flow/announce.ts";
import { cleanUp } from "./flow/clean-up.ts";
import { scopesNow } from "./flow/chat-input.ts";
import { openTurns, type OpenTurns } from "./flow/open-turns.ts";
import { sessionView } from "./flow/session-view.ts";
import { promptReporter } from "./flow/slash/prompt-report.ts";
import { createHealth } from "./gateway/health.ts";
import { createHeartbeat } from "./gateway/heartbeat.ts";
import { createHub } from "./gateway/hub.ts";
import type { Exposure, Refusal } from "./gateway/exposure.ts";
import { guardConfig } from "./gateway/ownership.ts";
import { createPresence } from "./gateway/presence.ts";
import { createServer } from "./gateway/server.ts";
import { createWireLog, type WireLogStyle } from "./gateway/wire-log.ts";
import type { Flavour } from "./host/flavour.ts";
import type { Host, Server } from "./host/host.ts";
import type { Paths } from "./host/paths.ts";
import { createCleanup } from "./kit/cleanup.ts";
import { Failure } from "./kit/error.ts";
import { uuid } from "./kit/ids.ts";
import type { Logger } from "./kit/log.ts";
import { VERSION } from "./kit/version.ts";
import { methods } from "./methods/index.ts";
import type { Method } from "./methods/method.ts";
import { loadNodes } from "./nodes/nodes.ts";
import { loadIdentity } from "./pairing/identity.ts";
import type { Devices } from "./pairing/devices.ts";
import { loadDevices } from "./pairing/registry.ts";
import { events } from "./protocol/events.ts";
import { limits } from "./protocol/version.ts";
import { providers } from "./providers/index.ts";
import { routes } from "./routes/index.ts";
import { createMedia } from "./session/media.ts";
import { openSessions } from "./session/open-sessions.ts";
import { publicMessage } from "./session/public-message.ts";
import type { SessionRow } from "./session/sessions.ts";
import { openTextIndex } from "./session/text-index.ts";
import { createFolderLogs } from "./store/folder-log.ts";
import type { Logs } from "./store/log.ts";
import type { Store } from "./store/store.ts";
import { createFolderStore } from "./store/folder.ts";
import { createUploads } from "./store/uploads.ts";
import { createStandbyLogs, createStandbyStore, type StateOwner } from "./store/standby.ts";
import { tools, toolSpecs } from "./tools/index.ts";

export interface OpenOptions {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly port: number;
  /** Decides from the configuration as it is now; asked at the start, after each change, and at a restart. */
  expose(): Exposure | Refusal;
  readonly verbose: boolean;
  readonly wsLog: WireLogStyle;
  /** The process that owns the state folder, while this one stands by. */
  owner(): StateOwner | undefined;
  /** A client asked for a restart in this process. */
  onRestartRequest(reason: string): void;
}

export interface Gateway {
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  /** The hosts listened on, in the order they were opened. */
  readonly addresses: readonly string[];
  /** This process owns the state folder from now on: reads again what another may have changed. */
  takeOver(): Promise<void>;
  /** Closes every socket with the promise to be back, reads the configuration again, and opens anew. */
  restart(): Promise<void>;
  close(reason: string): Promise<void>;
}

/** How long open HTTP requests may go on after the port was closed. */
const graceMs = 1000;
const restartExpectedMs = 1000;
/** How often sessions that are too old are removed, where the configuration says so. */
const maintenanceMs = 3600_000;

/** Starts a gateway: everything is loaded and built first, then opened in one order; a failure closes what was opened. */
export async function startGatewayServer(options: OpenOptions): Promise<Gateway> {
  let running = await start(options, options.port);
  return {
    get port() {
      return running.port;
    },
    get addresses() {
      return running.addresses;
    },
    takeOver: () => running.takeOver(),
    async restart() {
      await running.close("gateway restarting", restartExpectedMs);
      await options.config.reload();
      running = await start(options, running.port);
    },
    close: (reason) => running.close(reason),
  };
}

interface Running {
  readonly port: number;
  readonly addresses: readonly string[];
  takeOver(): Promise<void>;
  close(reason: string, restartExpectedMs?: number): Promise<void>;
}

async function start(options: OpenOptions, port: number): Promise<Running> {
  const { host, log, paths } = options;
  const { clock } = host;
  const config = guardConfig(options.config, () => options.owner());
  let exposure = allowed(options.expose());
  const cleanup = createCleanup();
  const store = createStandbyStore(createFolderStore(host.files, paths.state), () => options.owner());
  const logs = createStandbyLogs(createFolderLogs(host.files, paths.state), () => options.owner());
  const [identity, devices] = await Promise.all([loadIdentity(store), loadDevices(store, clock, log)]);
  const nodes = await loadNodes(store, devices, clock, log);
  const conversation = await openConversation(options, { config, store, logs, devices });
  cleanup.add(() => conversation.close());
  const { sessions, turns } = conversation;

  const hub = createHub(() => ({ presence: presence.version, health: health.version }));
  const presence = createPresence(host, (entries) => hub.broadcast("presence", { presence: entries }));
  const health = createHealth(host, config, {
    owner: () => options.owner(),
    paths,
    sessions,
    onChange: () => hub.broadcast("health", health.snapshot()),
  });
  const info = {
    version: VERSION,
    bootId: uuid(),
    pid: host.processes.pid,
    startedAt: host.clock.now(),
    port,
    bind: exposure.bind,
    authMode: exposure.authMode,
    owner: () => options.owner(),
  };
  const app: App = {
    host,
    clock: host.clock,
    log,
    flavour: options.flavour,
    paths,
    info,
    config,
    identity,
    devices,
    nodes,
    ...conversation.parts,
    presence,
    health,
    heartbeat: createHeartbeat(),
    connections: hub,
    broadcast: (event, payload, only) => hub.broadcast(event, payload, only),
    methodNames: () => methodNames,
    eventNames: () => eventNames,
    restart: (reason) => options.onRestartRequest(reason),
  };
  const table: readonly Method[] = methods;
  const methodNames = table.filter((method) => !method.unlisted).map((method) => method.name);
  const eventNames = Object.keys(events);
  const server = createServer({
    app,
    hub,
    methods: table,
    routes,
    wire: createWireLog(log, () => host.clock.monotonic(), { verbose: options.verbose, style: options.wsLog }),
    auth: () => {
      const { auth, nodes: policy } = config.current().value.gateway;
      return {
        mode: exposure.authMode,
        token: exposure.token,
        password: exposure.password,
        userHeader: auth.trustedProxy?.userHeader,
        autoApproveLocal: policy.pairing.autoApproveLocal !== false,
        exemptLoopback: auth.rateLimit.exemptLoopback,
      };
    },
  });

  const servers: Server[] = [];
  cleanup.add(async () => void (await Promise.all(servers.map((listening) => listening.close(graceMs)))));
  cleanup.add(
    announce({
      clock,
      turns,
      sessions,
      broadcast: (event, payload, only) => hub.broadcast(event, payload, only),
      connections: hub,
      rowOf: (row) => sessionView(app).row(row),
      messageOf: publicMessage,
      blocks() {
        const { blockStreamingDefault, blockStreamingChunk: chunk } = config.current().value.agents.defaults;
        const sizes = { min: chunk.minChars, max: chunk.maxChars, breakAt: chunk.breakPreference };
        return blockStreamingDefault === "on" ? sizes : undefined;
      },
    }),
  );
  try {
    // Before anybody can send a message again that is found in the journal.
    if (!options.owner()) await Promise.all([turns.recover(), app.uploads.sweep()]);
    for (const hostname of exposure.addresses) {
      const listening = await host.net.serve(
        {
          hostname,
          port: servers[0]?.port ?? port,
          maxPayload: limits.maxPayload,
          maxUntrusted: limits.maxUntrusted,
          maxBody: limits.maxBody,
        },
        server.fetch,
      );
      servers.push(listening);
      info.port = listening.port;
    }
  } catch (error) {
    await cleanup.run();
    throw error;
  }
  cleanup.add(server.start());
  cleanup.add(
    clock.every(maintenanceMs, () => {
      const { value } = config.current();
      if (options.owner() || value.session.maintenance.mode !== "enforce") return;
      for (const { id } of agentsOf(value)) {
        cleanUp(app, id, { remove: true }).catch((error: unknown) =>
          log.warn("old sessions could not be removed", { agent: id, error: String(error) }),
        );
      }
    }),
  );
  cleanup.add(health.start());
  cleanup.add(
    config.onChange(() => {
      const next = options.expose();
      // What would be unsafe to start with is not taken over by a running gateway either: the old secret stays.
      if ("lines" in next)
        return log.warn("the changed configuration would be refused at start; keeping the old one", {
          why: next.lines[0],
        });
      const changed =
        next.authMode !== exposure.authMode || next.token !== exposure.token || next.password !== exposure.password;
      exposure = { ...exposure, authMode: next.authMode, token: next.token, password: next.password };
      info.authMode = next.authMode;
      if (changed) server.secretChanged();
    }),
  );
  return {
    port: info.port,
    addresses: servers.map((listening) => listening.hostname),
    async takeOver() {
      // First of all who may do what: the messages that are taken over are judged by it.
      await Promise.all([devices.reload(), nodes.reload(), config.reload()]);
      await conversation.takeOver();
      health.changed();
    },
    async close(reason, restartMs) {
      server.drain(reason, restartMs);
      await cleanup.run();
      await devices.close();
    },
  };
}

interface Conversation {
  readonly parts: Pick<App, "sessions" | "media" | "uploads" | "accounts" | "budget" | "runner" | "turns">;
  readonly sessions: App["sessions"];
  readonly turns: OpenTurns;
  /** Reads again what another process wrote until now, and goes on with what it left. */
  takeOver(): Promise<void>;
  close(): Promise<void>;
}

/** Everything between a message and its answer. */
async function openConversation(
  { host, flavour, paths, log }: OpenOptions,
  { config, store, logs, devices }: { config: ConfigStore; store: Store; logs: Logs; devices: Devices },
): Promise<Conversation> {
  const { clock } = host;
  const search = await openTextIndex({ logs, clock, log }).catch((error: unknown) => {
    log.error("the search index cannot be opened: going on without search", { error: String(error) });
    return undefined;
  });
  const cwdOf = (agentId: string): string => {
    const { value } = config.current();
    const agents = agentsOf(value);
    return workspaceOf(agents.find(({ id }) => id === agentId) ?? agents[0], value, { host, paths });
  };
  const [sessions, accounts, budget] = await Promise.all([
    openSessions({ logs, store, clock, log, search, cwdOf, stateFolder: paths.state }),
    openAccounts({ host, config, store, log, providers, fetch }),
    openBudget({ logs, config, clock, log }),
  ]);
  const media = createMedia(store);
  const uploads = createUploads({ logs, store, clock, log });
  const queue = (row: SessionRow) => turns.queue(row);
  const shared = { config, log, sessions, accounts, budget, flavour, version: VERSION };
  const runner = createRunner({ ...shared, host, paths, media, providers, tools, toolSpecs, fetch, queue });
  const workspaceFiles = createWorkspaceFiles(host.files);
  const promptReport = promptReporter({ host, paths, config, accounts, tools, toolSpecs, workspaceFiles });
  const commands = { ...shared, clock, runner, promptReport };
  const turns = await openTurns({
    ...shared,
    clock,
    logs,
    runner,
    commands,
    scopesOf: (origin) => scopesNow(devices, origin),
  });
  // A device that is revoked is not served behind its back.
  const stopWatching = devices.on("revoked", () => {
    void turns.dismiss().catch((error: unknown) => log.error("the runs of a device could not be ended", { error }));
  });
  return {
    parts: { sessions, media, uploads, accounts, budget, runner, turns },
    sessions,
    turns,
    async takeOver() {
      await Promise.all([sessions.reload(), budget.reload(), uploads.sweep()]);
      await turns.takeOver();
    },
    async close() {
      stopWatching();
      await Promise.all([turns.close(), uploads.close()]);
      await Promise.all([sessions.close(), budget.close()]);
      await search?.close();
    },
  };
}

function allowed(decision: Exposure | Refusal): Exposure {
  if ("lines" in decision) throw new Failure("config", decision.lines.join("\n"));
  return decision;
}
