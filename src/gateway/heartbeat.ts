import type { Heartbeat } from "../app.ts";
import type { ConfigStore } from "../config/config.ts";
import type { BeatOptions } from "../cron/beat.ts";
import { heartbeatsOf, type HeartbeatSettings } from "../cron/heartbeat-settings.ts";
import type { SystemEvents } from "../cron/system-events.ts";
import type { Turns } from "../flow/turns.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { agentOfKey } from "../session/key.ts";

type Needs = Pick<BeatOptions, "clock" | "sessions" | "outbox" | "signal"> & {
  readonly turns: BeatOptions["turns"] & Pick<Turns, "onEvent">;
};

export interface HeartbeatOptions extends Needs {
  readonly config: Pick<ConfigStore, "current">;
  readonly log: Logger;
  readonly events: Pick<SystemEvents, "waiting" | "urgent">;
  /** Why nothing may go on by itself now; undefined when it may. */
  stopped(): string | undefined;
  /** The full key of an agent's session. */
  keyOf(settings: HeartbeatSettings): string;
  timeZone(): string;
  checklist(agentId: string): Promise<string | undefined>;
  tell(news: Readonly<Record<string, unknown>>): void;
}

export interface LiveHeartbeat extends Heartbeat {
  /** Beats from now on, by the configuration as it is now; again after it changed. */
  start(): void;
  close(): Promise<void>;
}

/** The heartbeats of all agents: each at its interval, and whenever something waits that is not to wait. */
export function createHeartbeat(options: HeartbeatOptions): LiveHeartbeat {
  const { clock, log, turns, config } = options;
  const going = new Map<string, Promise<void>>();
  let timers: readonly (() => void)[] = [];
  let last: Readonly<Record<string, unknown>> | null = null;
  let enabled = true;
  let armedFor = "";

  function stopTimers(): void {
    for (const stop of timers) stop();
    timers = [];
  }

  /** One beat at a time in a session; another one meanwhile looks again when it is over. */
  function beatIn(settings: HeartbeatSettings, sessionKey: string, woken: boolean): void {
    if (going.has(sessionKey) || options.signal.aborted || options.stopped() !== undefined) return;
    const done = beatOnce(settings, sessionKey, woken).then((wentWell) => {
      going.delete(sessionKey);
      // What came while it was made.
      if (wentWell && options.events.urgent(sessionKey).length > 0) wake(sessionKey);
    });
    going.set(sessionKey, done);
  }

  async function beatOnce(settings: HeartbeatSettings, sessionKey: string, woken: boolean): Promise<boolean> {
    const startedAt = clock.monotonic();
    const { beat } = await import("../cron/beat.ts");
    const news = await beat({
      ...options,
      settings,
      sessionKey,
      woken,
      timeZone: options.timeZone(),
      checklist: () => options.checklist(settings.agentId),
    }).catch((error: unknown) => {
      const { message } = Failure.from(error);
      log.error("a heartbeat failed", { agent: settings.agentId, error: message });
      return { status: "failed" as const, reason: message };
    });
    if (options.signal.aborted) return false;
    last = { ts: clock.now(), ...news, durationMs: Math.round(clock.monotonic() - startedAt) };
    // Anybody who is connected hears of it; what was said is for those who may read the conversation.
    const { preview: _, ...told } = last;
    options.tell(told);
    return news.status !== "failed" && news.status !== "skipped";
  }

  function settings(): readonly HeartbeatSettings[] {
    return heartbeatsOf(config.current().value);
  }

  function wake(sessionKey: string): void {
    const all = settings();
    const owner = agentOfKey(sessionKey);
    const mine = all.find(({ agentId }) => agentId.toLowerCase() === owner) ?? all[0];
    if (mine && !turns.active(sessionKey)) beatIn(mine, sessionKey, true);
  }

  // What came while a session was busy is told when it is free.
  const unfollow = turns.onEvent(({ kind, sessionKey }) => {
    if (kind === "ended" && options.events.urgent(sessionKey).length > 0) wake(sessionKey);
  });

  return {
    last: () => last,
    get enabled() {
      return enabled;
    },
    set enabled(next) {
      enabled = next;
    },
    settings,
    wake,
    start() {
      const asked = JSON.stringify(settings());
      // A change of something else must not put the next heartbeat off.
      if (timers.length > 0 && asked === armedFor) return;
      armedFor = asked;
      stopTimers();
      if (options.signal.aborted || options.stopped() !== undefined) return;
      timers = settings().flatMap((each) => {
        if (each.everyMs === undefined) return [];
        log.info("started", { agent: each.agentId, intervalMs: each.everyMs });
        return [clock.every(each.everyMs, () => enabled && beatIn(each, options.keyOf(each), false))];
      });
      for (const sessionKey of new Set(options.events.urgent().map((event) => event.sessionKey))) wake(sessionKey);
    },
    async close() {
      stopTimers();
      unfollow();
      await Promise.all(going.values());
    },
  };
}
