import type { Host, Signal } from "../host/host.ts";
import { exit, Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { drainMs } from "./defaults.ts";

/** The part of a running gateway that its process decides about. */
export interface Running {
  /** Answers why it was not done when everything goes on as before; rejects when nothing runs any more. */
  restart(wish: RestartWish): Promise<Failure | undefined>;
  /** Running turns have their time, unless it has to be at once. */
  close(reason: string, options?: { atOnce: boolean }): Promise<void>;
}

export interface RestartWish {
  /** A stop came in between, which goes before. */
  readonly signal: AbortSignal;
  /** Called when the configuration has been read anew: who asks for a restart from then on needs another one. */
  readonly begun: () => void;
}

export interface LifecycleOptions {
  readonly log: Logger;
  /** Whether the configuration lets a signal restart the gateway, now. */
  readonly mayRestart: () => boolean;
  /** Called before each restart in this process. */
  readonly restarting: () => void;
  /** Called when a restart has read the configuration anew: it serves whoever wanted one until then. */
  readonly begun: () => void;
  /** Called after each restart in this process, or with the reason when there was none after all. */
  readonly restarted: (refusal: Failure | undefined) => Promise<void>;
  /** Called once it is certain that the gateway ends, with the status it will have and why. */
  readonly stopping: (reason: string, status: number) => Promise<void>;
}

export interface Lifecycle {
  /** Restarts in this process, one restart at a time; until it has read the configuration, another wish is the same wish. */
  restart(reason: string): void;
  /** Drains and ends with this exit status. */
  stop(reason: string, status: number): void;
  /** Resolves with the exit status when the gateway has ended, or was given up on. */
  readonly ended: Promise<number>;
  /** True when something did not close in time, and may keep the process alive. */
  readonly overdue: boolean;
}

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
  const stopped = new AbortController();
  let turn: Promise<void> = Promise.resolve();
  let restartToCome = false;
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
    if (stoppedAt !== undefined || restartToCome) return;
    restartToCome = true;
    turn = turn.then(() => restartOnce(reason));
  }

  async function restartOnce(reason: string): Promise<void> {
    if (stoppedAt !== undefined) return;
    log.info(reason);
    let isBegun = false;
    const begun = (): void => {
      if (isBegun) return;
      isBegun = true;
      restartToCome = false;
      options.begun();
    };
    try {
      options.restarting();
      const refusal = await gateway.restart({ signal: stopped.signal, begun });
      if (stoppedAt === undefined) await options.restarted(refusal);
    } catch (error) {
      const { message } = Failure.from(error);
      log.error("restart failed", { error: message });
      stop(`stopping after a failed restart: ${message}`, exit.failed);
    } finally {
      // A refusal answers all who waited for it; what was asked for after the beginning is still to come.
      if (!isBegun) restartToCome = false;
    }
  }

  function stop(reason: string, status: number): void {
    if (stoppedAt !== undefined) return;
    stoppedAt = clock.monotonic();
    stopped.abort();
    log.info(reason);
    const late = clock.after(drainMs, () => {
      overdue = true;
      log.warn("connections did not drain in time; ending without them", { waitedMs: drainMs });
      settle(status);
    });
    void drain(reason, status).finally(late);
  }

  async function drain(reason: string, status: number): Promise<void> {
    try {
      await options.stopping(reason, status);
      // What a restart is about to open would outlive a gateway that is closed meanwhile.
      await turn;
      // Who has lost the state folder may not write there until its turns have ended: another one has taken them up.
      await gateway.close("gateway stopping", { atOnce: status === exit.temporary });
      settle(status);
    } catch (error) {
      log.error("closing failed", { error: Failure.from(error).message });
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
