// Above 300 lines: the order in which the parts of a gateway are opened and closed is read as a whole.
import { agentsOf } from "../agent/roster.ts";
import type { App } from "../app.ts";
import type { ConfigStore } from "../config/config.ts";
import { openConversation } from "../conversation.ts";
import { createSystemEvents } from "../cron/system-events.ts";
import { announce } from "../flow/announce.ts";
import { cleanUp } from "../flow/clean-up.ts";
import { createRestartNotes } from "../flow/restart-notes.ts";
import { sessionView } from "../flow/session-view.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Surroundings } from "../host/host.ts";
import { absolute, type Paths, setting } from "../host/paths.ts";
import type { Fetch } from "../host/socket.ts";
import { createCleanup, type Cleanup } from "../kit/cleanup.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import type { Logger } from "../kit/log.ts";
import { VERSION } from "../kit/version.ts";
import { methods } from "../methods/index.ts";
import type { Method } from "../methods/method.ts";
import { loadNodes } from "../nodes/nodes.ts";
import { openObserving } from "../observe/open-observing.ts";
import type { Observing } from "../observe/open-observing.ts";
import { loadIdentity } from "../pairing/identity.ts";
import { loadDevices } from "../pairing/registry.ts";
import { openSenders } from "../pairing/senders.ts";
import { events } from "../protocol/events.ts";
import { doorAt, hooksRefused, routes } from "../routes/index.ts";
import { keptPage } from "../routes/page-files.ts";
import { publicMessage } from "../session/public-message.ts";
import type { Logs } from "../store/log.ts";
import { type StateOwner } from "../store/standby.ts";
import type { Store } from "../store/store.ts";
import { tools } from "../tools/index.ts";
import { authSettings } from "./auth-settings.ts";
import { closingMs, drainMs } from "./defaults.ts";
import type { Exposure, Refusal } from "./exposure.ts";
import { createHealth } from "./health.ts";
import { createAutomation } from "./automation.ts";
import { createHub } from "./hub.ts";
import { noConversation } from "./no-conversation.ts";
import { createPresence } from "./presence.ts";
import type { Tailnet } from "./publishing.ts";
import { type Opened } from "./restartable.ts";
import { restWhenGrown } from "./resting.ts";
import { createServer } from "./server.ts";
import { inSafeMode, type SafeMode } from "./starts.ts";
import type { WireLog } from "./wire-log.ts";

/** Everything behind the sockets; whoever listens, or has it as a part of another program, gives it requests. */
export interface Assembly extends Opened {
  readonly fetch: Fetch;
  /** Begins what goes on by itself, once the gateway can be reached: on this port, or 0 where that is somebody else's. */
  start(port: number): void;
}

export interface AssemblyOptions {
  readonly host: Surroundings;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly wire: WireLog;
  /** What reaches models and collectors. */
  readonly fetch: typeof fetch;
  /** How it is reached, and how callers prove themselves, at the start. */
  readonly exposure: Exposure;
  readonly port: number;
  readonly pid: number;
  /** Where everything is kept; files that are used for it are watched by the function that is given. */
  storage(watched: Observing["files"]): { readonly store: Store; readonly logs: Logs };
  /** Decides anew after each change of the configuration. */
  expose(): Exposure | Refusal;
  /** The process that owns the state, while this one stands by. */
  readonly owner: () => StateOwner | undefined;
  /** Why only the control plane may run; absent where it always all runs. */
  safeMode?(): SafeMode | undefined;
  /** A client asks for a restart; absent where there is none to be had. */
  readonly restart?: ((reason: string) => void) | undefined;
  readonly rawStream?: string | undefined;
  readonly tailnet?: Tailnet | undefined;
}

const nothing = (): void => undefined;

/** How often sessions that are too old are removed, where the configuration says so. */
const maintenanceMs = 3600_000;

/** Builds everything behind the sockets, and goes on with what was left undone; a failure closes what was opened. */
export async function assemble(options: AssemblyOptions): Promise<Assembly> {
  const cleanup = createCleanup();
  try {
    return await build(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function build(options: AssemblyOptions, cleanup: Cleanup): Promise<Assembly> {
  const { host, config, log, paths, owner } = options;
  const { clock } = host;
  const safeMode = options.safeMode?.();
  let { exposure } = options;
  const table: readonly Method[] = methods;
  const observing = openObserving({
    ...options,
    methodNames: table.map(({ name }) => name),
    toolNames: tools.map(({ name }) => name),
  });
  cleanup.add(() => observing.close());
  const { store, logs } = options.storage(observing.files);
  // Made at the first start, which takes as long as everything that is read until it is needed.
  const identity = loadIdentity(store);
  const settled = identity.then(nothing, nothing); // whoever awaits it is told
  cleanup.add(() => settled);
  const devices = await loadDevices(store, clock, log);
  cleanup.add(() => devices.close());
  const nodes = await loadNodes(store, devices, clock, log);
  const closed = (): Failure | undefined => {
    const safe = options.safeMode?.();
    return safe && inSafeMode(safe);
  };
  const senders = openSenders(store, clock, log);
  const systemEvents = createSystemEvents({ store, clock, log });
  const conversation = await openConversation({
    ...options,
    store,
    logs,
    devices,
    senders,
    observer: observing.models,
    closed,
    reserved: routes.map(({ path }) => path),
    silent: () => closed() ?? standingBy(owner()) ?? skipped(options),
    networksChanged: () => health.changed(),
    remarks: (sessionKey) => systemEvents.remarks(sessionKey),
    jobs: (user) => automation.jobsOf(user),
  }).catch((error: unknown) => {
    const why = closed();
    if (!why) throw error;
    log.error("the conversations cannot be opened: going on without them", { error: Failure.from(error).message });
    return noConversation(why, store);
  });
  cleanup.add(() => conversation.close());
  const { parts, turns } = conversation;
  const { sessions } = parts;
  const restartNotes = createRestartNotes({ clock, log, store, sessions, turns });
  cleanup.add(() => restartNotes.close());
  /** Who stands by, or runs the control plane only, has nothing to say in a conversation. */
  const mayTell = (): boolean => !owner() && !options.safeMode?.();

  cleanup.add(systemEvents.follow(turns));
  const automation = createAutomation({
    host,
    paths,
    config,
    log,
    store,
    turns,
    sessions,
    outbox: parts.outbox,
    events: systemEvents,
    stopped: () => (closed() ?? standingBy(owner()))?.message,
    skipped: () => skippedCron(options),
    broadcast: (event, payload, only) => hub.broadcast(event, payload, only),
  });
  cleanup.add(() => automation.close());

  const hub = createHub(() => ({ presence: presence.version, health: health.version }), observing.doors);
  const presence = createPresence(host, (entries) => hub.broadcast("presence", { presence: entries }));
  const health = createHealth(host, config, {
    owner,
    paths,
    sessions,
    safeMode,
    networks: () => parts.networks.accounts(),
    onChange: () => hub.broadcast("health", health.snapshot()),
  });
  const info = {
    version: VERSION,
    bootId: uuid(),
    pid: options.pid,
    startedAt: host.clock.now(),
    port: options.port,
    bind: exposure.bind,
    authMode: exposure.authMode,
    owner,
  };
  const app: App = {
    host,
    clock: host.clock,
    log,
    flavour: options.flavour,
    paths,
    info,
    config,
    identity: await identity,
    devices,
    senders,
    nodes,
    ...parts,
    turns,
    presence,
    health,
    heartbeat: automation.heartbeat,
    cron: automation.cron,
    systemEvents,
    connections: hub,
    broadcast: (event, payload, only) => hub.broadcast(event, payload, only),
    metrics: observing.metrics,
    page: pageOf(host, config),
    methodNames: () => methodNames,
    eventNames: () => eventNames,
    restart: options.restart,
    tellAfterRestart: (note) => restartNotes.add(note),
  };
  const methodNames = table.filter((method) => !method.unlisted).map((method) => method.name);
  const eventNames = Object.keys(events);
  const server = createServer({
    app,
    hub,
    methods: table,
    routes,
    doorAt,
    tailnet: options.tailnet,
    observers: observing,
    wire: options.wire,
    auth: () => authSettings(exposure, config.current().value.gateway),
  });

  cleanup.add(observing.watch({ app, turns, sockets: () => server.sockets() }));
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
  // Before a turn can begin the session anew that is told.
  if (mayTell()) await restartNotes.tell();
  // Before a turn can begin that is to tell them.
  await systemEvents.reload(sessions);
  // Before anybody can send a message again that is found in the journal.
  if (mayTell()) await Promise.all([turns.recover(), parts.uploads.sweep()]);

  function maintain(): void {
    const { value } = config.current();
    if (owner() || safeMode || value.session.maintenance.mode !== "enforce") return;
    for (const { id } of agentsOf(value)) {
      cleanUp(app, id, { remove: true }).catch((error: unknown) =>
        log.warn("old sessions could not be removed", { agent: id, error: String(error) }),
      );
    }
  }

  function exposeAnew(): void {
    const next = options.expose();
    // What would be unsafe to start with is not taken over by a running gateway either: the old secret stays.
    if ("lines" in next)
      return log.warn("the changed configuration would be refused at start; keeping the old one", {
        why: next.lines[0],
      });
    const changed =
      next.authMode !== exposure.authMode || next.token !== exposure.token || next.password !== exposure.password;
    const { authMode, token, password, allowTailscale } = next;
    exposure = { ...exposure, authMode, token, password, allowTailscale };
    info.authMode = next.authMode;
    if (changed) server.secretChanged();
  }

  return {
    fetch: server.fetch,
    start(port) {
      info.port = port;
      cleanup.add(server.start());
      cleanup.add(clock.every(maintenanceMs, maintain));
      cleanup.add(health.start());
      cleanup.add(restWhenGrown(host));
      cleanup.add(config.onChange(exposeAnew));
      conversation.start();
      void automation.start();
      const hooks = hooksRefused(app);
      if (hooks !== undefined) log.warn(`hooks are off: ${hooks}`);
    },
    async takeOver() {
      // First of all who may do what: the messages that are taken over are judged by it.
      await Promise.all([devices.reload(), nodes.reload(), config.reload()]);
      await systemEvents.reload(sessions);
      await conversation.takeOver();
      await restartNotes.tell();
      await automation.start();
      health.changed();
    },
    async refresh(key) {
      if (key === "channels") await parts.networks.refresh();
      else await automation.start();
    },
    async stays(why) {
      if (mayTell()) await restartNotes.tell(why);
    },
    async windDown(signal) {
      const { running } = turns.load;
      if (running > 0) log.info("waiting for running turns to end", { running, atMostMs: drainMs - closingMs });
      const left = await turns.windDown(drainMs - closingMs, signal);
      if (left > 0) log.warn("running turns did not end in time; they go on at the next start", { running: left });
    },
    async close(reason, { silence, restartExpectedMs: expectedMs }) {
      const silent = silence();
      server.drain(reason, expectedMs);
      await silent;
      await cleanup.run();
    },
  };
}

/** Why a process that stands by begins nothing by itself. */
function standingBy(owner: StateOwner | undefined): Failure | undefined {
  return owner && new Failure("unavailable", `pid ${owner.pid} owns the state folder: this gateway stands by`);
}

function skipped({ host, flavour }: AssemblyOptions): Failure | undefined {
  if (setting(host, flavour, "SKIP_CHANNELS") !== "1") return undefined;
  const name = `${flavour.envPrefixes[0]}SKIP_CHANNELS`;
  return new Failure("unavailable", `the chat networks are switched off by ${name}: start the gateway without it`);
}

function skippedCron({ host, flavour }: AssemblyOptions): string | undefined {
  const isSkipped = setting(host, flavour, "SKIP_CRON") === "1";
  return isSkipped ? `switched off by ${flavour.envPrefixes[0]}SKIP_CRON` : undefined;
}

/** The page that the host has, or the one of `gateway.controlUi.root`. */
function pageOf(host: Surroundings, config: ConfigStore): App["page"] {
  const { page } = host;
  if (!page) return undefined;
  const { root } = config.current().value.gateway.controlUi;
  return keptPage(() => page(root === undefined ? undefined : absolute(host, root)), host.clock);
}
