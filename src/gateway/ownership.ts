import type { ConfigStore } from "../config/config.ts";
import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { acquireLock, type HeldLock, type LockOwner } from "../store/lock.ts";
import { refuseWhileOwned, type StateOwner } from "../store/standby.ts";
import { alreadyRunning } from "./port-conflict.ts";

/** Who writes a state folder: this process, or another that this one stands by for (cli.md 10.2). */
export interface Ownership {
  /** The lock, while this process has it. */
  readonly lock: HeldLock | undefined;
  /** The process that this one stands by for; undefined when this one writes. */
  owner(): { readonly pid: number; readonly port: number } | undefined;
  /** Starts to look each second whether the owner is gone, and takes over then. Nothing happens when this one writes. */
  standBy(takenOver: (from: LockOwner) => void): void;
  release(): Promise<void>;
}

export interface Claim {
  readonly state: string;
  readonly port: number;
  /** The command line of this process, without secrets. */
  readonly command: string;
  readonly program: string;
  /** Processes that `--force` has ended: one of them may need a moment to let go of the lock. */
  readonly ended: readonly number[];
}

const POLL_MS = 1000;
const LETTING_GO_MS = 7000;

/**
 * Takes the lock of a state folder, or stands by when a gateway on another port has it. Rejects with a Failure
 * `conflict` when that gateway has the same port.
 */
export async function claimState(host: Host, claim: Claim): Promise<Ownership> {
  const { clock } = host;
  const path = join(claim.state, "gateway.lock");
  const info = { port: claim.port, command: claim.command, since: clock.now() };
  const attempt = () => acquireLock(host, path, info);

  let answer = await attempt();
  const deadline = clock.monotonic() + LETTING_GO_MS;
  while (!answer.held && claim.ended.includes(answer.owner.pid) && clock.monotonic() < deadline) {
    await clock.sleep(100);
    answer = await attempt();
  }
  if (!answer.held && answer.owner.port === claim.port) throw alreadyRunning(answer.owner, claim.program);

  let lock = answer.held ? answer : undefined;
  let owner = answer.held ? undefined : answer.owner;
  let stopPolling = (): void => undefined;
  return {
    get lock() {
      return lock;
    },
    owner: () => owner,
    standBy(takenOver) {
      let looking = false;
      const look = async (): Promise<void> => {
        if (looking) return;
        looking = true;
        try {
          const next = await attempt();
          const from = owner;
          if (next.held) {
            stopPolling();
            [lock, owner] = [next, undefined];
            if (from) takenOver(from);
          } else owner = next.owner;
        } catch {
          // The lock cannot be read right now; it is looked at again in a second.
        } finally {
          looking = false;
        }
      };
      if (owner) stopPolling = clock.every(POLL_MS, () => void look());
    },
    async release() {
      stopPolling();
      await lock?.release();
    },
  };
}

/** The configuration of a gateway that may stand by: read at any time, changed only while no other process owns it. */
export function guardConfig(config: ConfigStore, owner: () => StateOwner | undefined): ConfigStore {
  const refuse = (): void => refuseWhileOwned(owner(), "the configuration");
  return {
    ...config,
    reload: (options) => config.reload({ keepHistory: owner() === undefined, ...options }),
    async replace(raw, options) {
      refuse();
      return config.replace(raw, options);
    },
    async patch(patch, options) {
      refuse();
      return config.patch(patch, options);
    },
    async set(path, value, options) {
      refuse();
      return config.set(path, value, options);
    },
    async rollback(number) {
      refuse();
      return config.rollback(number);
    },
  };
}
