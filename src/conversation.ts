import { withRawStream } from "./agent/raw-stream.ts";
import { createRunner } from "./agent/run.ts";
import { agentsOf, workspaceOf } from "./agent/roster.ts";
import { createWorkspaceFiles } from "./agent/workspace-files.ts";
import type { App } from "./app.ts";
import { openBudget } from "./budget/open-budget.ts";
import { channels } from "./channels/index.ts";
import type { Browsers } from "./browser/browser.ts";
import type { ConfigStore } from "./config/config.ts";
import { scopesNow } from "./flow/chat-input.ts";
import type { Answers } from "./flow/answers.ts";
import type { Intake } from "./flow/intake.ts";
import { createNetworks } from "./flow/networks.ts";
import { openTurns, type OpenTurns } from "./flow/open-turns.ts";
import { openOutbox, type Delivery } from "./flow/outbox.ts";
import { showTyping } from "./flow/typing.ts";
import { promptReporter } from "./flow/slash/prompt-report.ts";
import type { Flavour } from "./host/flavour.ts";
import { filesOf, type Surroundings } from "./host/host.ts";
import { join, type Paths } from "./host/paths.ts";
import { createCleanup, type Cleanup } from "./kit/cleanup.ts";
import type { Failure } from "./kit/error.ts";
import { later } from "./kit/later.ts";
import type { Logger } from "./kit/log.ts";
import { VERSION } from "./kit/version.ts";
import { openAccounts } from "./model/open-accounts.ts";
import type { ModelObserver } from "./observe/observer.ts";
import type { Devices } from "./pairing/devices.ts";
import type { Senders } from "./pairing/senders.ts";
import { providers } from "./providers/index.ts";
import { createMedia } from "./session/media.ts";
import { openSessions } from "./session/open-sessions.ts";
import type { SessionRow } from "./session/sessions.ts";
import { openTextIndex } from "./session/text-index.ts";
import type { Logs } from "./store/log.ts";
import type { Store } from "./store/store.ts";
import { createUploads } from "./store/uploads.ts";
import { tools, toolSpecs } from "./tools/index.ts";
import type { ToolJobs, ToolParts, ToolUser } from "./tools/tool.ts";

/** What a gateway talks with: sessions, models, and the way from a message to its answer. */
export interface Conversation {
  readonly parts: Pick<
    App,
    "sessions" | "media" | "uploads" | "accounts" | "budget" | "runner" | "networks" | "outbox" | "toolParts"
  >;
  readonly turns: OpenTurns;
  /** Opens the chat networks, as far as they may be now, and goes on with what waits to be sent. */
  start(): void;
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
  readonly senders: Senders;
  /** Paths of the gateway's port that no chat network may have. */
  readonly reserved: readonly string[];
  /** Why no chat network may be opened now; undefined when they may. */
  readonly silent: () => Failure | undefined;
  /** How some account of a chat network fares has changed. */
  readonly networksChanged: () => void;
  /** What reaches the models and the chat networks. */
  readonly fetch: typeof fetch;
  /** Told of each request to a model. */
  readonly observer?: ModelObserver | undefined;
  /** The file that keeps what models say as it comes; undefined for none. */
  readonly rawStream?: string | undefined;
  /** Why no message is taken now; undefined when they are. */
  readonly closed: () => Failure | undefined;
  /** What a session is to be told before its next message; undefined for nothing. */
  readonly remarks?: ((sessionKey: string) => string | undefined) | undefined;
  /** The scheduled jobs that somebody may use. */
  readonly jobs?: ((user: ToolUser) => ToolJobs | undefined) | undefined;
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
  const { host, flavour, paths, config, log, store, logs, devices, senders, fetch, observer, closed } = options;
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
  // Loaded when an agent could use one: a gateway starts without.
  let browsers: Browsers | undefined;
  const openBrowsers = later(async (): Promise<Browsers> => {
    const { createBrowsers } = await import("./browser/browser.ts");
    const settings = () => config.current().value.browser;
    const folder = join(paths.state, "browser");
    browsers = createBrowsers({ host, log: log.child("browser"), folder, settings });
    return browsers;
  });
  cleanup.add(() => browsers?.close());
  const toolParts = async (user: ToolUser): Promise<ToolParts> => {
    const [opened, { ownChats }] = await Promise.all([openBrowsers(), import("./flow/own-chats.ts")]);
    const ground = { clock, config, host, paths, media, networks, outbox, senders, sessions, turns };
    return {
      browser: (await opened.available()) ? opened.of(user.agentId) : undefined,
      chats: ownChats(ground, user),
      jobs: options.jobs?.(user),
    };
  };
  const queue = (row: SessionRow) => turns.queue(row);
  const shared = { config, log, sessions, accounts, budget, flavour, version: VERSION };
  const plain = createRunner({
    ...shared,
    host,
    paths,
    media,
    providers,
    tools,
    toolSpecs,
    toolParts,
    fetch,
    queue,
    observer,
  });
  const { rawStream: path } = options;
  const runner = path === undefined ? plain : withRawStream(plain, { files: filesOf(host), clock, log, path });
  const workspaceFiles = createWorkspaceFiles(host.files);
  const promptReport = promptReporter({ host, paths, config, accounts, tools, toolSpecs, toolParts, workspaceFiles });
  const commands = { ...shared, clock, runner, promptReport };
  const scopesOf = (origin: Parameters<typeof scopesNow>[1]) => scopesNow(devices, origin);
  const plan = (delivery: Delivery): Promise<void> => outbox.plan(delivery);
  // So are these, with the first message of a chat network.
  const openAnswers = later(async () => {
    const { createAnswers } = await import("./flow/answers.ts");
    return createAnswers({ host, paths, config, sessions, media, outbox: { plan } });
  });
  const answers: Answers = {
    async send(id, input, said) {
      if (input.reply) await (await openAnswers()).send(id, input, said);
    },
  };
  const turns = closing(
    await openTurns({ ...shared, clock, logs, runner, commands, closed, scopesOf, answers, remarks: options.remarks }),
  );
  const openIntake = later(async () => {
    const { createIntake } = await import("./flow/intake.ts");
    return createIntake({ clock, log, config, turns, sessions, senders, media, program: host.name });
  });
  const intake: Intake = { receive: async (from, message) => (await openIntake()).receive(from, message) };
  // Closed after the outbox, which sends through them, and before the turns: what they take has to be written down.
  const networks = closing(
    createNetworks({
      kinds: channels,
      host,
      log: log.child("channels"),
      store,
      fetch,
      random: Math.random,
      intake,
      reserved: options.reserved,
      section: () => config.current().value.channels,
      environment: () => config.environment?.() ?? host.env,
      closed: options.silent,
      changed: options.networksChanged,
      ready: (channel, accountId) => outbox.ready(channel, accountId),
    }),
  );
  const account = (channel: string, accountId: string) => networks.open(channel, accountId);
  cleanup.add(showTyping({ clock, log, turns, sessions, account }));
  const outbox = closing(
    await openOutbox({
      clock,
      log: log.child("outbox"),
      logs,
      random: Math.random,
      media,
      account,
      async undelivered({ id, sessionKey, to }, why) {
        const text = `This was not delivered to ${to.channel}: ${why}`;
        await turns.inject({ sessionKey, text, runId: `undelivered:${id}` });
      },
    }),
  );
  // A device that is revoked is not served behind its back.
  cleanup.add(
    devices.on("revoked", () => {
      void turns.dismiss().catch((error: unknown) => log.error("the runs of a device could not be ended", { error }));
    }),
  );
  return {
    parts: { sessions, media, uploads, accounts, budget, runner, networks, outbox, toolParts },
    turns,
    start() {
      budget.start();
      networks.start();
      if (!options.silent()) outbox.start();
    },
    async takeOver() {
      await Promise.all([sessions.reload(), budget.reload(), uploads.sweep()]);
      // Before the turns: an answer that the other process sent is not to be planned again.
      await outbox.takeOver();
      await turns.takeOver();
      networks.start();
    },
    close: () => cleanup.run(),
  };
}
