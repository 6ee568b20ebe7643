import type { ConfigStore } from "../config/config.ts";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Tls } from "../tls/load.ts";
import type { Exposure, Refusal } from "./exposure.ts";
import type { Front } from "./front.ts";
import type { RestartWish, Running } from "./lifecycle.ts";

/** What answers behind the listening sockets, from one start to the next. */
export interface Opened {
  takeOver(): Promise<void>;
  /** Takes up what changed below this key of the configuration, such as `channels`. */
  refresh(key: string): Promise<void>;
  /** Begins no more turns, and resolves when those that run have ended or have had their time. */
  windDown(signal?: AbortSignal): Promise<void>;
  /** A restart that was asked for does not happen. */
  stays(why: Failure): Promise<void>;
  /** `silence` lets no more requests in, and resolves when those that are in have been answered. */
  close(reason: string, how: { silence: () => Promise<void>; restartExpectedMs?: number }): Promise<void>;
}

export interface Restartable extends Running {
  /** This process owns the state folder from now on: reads again what another may have changed. */
  takeOver(): Promise<void>;
  /** Takes up what changed below this key of the configuration, without a restart. */
  refresh(key: string): Promise<void>;
}

export interface RestartableOptions {
  readonly front: Pick<Front, "hold" | "close">;
  readonly config: Pick<ConfigStore, "reload">;
  readonly log: Logger;
  /** By the configuration as it is now. */
  readonly expose: () => Exposure | Refusal;
  /** What to encrypt with, by the configuration and the files as they are now. */
  readonly encrypt: () => Promise<Tls | undefined>;
  /** What comes next is an ordinary start. */
  readonly leaveSafeMode: () => Promise<void>;
  readonly start: (exposure: Exposure) => Promise<Opened>;
}

/** How long open HTTP requests may go on after nobody is let in any more. */
const graceMs = 1000;
const restartExpectedMs = 1000;

/** Starts a gateway that can be opened anew behind the same sockets. Restart, take-over and end come one after the other. */
export async function openRestartable(options: RestartableOptions): Promise<Restartable> {
  const { front, config, log, expose, encrypt, leaveSafeMode, start } = options;
  const lanes = createLanes();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => lanes.run("", work);
  let running: Opened | undefined = await start({ ...allowed(expose()), tls: await encrypt() });

  async function restart({ signal, begun }: RestartWish): Promise<Failure | undefined> {
    // Looked at before anything is ended: a gateway that could not start again goes on.
    const decided = (await readAgain()) ?? (await decide());
    if (decided instanceof Failure) {
      await running?.stays(decided);
      return decided;
    }
    await running?.windDown(signal);
    if (signal.aborted) return new Failure("aborted", "the gateway stops instead");
    await readLatest();
    begun();
    const latest = await decide();
    const old = running;
    running = undefined;
    try {
      await old?.close("gateway restarting", { silence: () => front.hold(graceMs), restartExpectedMs });
    } catch (error) {
      // What it has acknowledged is on the disk, and the start finds it there as after a crash.
      log.error("closing before the restart failed", { error: Failure.from(error).message });
    }
    await leaveSafeMode();
    // Turns have had their time meanwhile, in which an interface may have gone: nothing is left to go back to.
    running = await start(latest instanceof Failure ? decided : latest);
    return undefined;
  }

  async function decide(): Promise<Exposure | Failure> {
    const exposure = expose();
    if ("lines" in exposure) return new Failure("config", exposure.lines.join(" "));
    try {
      return { ...exposure, tls: await encrypt() };
    } catch (error) {
      return Failure.from(error);
    }
  }

  async function readAgain(): Promise<Failure | undefined> {
    try {
      await config.reload();
      return undefined;
    } catch (error) {
      return Failure.from(error);
    }
  }

  async function readLatest(): Promise<void> {
    const failure = await readAgain();
    if (failure)
      log.warn("the configuration cannot be read now; restarting with the last one", { why: failure.message });
  }

  return {
    takeOver: () => inTurn(async () => running?.takeOver()),
    refresh: (key) => inTurn(async () => running?.refresh(key)),
    restart: (wish) => inTurn(() => restart(wish)),
    close: (reason, { atOnce } = { atOnce: false }) =>
      inTurn(async () => {
        if (!atOnce) await running?.windDown();
        await running?.close(reason, { silence: () => front.close(graceMs) });
        await front.close(graceMs);
      }),
  };
}

function allowed(decision: Exposure | Refusal): Exposure {
  if ("lines" in decision) throw new Failure("config", decision.lines.join("\n"));
  return decision;
}
