import type { Host, Signal } from "../host/host.ts";
import { exit } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";

/** The part of a running gateway that its process decides about. */
export interface Running {
  restart(): Promise<void>;
  close(reason: string): Promise<void>;
}

export interface LifecycleOptions {
  readonly log: Logger;
  /** Whether the configuration lets a signal restart the gateway, now. */
  readonly mayRestart: () => boolean;
  /** Called after each restart in this process. */
  readonly restarted: () => Promise<void>;
}

export interface Lifecycle {
  /** Restarts in this process, one restart at a time. */
  restart(reason: string): void;
  /** Drains and ends with this exit status. */
  stop(reason: string, status: number): void;
  /** Resolves with the exit status when the gateway has ended, or was given up on. */
  readonly ended: Promise<number>;
  /** True when something did not close in time, and may keep the process alive. */
  readonly overdue: boolean;
}

const DRAIN_MS = 5000;
/** Ctrl-C reaches every process of a terminal, and a supervisor or npm passes its own copy on: that is one wish. */
const SAME_WISH_MS = 300;
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly Signal[];

/**
 * Lets signals decide about a running gateway: the first that ends drains and gives status 0, a later one ends at once
 * with 130, SIGUSR1 restarts in this process where the configuration allows.
 */
export function createLifecycle(
  host: Pick<Host, "clock" | "processes">,
  gateway: Running,
  options: LifecycleOptions,
): Lifecycle {
  const { clock, processes } = host;
  const { log } = options;
  let settle: (status: number) => void;
  const ended = new Promise<number>((resolve) => (settle = resolve));
  let turn: Promise<void> = Promise.resolve();
  let stoppedAt: number | undefined;
  let overdue = false;

  const undo = [
    ...endings.map((signal) => processes.onSignal(signal, () => onEnding(signal))),
    processes.onSignal("SIGUSR1", onRestartSignal),
  ];

  function onEnding(signal: Signal): void {
    if (stoppedAt === undefined) stop(`received ${signal}; shutting down`, exit.ok);
    else if (clock.monotonic() - stoppedAt > SAME_WISH_MS) processes.exit(exit.interrupted);
  }

  function onRestartSignal(): void {
    if (options.mayRestart()) restart("received SIGUSR1; restarting");
    else log.warn("SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).");
  }

  function restart(reason: string): void {
    if (stoppedAt !== undefined) return;
    turn = turn.then(async () => {
      if (stoppedAt !== undefined) return;
      log.info(reason);
      try {
        await gateway.restart();
        await options.restarted();
      } catch (error) {
        log.error("restart failed", { error: error instanceof Error ? error.message : String(error) });
        stop("stopping after a failed restart", exit.failed);
      }
    });
  }

  function stop(reason: string, status: number): void {
    if (stoppedAt !== undefined) return;
    stoppedAt = clock.monotonic();
    log.info(reason);
    const late = clock.after(DRAIN_MS, () => {
      overdue = true;
      log.warn("connections did not drain in time; ending without them", { waitedMs: DRAIN_MS });
      settle(status);
    });
    void drain(status).finally(late);
  }

  async function drain(status: number): Promise<void> {
    // A failed restart stops from within its own turn: closing must not wait for that turn to end.
    if (status === exit.ok) await turn;
    try {
      await gateway.close("gateway stopping");
      settle(status);
    } catch (error) {
      log.error("closing failed", { error: error instanceof Error ? error.message : String(error) });
      settle(exit.failed);
    }
  }

  void ended.then(() => {
    for (const each of undo) each();
  });
  return {
    restart,
    stop,
    ended,
    get overdue() {
      return overdue;
    },
  };
}
