import type { Host } from "../host/host.ts";
import type { Logger } from "../kit/log.ts";

/** What a service manager is told that started this process and listens (sd_notify(3)). */
export interface Supervisor {
  ready(): void;
  /** A restart in this process begins; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  /** Says nothing more, and no sign of life either. */
  close(): void;
}

export interface SupervisorOptions {
  readonly log: Logger;
  /** Resolves when what the gateway lives on has answered. Only then is it told that the gateway is alive. */
  readonly alive: () => Promise<unknown>;
}

type Machine = Pick<Host, "env" | "clock" | "processes">;

/** Telling takes a program that ends within milliseconds, or never. */
const timeoutMs = 5000;

/**
 * Speaks to systemd, where it asked for it. No JavaScript runtime can send to a datagram socket of the file system, so
 * `systemd-notify` does: the unit has to say `NotifyAccess=all`.
 */
export function createSupervisor(host: Machine, { log, alive }: SupervisorOptions): Supervisor {
  if (!host.env["NOTIFY_SOCKET"]) return deaf;
  const { clock, processes } = host;
  let last: Promise<void> = Promise.resolve();
  let broken = false;

  /** One after the other: `READY=1` must not overtake `RELOADING=1`. */
  function tell(...words: readonly string[]): void {
    last = last.then(async () => {
      if (broken) return;
      const { code, stderr } = await processes.run("systemd-notify", words, { timeoutMs });
      if (code === 0) return;
      broken = code === 127;
      log.warn(`systemd could not be told ${words.at(-1) ?? ""}`, { status: code, error: stderr.trim().slice(0, 200) });
    });
  }

  const everyMs = watchdogMs(host);
  let asking = false;
  /** That this runs shows that the event loop turns; a disk that hangs keeps `asking` true, and systemd acts. */
  async function showLife(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      await alive();
      tell("WATCHDOG=1");
    } catch (error) {
      log.warn("no sign of life to systemd: the state folder does not answer", { error: String(error) });
    } finally {
      asking = false;
    }
  }
  const stopWatchdog = everyMs === undefined ? () => undefined : clock.every(everyMs, () => void showLife());

  return {
    // Under a wrapper (npx, a shell) systemd would take that for the gateway.
    ready: () => tell(`--pid=${processes.pid}`, "READY=1"),
    // MONOTONIC_USEC is asked for with Type=notify-reload only.
    reloading: () => tell("RELOADING=1"),
    stopping: () => tell("STOPPING=1"),
    close: stopWatchdog,
  };
}

const deaf: Supervisor = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  close: () => undefined,
};

/** Half of what systemd allows between two signs of life; undefined when it wants none from this process. */
function watchdogMs({ env, processes }: Machine): number | undefined {
  const allowed = Number(env["WATCHDOG_USEC"]);
  const pid = env["WATCHDOG_PID"];
  if (!Number.isFinite(allowed) || allowed <= 0) return undefined;
  return pid !== undefined && Number(pid) !== processes.pid ? undefined : Math.max(1, Math.floor(allowed / 2000));
}
