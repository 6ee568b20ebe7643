import type { ConfigStore, ConfigWrite } from "../config/config.ts";
import { effectOf, restartKeys } from "../config/reload.ts";
import { watchFiles } from "../config/watch.ts";
import type { Host } from "../host/host.ts";
import { join, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";

/** A part of the gateway that takes up changes of its keys by being restarted alone. */
export interface ReloadablePart {
  /** The key that it and everything below configure, such as `cron`. */
  readonly key: string;
  /** By the configuration as it is now. */
  readonly restart: () => void | Promise<void>;
}

export interface Reload {
  /** A restart has read the configuration: what was due until now is in force with it. */
  served(): void;
  stop(): void;
}

export interface ReloadOptions {
  readonly host: Pick<Host, "clock" | "files">;
  readonly paths: Pick<Paths, "config" | "state">;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly parts: readonly ReloadablePart[];
  /** Restarts the gateway in this process. */
  readonly restart: (reason: string) => void;
}

/**
 * Puts changes of the configuration into force while the gateway runs, by hand or through it (cli.md 2.9): what is read
 * on its next use needs nothing, a part is restarted alone, anything else restarts the gateway once for all the changes
 * of a moment.
 */
export function startReload({ host, paths, config, log, parts, restart }: ReloadOptions): Reload {
  const settings = () => config.current().value.gateway.reload;
  const due = new Set<string>();
  let cancelRestart = (): void => undefined;
  let skipped: string | undefined;

  async function readAgain(): Promise<void> {
    if (settings().mode === "off") return;
    const problem = await readProblem(config);
    if (problem !== undefined && problem !== skipped) log.warn(`config reload skipped (invalid config): ${problem}`);
    skipped = problem;
  }

  function apply({ changedPaths, restartDelayMs, snapshot }: ConfigWrite): void {
    const { mode, debounceMs } = snapshot.value.gateway.reload;
    const asked = restartDelayMs !== undefined;
    if (changedPaths.length === 0 || (mode === "off" && !asked)) return;
    log.info(`config change detected; evaluating reload (${listed(changedPaths)})`);
    const partOf = (path: string) => effectOf(path) === "part" && parts.find(({ key }) => isBelow(path, key));
    for (const part of new Set(changedPaths.map(partOf))) if (part) void restartPart(part);
    // What configures a part that is not there is read when there is one.
    const read = changedPaths.filter((path) => ["live", "part"].includes(effectOf(path)) && !partOf(path));
    if (read.length > 0) log.info(`config change applied (dynamic reads: ${listed(read)})`);

    const keys = restartKeys(changedPaths, mode, asked);
    if (keys.length > 0) restartSoon(keys, restartDelayMs ?? debounceMs);
    else {
      const ignored = changedPaths.filter((path) => effectOf(path) === "restart");
      if (ignored.length > 0)
        log.warn(`config change needs a gateway restart; mode ${mode} leaves it to you (${listed(ignored)})`);
    }
  }

  async function restartPart({ key, restart: again }: ReloadablePart): Promise<void> {
    try {
      await again();
      log.info(`config hot reload applied (${key})`);
    } catch (error) {
      log.error(`config hot reload failed (${key})`, { error: Failure.from(error).message });
    }
  }

  /** The latest change decides when: who wrote it is answered first, and has said how long that may take. */
  function restartSoon(keys: readonly string[], delayMs: number): void {
    for (const key of keys) due.add(key);
    cancelRestart();
    cancelRestart = host.clock.after(delayMs, () => {
      const reason = `config change needs a restart (${listed([...due])}); restarting`;
      due.clear();
      restart(reason);
    });
  }

  const stopListening = config.onChange(apply);
  const stopWatching = watchFiles(host, {
    files: () => [paths.config, join(paths.state, ".env"), ...(config.includedFiles?.() ?? [])],
    debounceMs: () => settings().debounceMs,
    changed: readAgain,
  });
  return {
    served() {
      cancelRestart();
      due.clear();
    },
    stop() {
      stopWatching();
      stopListening();
      cancelRestart();
    },
  };
}

/** Reads the file again; answers what keeps it from coming into force. */
async function readProblem(config: ConfigStore): Promise<string | undefined> {
  try {
    const { rejected } = await config.reload();
    const [first, ...more] = rejected?.issues ?? [];
    if (!first) return undefined;
    return `${first.path || "<root>"}: ${first.message}${more.length > 0 ? ` (and ${more.length} more)` : ""}`;
  } catch (error) {
    return Failure.from(error).message;
  }
}

function isBelow(path: string, key: string): boolean {
  return path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`);
}

const shown = 20;

function listed(paths: readonly string[]): string {
  const more = paths.length - shown;
  return `${paths.slice(0, shown).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
