import type { ConfigStore } from "../config/config.ts";
import type { Flavour } from "../host/flavour.ts";
import { reachableAddresses } from "../host/addresses.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { removeRuntime, writeRuntime } from "../host/runtime-file.ts";
import { exit, Failure } from "../kit/error.ts";
import { urlHost } from "../kit/ip.ts";
import type { Tls } from "../tls/load.ts";
import { everyIpv4, everyIpv6, nameable } from "./addresses.ts";
import { agentsOf } from "../agent/roster.ts";
import { createAnnouncing, type Announcing } from "./announcing.ts";
import { createLifecycle, type Lifecycle, type Running } from "./lifecycle.ts";
import type { GatewayLogs } from "./logs.ts";
import { guardConfig, type Ownership } from "./ownership.ts";
import { startReload, type Reload } from "./reload.ts";
import { logGatewayStartup } from "./startup-log.ts";
import type { Publishing } from "./publishing.ts";
import type { Starts } from "./starts.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

/** A gateway that listens, as far as its process needs to know it. */
export interface Listening extends Running {
  readonly port: number;
  readonly addresses: readonly string[];
  /** The certificate where connections are encrypted. */
  readonly tls: Pick<Tls, "fingerprint"> | undefined;
  /** Reads again what the former owner of the state folder may have changed. */
  takeOver(): Promise<void>;
  /** Takes up what changed below this key of the configuration. */
  refresh(key: string): Promise<void>;
}

export interface Surroundings {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly program: string;
  readonly config: ConfigStore;
  readonly logs: GatewayLogs;
  readonly ownership: Ownership;
  /** The record of starts; absent in a process that stood by when it began. */
  readonly starts: Starts | undefined;
  /** Leaves errors that nobody catches to the runtime again. */
  readonly stopHearing: (() => void) | undefined;
  readonly publishing: Publishing;
}

export interface Serving {
  restart(reason: string): void;
  /** Resolves with the exit status when the gateway has ended and everything is put away. */
  readonly ended: Promise<number>;
}

/** Announces an open gateway and serves it until a signal ends it: restarts, take-over and loss of the state folder. */
export async function serveGateway(around: Surroundings, gateway: Listening): Promise<Serving> {
  const { host, paths, config, logs, starts } = around;
  const { log } = logs;
  const silent = (): boolean => around.ownership.owner() !== undefined || starts?.safeMode !== undefined;
  const announcing = createAnnouncing({ ...around, log, gateway, silent });
  const supervisor = createSupervisor(host, { log, alive: () => host.files.stat(paths.state) });
  let reload: Reload | undefined;
  const lifecycle = createLifecycle(host, gateway, {
    log,
    mayRestart: () => config.current().value.commands.restart,
    restarting: () => supervisor.reloading(),
    begun: () => reload?.served(),
    async restarted(refusal) {
      if (refusal) log.error("not restarted; going on as before", { why: refusal.message });
      else await announce(around, gateway).catch(unrecorded);
      // The sockets stayed open meanwhile: what was announced is brought up to date rather than taken back.
      announcing.refresh();
      supervisor.ready();
    },
    async stopping(reason, status) {
      supervisor.stopping();
      void announcing.close();
      // A process that lost the state folder may not write there any more.
      if (status === exit.ok) await starts?.ended();
      if (status === exit.failed) await starts?.failed(reason);
    },
  });
  /** A gateway that runs is not ended for what others look it up in. */
  function unrecorded(error: unknown): void {
    log.error("where this gateway listens could not be written down", { error: Failure.from(error).message });
  }
  await announce(around, gateway);
  supervisor.ready();
  announcing.refresh();
  guardOwnership(around, gateway, { lifecycle, announcing });
  reload = startReload({
    host,
    paths,
    config: guardConfig(config, () => around.ownership.owner()),
    log: log.child("reload"),
    parts: [
      { key: "logging", restart: () => logs.toFile(paths.log) },
      ...["channels", "cron", "hooks", "agents.defaults.heartbeat"].map((key) => ({
        key,
        restart: () => gateway.refresh(key),
      })),
    ],
    restart: (reason) => lifecycle.restart(reason),
  });
  void lifecycle.ended.then(() => reload?.stop());
  return {
    restart: (reason) => lifecycle.restart(reason),
    ended: putAway(around, { lifecycle, supervisor, announcing }),
  };
}

async function announce(around: Surroundings, gateway: Listening): Promise<void> {
  const { host, flavour, config, logs, ownership } = around;
  const { pid } = host.processes;
  const { addresses, port, tls } = gateway;
  const owner = ownership.owner();
  host.processes.setTitle(`${flavour.id}-gateway`);
  await around.publishing.begin({ port, tls: tls !== undefined });
  // Before the line that says where it listens: whoever waited for that finds it.
  if (!owner) await recordRuntime(around, gateway);
  logGatewayStartup(logs.log, {
    model: agentsOf(config.current().value)[0].model.primary,
    addresses: nameable(addresses, reachableAddresses(host.net.interfaces())),
    port,
    pid,
    fingerprint: tls?.fingerprint,
    logFile: logs.file ?? around.paths.log,
  });
  const safeMode = around.starts?.safeMode;
  if (safeMode) logs.log.error(`✗ safe mode: ${safeMode.reason}; fix it, then: ${around.program} gateway restart`);
  if (owner) logs.log.warn(`standing by: pid ${owner.pid} on port ${owner.port} owns this state folder; reads only`);
}

/** Tells other programs of this machine where the gateway listens, which a restart may have changed. */
async function recordRuntime(
  { host, paths, ownership }: Surroundings,
  { addresses, port, tls }: Listening,
): Promise<void> {
  const dialable = addresses.filter((address) => address !== everyIpv4 && address !== everyIpv6);
  const address = dialable.find((each) => each === "127.0.0.1") ?? dialable[0] ?? "127.0.0.1";
  await ownership.lock?.movedTo(port);
  await writeRuntime(host.files, paths.state, {
    pid: host.processes.pid,
    port,
    url: `${tls ? "wss" : "ws"}://${urlHost(address)}:${port}`,
    ...(tls ? { fingerprint: tls.fingerprint } : {}),
    startedAt: host.clock.now(),
  });
}

function guardOwnership(
  around: Surroundings,
  gateway: Listening,
  { lifecycle, announcing }: { readonly lifecycle: Lifecycle; readonly announcing: Announcing },
): void {
  const { logs, ownership } = around;
  const guardLock = (): void =>
    ownership.lock?.onLost(() => lifecycle.stop("this process lost its state folder; stopping", exit.temporary));
  const takeOver = async (pid: number): Promise<void> => {
    guardLock();
    await gateway.takeOver();
    await recordRuntime(around, gateway);
    announcing.refresh();
    await around.publishing.begin({ port: gateway.port, tls: gateway.tls !== undefined });
    logs.log.info(`took over: pid ${pid} is gone, and this gateway owns the state folder now`);
  };
  guardLock();
  ownership.standBy(({ pid }) => {
    takeOver(pid).catch((error: unknown) => {
      logs.log.error("taking over failed", { error: Failure.from(error).message });
      lifecycle.stop("stopping after a failed take-over", exit.failed);
    });
  });
}

async function putAway(
  { host, paths, logs, ownership, stopHearing, publishing }: Surroundings,
  { lifecycle, supervisor, announcing }: { lifecycle: Lifecycle; supervisor: Supervisor; announcing: Announcing },
): Promise<number> {
  const status = await lifecycle.ended;
  supervisor.close();
  await announcing.close();
  await publishing.end({ owner: status !== exit.temporary && ownership.owner() === undefined });
  stopHearing?.();
  await removeRuntime(host.files, paths.state, host.processes.pid);
  await ownership.release();
  await logs.close();
  return lifecycle.overdue ? host.processes.exit(status) : status;
}
