import { withRawStream } from "./agent/raw-stream.ts";
import { createRunner } from "./agent/run.ts";
import { agentsOf, workspaceOf } from "./agent/roster.ts";
import { createWorkspaceFiles } from "./agent/workspace-files.ts";
import type { App } from "./app.ts";
import { openBudget } from "./budget/open-budget.ts";
import type { ConfigStore } from "./config/config.ts";
import { scopesNow } from "./flow/chat-input.ts";
import { openTurns, type OpenTurns } from "./flow/open-turns.ts";
import { promptReporter } from "./flow/slash/prompt-report.ts";
import type { Flavour } from "./host/flavour.ts";
import { filesOf, type Surroundings } from "./host/host.ts";
import type { Paths } from "./host/paths.ts";
import { createCleanup, type Cleanup } from "./kit/cleanup.ts";
import type { Failure } from "./kit/error.ts";
import type { Logger } from "./kit/log.ts";
import { VERSION } from "./kit/version.ts";
import { openAccounts } from "./model/open-accounts.ts";
import type { ModelObserver } from "./observe/observer.ts";
import type { Devices } from "./pairing/devices.ts";
import { providers } from "./providers/index.ts";
import { createMedia } from "./session/media.ts";
import { openSessions } from "./session/open-sessions.ts";
import type { SessionRow } from "./session/sessions.ts";
import { openTextIndex } from "./session/text-index.ts";
import type { Logs } from "./store/log.ts";
import type { Store } from "./store/store.ts";
import { createUploads } from "./store/uploads.ts";
import { toolsAt, toolSpecs } from "./tools/index.ts";

/** What a gateway talks with: sessions, models, and the way from a message to its answer. */
export interface Conversation {
  readonly parts: Pick<App, "sessions" | "media" | "uploads" | "accounts" | "budget" | "runner">;
  readonly turns: OpenTurns;
  /** Reads again what another process wrote until now, and goes on with what it left. */
  takeOver(): Promise<void>;
  close(): Promise<void>;
}

export interface ConversationOptions {
  readonly host: Surroundings;
  readonly flavour: Flavour;
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly log: Logger;
  readonly store: Store;
  readonly logs: Logs;
  readonly devices: Devices;
  /** What reaches the models. */
  readonly fetch: typeof fetch;
  /** Told of each request to a model. */
  readonly observer?: ModelObserver | undefined;
  /** The file that keeps what models say as it comes; undefined for none. */
  readonly rawStream?: string | undefined;
  /** Why no message is taken now; undefined when they are. */
  readonly closed: () => Failure | undefined;
}

/** Opens everything between a message and its answer; a failure closes what was opened. */
export async function openConversation(options: ConversationOptions): Promise<Conversation> {
  const cleanup = createCleanup();
  try {
    return await open(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function open(options: ConversationOptions, cleanup: Cleanup): Promise<Conversation> {
  const { host, flavour, paths, config, log, store, logs, devices, fetch, observer, closed } = options;
  const { clock } = host;
  const search = await openTextIndex({ logs, clock, log }).catch((error: unknown) => {
    log.error("the search index cannot be opened: going on without search", { error: String(error) });
    return undefined;
  });
  cleanup.add(() => search?.close());
  const cwdOf = (agentId: string): string => {
    const { value } = config.current();
    const agents = agentsOf(value);
    return workspaceOf(agents.find(({ id }) => id === agentId) ?? agents[0], value, { host, paths });
  };
  const closing = <T extends { close(): Promise<void> }>(part: T): T => {
    cleanup.add(() => part.close());
    return part;
  };
  const opening = [
    openSessions({ logs, store, clock, log, search, cwdOf, stateFolder: paths.state }).then(closing),
    openAccounts({ host, config, store, log, providers, fetch }),
    openBudget({ logs, config, clock, log }).then(closing),
  ] as const;
  // When one of them fails, what is still being opened could not be closed.
  await Promise.allSettled(opening);
  const [sessions, accounts, budget] = await Promise.all(opening);
  const media = createMedia(store);
  const uploads = closing(createUploads({ logs, store, clock, log }));
  const tools = toolsAt(host);
  const queue = (row: SessionRow) => turns.queue(row);
  const shared = { config, log, sessions, accounts, budget, flavour, version: VERSION };
  const plain = createRunner({ ...shared, host, paths, media, providers, tools, toolSpecs, fetch, queue, observer });
  const { rawStream: path } = options;
  const runner = path === undefined ? plain : withRawStream(plain, { files: filesOf(host), clock, log, path });
  const workspaceFiles = createWorkspaceFiles(host.files);
  const promptReport = promptReporter({ host, paths, config, accounts, tools, toolSpecs, workspaceFiles });
  const commands = { ...shared, clock, runner, promptReport };
  const scopesOf = (origin: Parameters<typeof scopesNow>[1]) => scopesNow(devices, origin);
  const turns = closing(await openTurns({ ...shared, clock, logs, runner, commands, closed, scopesOf }));
  // A device that is revoked is not served behind its back.
  cleanup.add(
    devices.on("revoked", () => {
      void turns.dismiss().catch((error: unknown) => log.error("the runs of a device could not be ended", { error }));
    }),
  );
  return {
    parts: { sessions, media, uploads, accounts, budget, runner },
    turns,
    async takeOver() {
      await Promise.all([sessions.reload(), budget.reload(), uploads.sweep()]);
      await turns.takeOver();
    },
    close: () => cleanup.run(),
  };
}
