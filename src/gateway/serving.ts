import type { ConfigStore } from "../config/config.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { removeRuntime, writeRuntime } from "../host/runtime-file.ts";
import { exit, Failure } from "../kit/error.ts";
import { urlHost } from "./addresses.ts";
import { agentsOf } from "../agent/roster.ts";
import { createLifecycle, type Lifecycle, type Running } from "./lifecycle.ts";
import type { GatewayLogs } from "./logs.ts";
import type { Ownership } from "./ownership.ts";
import { logGatewayStartup } from "./startup-log.ts";

/** A gateway that listens, as far as its process needs to know it. */
export interface Listening extends Running {
  readonly port: number;
  readonly addresses: readonly string[];
  /** Reads again what the former owner of the state folder may have changed. */
  takeOver(): Promise<void>;
}

export interface Surroundings {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly config: ConfigStore;
  /** What to name instead of `0.0.0.0`. */
  readonly lan: readonly string[];
  readonly logs: GatewayLogs;
  readonly logFile: string;
  readonly ownership: Ownership;
}

export interface Serving {
  restart(reason: string): void;
  /** Resolves with the exit status when the gateway has ended and everything is put away. */
  readonly ended: Promise<number>;
}

/** Announces an open gateway and serves it until a signal ends it: restarts, take-over and loss of the state folder. */
export async function serveGateway(around: Surroundings, gateway: Listening): Promise<Serving> {
  const { host, config, logs } = around;
  const lifecycle = createLifecycle(host, gateway, {
    log: logs.log,
    mayRestart: () => config.current().value.commands.restart,
    restarted: () => announce(around, gateway),
  });
  await announce(around, gateway);
  guardOwnership(around, gateway, lifecycle);
  return { restart: (reason) => lifecycle.restart(reason), ended: putAway(around, lifecycle) };
}

async function announce(around: Surroundings, gateway: Listening): Promise<void> {
  const { host, flavour, config, lan, logFile, logs, ownership } = around;
  const { pid } = host.processes;
  const { addresses, port } = gateway;
  const owner = ownership.owner();
  host.processes.setTitle(`${flavour.id}-gateway`);
  if (!owner) await recordRuntime(around, gateway);
  logGatewayStartup(logs.log, {
    model: agentsOf(config.current().value)[0].model.primary,
    addresses,
    lan,
    port,
    pid,
    logFile,
  });
  if (owner) logs.log.warn(`standing by: pid ${owner.pid} on port ${owner.port} owns this state folder; reads only`);
}

async function recordRuntime({ host, paths }: Surroundings, { addresses, port }: Listening): Promise<void> {
  const dialable = addresses.filter((address) => address !== "0.0.0.0");
  const address = dialable.find((each) => each === "127.0.0.1") ?? dialable[0] ?? "127.0.0.1";
  await writeRuntime(host.files, paths.state, {
    pid: host.processes.pid,
    port,
    url: `ws://${urlHost(address)}:${port}`,
    startedAt: host.clock.now(),
  });
}

function guardOwnership(around: Surroundings, gateway: Listening, lifecycle: Lifecycle): void {
  const { logs, ownership } = around;
  const guardLock = (): void =>
    ownership.lock?.onLost(() => lifecycle.stop("this process lost its state folder; stopping", exit.temporary));
  const takeOver = async (pid: number): Promise<void> => {
    guardLock();
    await gateway.takeOver();
    await recordRuntime(around, gateway);
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

async function putAway({ host, paths, logs, ownership }: Surroundings, lifecycle: Lifecycle): Promise<number> {
  const status = await lifecycle.ended;
  await removeRuntime(host.files, paths.state, host.processes.pid);
  await ownership.release();
  await logs.close();
  return lifecycle.overdue ? host.processes.exit(status) : status;
}
