import type { ConfigStore } from "./config/config.ts";
import { loopbackAddresses } from "./gateway/addresses.ts";
import { assemble } from "./gateway/assembly.ts";
import type { Exposure, Refusal } from "./gateway/exposure.ts";
import { createFront, type Front, type Place } from "./gateway/front.ts";
import { guardConfig } from "./gateway/ownership.ts";
import type { Tailnet } from "./gateway/publishing.ts";
import { openRestartable, type Opened, type Restartable } from "./gateway/restartable.ts";
import type { SafeMode } from "./gateway/starts.ts";
import { createWireLog, type WireLogStyle } from "./gateway/wire-log.ts";
import type { Flavour } from "./host/flavour.ts";
import type { Host } from "./host/host.ts";
import type { Paths } from "./host/paths.ts";
import { Failure } from "./kit/error.ts";
import type { Logger } from "./kit/log.ts";
import { limits } from "./protocol/version.ts";
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

async function open(options: OpenOptions, front: Front, asked: Exposure): Promise<Opened> {
  const { host, paths, log } = options;
  const owner = () => options.owner();
  const exposure: Exposure = options.safeMode()
    ? { ...asked, bind: "loopback", addresses: loopbackAddresses(host.net.interfaces()) }
    : asked;
  const silence = () => front.close(0);
  const assembly = await assemble({
    ...options,
    exposure,
    fetch,
    port: front.port,
    pid: host.processes.pid,
    wire: createWireLog(log, () => host.clock.monotonic(), { verbose: options.verbose, style: options.wsLog }),
    storage(watched) {
      const files = watched(host.files);
      return {
        store: createStandbyStore(createFolderStore(files, paths.state), owner),
        logs: createStandbyLogs(createFolderLogs(files, paths.state), owner),
      };
    },
    restart: (reason) => options.onRestartRequest(reason),
  }).catch(async (error: unknown) => {
    await silence();
    throw error;
  });
  try {
    await listen(front, { ...exposure, port: options.port() }, log);
    assembly.start(front.port);
    front.serve(assembly.fetch);
    return assembly;
  } catch (error) {
    await assembly.close("gateway cannot listen", { silence });
    throw error;
  }
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
