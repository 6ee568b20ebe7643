import { agentsOf } from "./agent/roster.ts";
import type { App } from "./app.ts";
import type { ConfigStore } from "./config/config.ts";
import { openConversation } from "./conversation.ts";
import { announce } from "./flow/announce.ts";
import { cleanUp } from "./flow/clean-up.ts";
import { createRestartNotes } from "./flow/restart-notes.ts";
import { sessionView } from "./flow/session-view.ts";
import { authSettings } from "./gateway/auth-settings.ts";
import { createHealth } from "./gateway/health.ts";
import { createHeartbeat } from "./gateway/heartbeat.ts";
import { createFront, type Front, type Place } from "./gateway/front.ts";
import { createHub } from "./gateway/hub.ts";
import type { Exposure, Refusal } from "./gateway/exposure.ts";
import { loopbackAddresses } from "./gateway/addresses.ts";
import { closingMs, drainMs } from "./gateway/defaults.ts";
import { noConversation } from "./gateway/no-conversation.ts";
import { guardConfig } from "./gateway/ownership.ts";
import { createPresence } from "./gateway/presence.ts";
import type { Tailnet } from "./gateway/publishing.ts";
import { openRestartable, type Opened, type Restartable } from "./gateway/restartable.ts";
import { createServer } from "./gateway/server.ts";
import { inSafeMode, type SafeMode } from "./gateway/starts.ts";
import { createWireLog, type WireLogStyle } from "./gateway/wire-log.ts";
import type { Flavour } from "./host/flavour.ts";
import type { Host } from "./host/host.ts";
import type { Paths } from "./host/paths.ts";
import { createCleanup, type Cleanup } from "./kit/cleanup.ts";
import { Failure } from "./kit/error.ts";
import { uuid } from "./kit/ids.ts";
import type { Logger } from "./kit/log.ts";
import { VERSION } from "./kit/version.ts";
import { methods } from "./methods/index.ts";
import type { Method } from "./methods/method.ts";
import { loadNodes } from "./nodes/nodes.ts";
import { loadIdentity } from "./pairing/identity.ts";
import { loadDevices } from "./pairing/registry.ts";
import { openSenders } from "./pairing/senders.ts";
import { events } from "./protocol/events.ts";
import { limits } from "./protocol/version.ts";
import { routes } from "./routes/index.ts";
import { publicMessage } from "./session/public-message.ts";
import { createFolderLogs } from "./store/folder-log.ts";
import { createFolderStore } from "./store/folder.ts";
import { createStandbyLogs, createStandbyStore, type StateOwner } from "./store/standby.ts";

export interface OpenOptions {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly log: Logger;
  /** The port to listen on, by the configuration as it is now; asked at the start and at a restart. */
  port(): number;
  /** Decides from the configuration as it is now; asked at the start, after each change, and at a restart. */
  expose(): Exposure | Refusal;
  /** What to encrypt with; asked at the start and at a restart. */
  encrypt(): Promise<Exposure["tls"]>;
  /** Why only the control plane may run, and on loopback only; undefined in an ordinary start. */
  safeMode(): SafeMode | undefined;
  /** A restart is about to happen: what comes next is an ordinary start. */
  leaveSafeMode(): Promise<void>;
  readonly verbose: boolean;
  readonly rawStream?: string | undefined;
  readonly tailnet?: Tailnet | undefined;
  readonly wsLog: WireLogStyle;
  /** The process that owns the state folder, while this one stands by. */
  owner(): StateOwner | undefined;
  /** A client asked for a restart in this process. */
  onRestartRequest(reason: string): void;
}

/**
 * A gateway that runs. A restart lets running turns end, closes every socket with the promise to be back, and opens anew
 * by the configuration as it is then: nobody is refused meanwhile. What did not end in time goes on at the next start.
 */
export type Gateway = Restartable & Pick<Front, "port" | "addresses" | "tls">;

/** How often sessions that are too old are removed, where the configuration says so. */
const maintenanceMs = 3600_000;

/** Starts a gateway: everything is loaded and built first, then opened in one order; a failure closes what was opened. */
export async function startGatewayServer(options: OpenOptions): Promise<Gateway> {
  const { net, clock } = options.host;
  const { maxPayload, maxUntrusted, maxBody } = limits;
  const front = createFront({ net, clock, maxPayload, maxUntrusted, maxBody });
  const config = guardConfig(options.config, () => options.owner());
  const start = (exposure: Exposure) => open({ ...options, config }, front, exposure);
  const restartable = await openRestartable({ ...options, config, front, start });
  return {
    ...restartable,
    get port() {
      return front.port;
    },
    get addresses() {
      return front.addresses;
    },
    get tls() {
      return front.tls;
    },
  };
}

async function open(options: OpenOptions, front: Front, exposure: Exposure): Promise<Opened> {
  const cleanup = createCleanup();
  try {
    return await build(options, { front, exposure, cleanup });
  } catch (error) {
    await front.close(0);
    await cleanup.run();
    throw error;
  }
}

interface Ground {
  readonly front: Front;
  readonly exposure: Exposure;
  /** What has to be undone of what was opened so far. */
  readonly cleanup: Cleanup;
}

async function build(options: OpenOptions, { front, exposure: asked, cleanup }: Ground): Promise<Opened> {
  const { host, config, log, paths } = options;
  const { clock } = host;
  const safeMode = options.safeMode();
  let exposure: Exposure = safeMode
    ? { ...asked, bind: "loopback", addresses: loopbackAddresses(host.net.interfaces()) }
    : asked;
  const store = createStandbyStore(createFolderStore(host.files, paths.state), () => options.owner());
  const logs = createStandbyLogs(createFolderLogs(host.files, paths.state), () => options.owner());
  const [identity, devices] = await Promise.all([loadIdentity(store), loadDevices(store, clock, log)]);
  cleanup.add(() => devices.close());
  const nodes = await loadNodes(store, devices, clock, log);
  const closed = (): Failure | undefined => {
    const safe = options.safeMode();
    return safe && inSafeMode(safe);
  };
  const conversation = await openConversation({ ...options, store, logs, devices, closed }).catch((error: unknown) => {
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
  const mayTell = (): boolean => !options.owner() && !options.safeMode();

  const hub = createHub(() => ({ presence: presence.version, health: health.version }));
  const presence = createPresence(host, (entries) => hub.broadcast("presence", { presence: entries }));
  const health = createHealth(host, config, {
    owner: () => options.owner(),
    paths,
    sessions,
    safeMode,
    onChange: () => hub.broadcast("health", health.snapshot()),
  });
  const info = {
    version: VERSION,
    bootId: uuid(),
    pid: host.processes.pid,
    startedAt: host.clock.now(),
    port: front.port,
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
    senders: openSenders(store, clock, log),
    nodes,
    ...parts,
    turns,
    presence,
    health,
    heartbeat: createHeartbeat(),
    connections: hub,
    broadcast: (event, payload, only) => hub.broadcast(event, payload, only),
    methodNames: () => methodNames,
    eventNames: () => eventNames,
    restart: (reason) => options.onRestartRequest(reason),
    tellAfterRestart: (note) => restartNotes.add(note),
  };
  const table: readonly Method[] = methods;
  const methodNames = table.filter((method) => !method.unlisted).map((method) => method.name);
  const eventNames = Object.keys(events);
  const server = createServer({
    app,
    hub,
    methods: table,
    routes,
    tailnet: options.tailnet,
    wire: createWireLog(log, () => host.clock.monotonic(), { verbose: options.verbose, style: options.wsLog }),
    auth: () => authSettings(exposure, config.current().value.gateway),
  });

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
  // Before anybody can send a message again that is found in the journal.
  if (mayTell()) await Promise.all([turns.recover(), parts.uploads.sweep()]);
  await listen(front, { ...exposure, port: options.port() }, log);
  info.port = front.port;
  front.serve(server.fetch);
  cleanup.add(server.start());
  cleanup.add(
    clock.every(maintenanceMs, () => {
      const { value } = config.current();
      if (options.owner() || safeMode || value.session.maintenance.mode !== "enforce") return;
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
      const { authMode, token, password, allowTailscale } = next;
      exposure = { ...exposure, authMode, token, password, allowTailscale };
      info.authMode = next.authMode;
      if (changed) server.secretChanged();
    }),
  );
  return {
    async takeOver() {
      // First of all who may do what: the messages that are taken over are judged by it.
      await Promise.all([devices.reload(), nodes.reload(), config.reload()]);
      await conversation.takeOver();
      await restartNotes.tell();
      health.changed();
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

/** Listens where the configuration says. A new port that is taken or forbidden must not end a gateway that has another. */
async function listen(front: Front, place: Place, log: Logger): Promise<void> {
  const { port } = front;
  try {
    await front.listen(place);
  } catch (error) {
    const failure = Failure.from(error);
    if (port === 0 || place.port === port) throw failure;
    log.error(`${failure.message}: staying on port ${port}`);
    await front.listen({ ...place, port });
  }
}
