import * as v from "valibot";
import type { Accounts } from "../../src/model/accounts.ts";
import type { Budget } from "../../src/budget/budget.ts";
import { catalogueOf } from "../../src/model/catalogue.ts";
import type { App, Connection } from "../../src/app.ts";
import type { ConfigSnapshot, ConfigStore, ConfigWrite } from "../../src/config/config.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createCron } from "../../src/cron/cron.ts";
import { heartbeatsOf } from "../../src/cron/heartbeat-settings.ts";
import { createSystemEvents } from "../../src/cron/system-events.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createHealth } from "../../src/gateway/health.ts";
import { createPresence } from "../../src/gateway/presence.ts";
import type { Networks } from "../../src/flow/networks.ts";
import type { Outbox } from "../../src/flow/outbox.ts";
import type { Turns } from "../../src/flow/turns.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { methods } from "../../src/methods/index.ts";
import { Prepared, type Method } from "../../src/methods/method.ts";
import type { Caller } from "../../src/protocol/caller.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import { scriptedHost, type ScriptedHost, type ScriptedOptions } from "./host.ts";
import { noCredentials } from "./no-credentials.ts";
import { scriptedNetworks } from "./scripted-channel.ts";

/** A configuration in memory, in the state that the test says. */
export interface ScriptedConfig extends ConfigStore {
  /** The file was changed to this; whoever listens is told. */
  become(value: unknown, more?: Partial<ConfigSnapshot>, changedPaths?: readonly string[]): void;
}

export function scriptedConfig(value: unknown = {}, path = "/home/me/.openclaw/openclaw.json"): ScriptedConfig {
  const listeners = new Set<(write: ConfigWrite) => void>();
  const refuse = (): Promise<never> => Promise.reject(new Error("this test does not write the configuration"));
  const snapshotOf = (source: unknown): ConfigSnapshot => ({
    path,
    exists: true,
    raw: JSON.stringify(source),
    hash: "0".repeat(64),
    parsed: source,
    source,
    value: v.parse(configSchema, source),
    valid: true,
    issues: [],
    warnings: [],
    unknownKeys: [],
    disabled: [],
    unsafe: [],
  });
  let snapshot = snapshotOf(value);
  return {
    current: () => snapshot,
    reload: () => Promise.resolve(snapshot),
    redacted: (part) => part,
    replace: refuse,
    patch: refuse,
    set: refuse,
    rollback: refuse,
    history: () => Promise.resolve([]),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    become(next, more = {}, changedPaths = []) {
      snapshot = { ...snapshotOf(next), ...more };
      for (const listener of listeners) listener({ snapshot, changedPaths });
    },
  };
}

export function scriptedCaller(more: Partial<Caller> = {}): Caller {
  return {
    connId: "conn-1",
    protocol: 4,
    role: "operator",
    scopes: new Set(["operator.admin"]),
    method: "token",
    client: { id: "test", version: "1.0", platform: "linux", mode: "ui" },
    caps: new Set(),
    address: "127.0.0.1",
    local: true,
    ...more,
  };
}

/** Sessions of which there are none: for tests of what only counts them. */
export const noSessions = {
  size: 0,
  get: () => undefined,
  bySessionId: () => undefined,
  list: () => ({ rows: [], total: 0 }),
  onChange: () => () => undefined,
} as Pick<Sessions, "size" | "get" | "bySessionId" | "list" | "onChange"> as Sessions;

/** The models of the configuration, and no credential for any. */
function catalogueAccounts(config: ConfigStore): Accounts {
  const catalogue = () => catalogueOf(config.current().value);
  return {
    models: () => catalogue().models,
    find: (reference) => catalogue().find(reference),
    primary: () => undefined,
    allowed: (model) => catalogue().allowed(model),
    aliases: () => new Map(),
    routes: () => Promise.resolve([]),
    explain: () => Promise.resolve("this test has no credentials"),
    report: () => Promise.resolve(),
    thinkingLevels: () => ["off"],
    defaultThinking: () => "off",
    credentials: noCredentials,
  };
}

const noTurns = { active: () => undefined, pending: () => [] } as Pick<Turns, "active" | "pending"> as Turns;
const noWake = (): void => undefined;
const nothingSpent = { totals: () => Promise.resolve([]) } as Pick<Budget, "totals"> as Budget;

export interface ScriptedApp {
  readonly app: App;
  readonly host: ScriptedHost;
  readonly config: ScriptedConfig;
  readonly connection: Connection;
  readonly records: readonly LogRecord[];
  /** Calls a method as the table has it, and answers what a client would receive, held to the method's own schema. */
  readonly call: (
    name: string,
    params?: Readonly<Record<string, unknown>>,
    caller?: Partial<Caller>,
  ) => Promise<unknown>;
}

/** What methods are given, over a machine that exists only in the test. Devices and nodes are for their own tests. */
export function scriptedApp(
  options: ScriptedOptions & { config?: unknown; networks?: Networks; outbox?: Outbox } = {},
): ScriptedApp {
  const host = scriptedHost(options);
  const config = scriptedConfig(options.config);
  const paths = pathsOf(host, flavours.openclaw, "");
  const records: LogRecord[] = [];
  const table: readonly Method[] = methods;
  const { networks = scriptedNetworks([]) } = options;
  const log = createLogger(() => host.clock.now(), [(record) => void records.push(record)]);
  const store = createMemoryStore();
  const events = createSystemEvents({ store, clock: host.clock, log });
  const app: App = {
    host,
    clock: host.clock,
    log,
    toolParts: async () => ({}),
    flavour: flavours.openclaw,
    paths,
    info: {
      version: "0.1.0",
      bootId: "boot-1",
      pid: host.processes.pid,
      startedAt: host.clock.now(),
      port: 18_789,
      bind: "loopback",
      authMode: "token",
      owner: () => undefined,
    },
    config,
    identity: { deviceId: "d".repeat(64), publicKey: "k".repeat(43), sign: () => Promise.resolve("") },
    sessions: noSessions,
    accounts: catalogueAccounts(config),
    get media(): never {
      throw new Error("this test has no media");
    },
    get uploads(): never {
      throw new Error("this test has no uploads");
    },
    budget: nothingSpent,
    get runner(): never {
      throw new Error("this test has no runner");
    },
    turns: noTurns,
    networks,
    get outbox(): Outbox {
      if (options.outbox) return options.outbox;
      throw new Error("this test has no outbox");
    },
    get devices(): never {
      throw new Error("this test has no devices");
    },
    get senders(): never {
      throw new Error("this test has no senders");
    },
    get nodes(): never {
      throw new Error("this test has no nodes");
    },
    presence: createPresence(host, () => undefined),
    health: createHealth(host, config, {
      owner: () => undefined,
      paths,
      sessions: noSessions,
      networks: () => networks.accounts(),
    }),
    heartbeat: { last: () => null, enabled: true, settings: () => heartbeatsOf(config.current().value), wake: noWake },
    cron: createCron({
      clock: host.clock,
      log,
      store,
      turns: noTurns,
      sessions: noSessions,
      events,
      wake: noWake,
      stopped: () => "this test runs no jobs",
      maxRuns: () => 1,
      agentOf: () => ({ agentId: "main", mainKey: "agent:main:main" }),
      replyTo: () => undefined,
      tell: () => undefined,
    }),
    systemEvents: events,
    connections: { all: () => [], close: () => undefined, count: () => 0 },
    broadcast: () => undefined,
    methodNames: () => table.map(({ name }) => name),
    eventNames: () => [],
    restart: () => undefined,
    tellAfterRestart: () => Promise.resolve(),
  };
  const connection: Connection = {
    caller: scriptedCaller(),
    connectedAt: host.clock.now(),
    subscriptions: new Set(),
    push: () => undefined,
    close: () => undefined,
  };
  return {
    app,
    host,
    config,
    connection,
    records,
    async call(name, params = {}, more = {}) {
      const method = table.find((each) => each.name === name);
      if (!method) throw new Error(`no method ${name}`);
      const { signal } = new AbortController();
      const accept = () => undefined;
      const given = {
        app,
        params: v.parse(method.params, params),
        caller: scriptedCaller(more),
        connection,
        signal,
        accept,
      };
      const answer = await method.run(given);
      const sent: unknown = JSON.parse(answer instanceof Prepared ? answer.json : JSON.stringify(answer));
      v.parse(method.result, sent);
      return sent;
    },
  };
}
