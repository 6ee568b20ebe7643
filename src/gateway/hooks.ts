import { agentsOf, workspaceOf } from "../agent/roster.ts";
import { timeZoneOf } from "../agent/frame.ts";
import type { ConfigStore } from "../config/config.ts";
import type { Turns } from "../flow/turns.ts";
import { hooks } from "../hooks/index.ts";
import { settingsOf, type HookEvent } from "../hooks/hook.ts";
import type { Files, Surroundings } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { createCleanup } from "../kit/cleanup.ts";
import { Failure } from "../kit/error.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import { createTasks } from "../kit/tasks.ts";
import type { Sessions } from "../session/sessions.ts";

export interface HooksOptions {
  readonly host: Surroundings;
  readonly files: Files;
  readonly paths: Paths;
  readonly config: Pick<ConfigStore, "current">;
  readonly log: Logger;
  readonly turns: Turns;
  readonly sessions: Sessions;
  /** Why nothing may go on by itself now; undefined when it may. */
  stopped(): string | undefined;
}

export interface OpenHooks {
  /** The gateway has started. */
  startup(): void;
  /** Lets those that run end, and begins no more. */
  close(): Promise<void>;
}

/** Has hooks run when something happens: each one thing after the other, and beside everything else. */
export function openHooks(options: HooksOptions): OpenHooks {
  const { host, files, paths, config, log, turns, sessions } = options;
  const ending = new AbortController();
  const lanes = createLanes();
  const running = hooks.map((hook) => {
    const failed = (error: unknown): void => {
      if (!ending.signal.aborted) log.error("a hook failed", { hook: hook.name, error: Failure.from(error).message });
    };
    return { hook, tasks: createTasks(failed) };
  });

  function happened(event: HookEvent): void {
    if (ending.signal.aborted || options.stopped() !== undefined) return;
    const { value } = config.current();
    for (const { hook, tasks } of running) {
      const settings = hook.events.includes(event.name) ? settingsOf(value, hook.name) : undefined;
      if (!settings) continue;
      const run = () =>
        hook.run(event, {
          clock: host.clock,
          log: log.child(hook.name),
          files,
          stateFolder: paths.state,
          sessions,
          turns,
          agents: agentsOf(value),
          workspaceOf: (agent) => workspaceOf(agent, value, { host, paths }),
          timeZone: timeZoneOf(value),
          settings,
          signal: ending.signal,
        });
      tasks.add(lanes.run(hook.name, run));
    }
  }

  const cleanup = createCleanup();
  cleanup.add(
    sessions.onChange((change) => {
      const name = change.kind === "reset" ? resets[change.reason] : undefined;
      if (name) happened({ name, row: change.row });
    }),
  );
  cleanup.add(
    turns.onEvent((event) => {
      if (event.kind !== "command") return;
      const { command, sessionKey, origin } = event;
      happened({ name: "command", command, sessionKey, sender: origin.sender, channel: origin.channel });
    }),
  );
  return {
    // BOOT.md of a profile for development stays undone, as its chat networks stay closed (cli.md SC-089).
    startup: () => paths.profile !== "dev" && happened({ name: "gateway:startup" }),
    async close() {
      ending.abort();
      await cleanup.run();
      await Promise.all(running.map(({ tasks }) => tasks.settled()));
    },
  };
}

/** What a session's beginning anew is called, by the reason that it has. */
const resets: Readonly<Record<string, Extract<HookEvent, { row: unknown }>["name"]>> = {
  new: "command:new",
  reset: "command:reset",
  stale: "session:auto-reset",
};
