import * as v from "valibot";
import type { Accounts } from "../../src/model/accounts.ts";
import type { Runner, RunInput, RunOutcome } from "../../src/agent/runner.ts";
import type { App, Connection } from "../../src/app.ts";
import { scopesNow } from "../../src/flow/chat-input.ts";
import { openTurns, type OpenTurns } from "../../src/flow/open-turns.ts";
import type { Devices } from "../../src/pairing/devices.ts";
import { createSystemEvents } from "../../src/cron/system-events.ts";
import type { Delivery, Outbox } from "../../src/flow/outbox.ts";
import { type Automation, createAutomation } from "../../src/gateway/automation.ts";
import { createHealth } from "../../src/gateway/health.ts";
import { Failure } from "../../src/kit/error.ts";
import { methods } from "../../src/methods/index.ts";
import { Prepared, type Method } from "../../src/methods/method.ts";
import type { Caller } from "../../src/protocol/caller.ts";
import { allows } from "../../src/protocol/scope.ts";
import type { ModelSpec } from "../../src/providers/provider.ts";
import { createMedia } from "../../src/session/media.ts";
import { noUsage, textOf, type AssistantMessage } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import { rowAfter } from "../../src/session/row-after.ts";
import type { SessionRow, Sessions } from "../../src/session/sessions.ts";
import { createMemoryLogs } from "../../src/store/memory-log.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createUploads } from "../../src/store/uploads.ts";
import { scriptedApp, scriptedCaller, type ScriptedApp } from "./app.ts";
import { checkResult } from "./official.ts";
import { noCredentials } from "./no-credentials.ts";

/** An app in which people talk to agents: sessions and turns are the real ones in memory, the model is the test. */
export interface TalkingApp extends Pick<ScriptedApp, "app" | "config" | "connection" | "host"> {
  readonly turns: OpenTurns;
  /** Events that were broadcast, in order. */
  readonly events: { readonly event: string; readonly payload: unknown; readonly to: number }[];
  /** Runs that wait to be told how they end, in order. */
  readonly running: GoingRun[];
  /** What was to be sent to chats, in order. */
  readonly planned: readonly Delivery[];
  /** Jobs and heartbeats; they run from its start. */
  readonly automation: Automation;
  /** First responses of methods that have two. */
  readonly accepted: object[];
  /** Calls a method as the dispatcher does: scope, parameters, result; the last two by the official schema too. */
  readonly call: (name: string, params?: object, caller?: Partial<Caller>) => Promise<Answer>;
  /** Lets everything happen that can happen without a model. */
  readonly settle: () => Promise<void>;
  /** Says something, has the model answer it, and answers the ids of both entries. */
  readonly exchange: (sessionKey: string, message: string, answer: string) => Promise<readonly string[]>;
}

// eslint-disable-next-line typescript/no-explicit-any -- answers are read by path in assertions
export type Answer = any;

export interface GoingRun {
  readonly input: RunInput;
  end(text: string): Promise<void>;
  fail(error: Failure): void;
}

export interface TalkingOptions {
  readonly config?: object;
  readonly models?: readonly ModelSpec[];
  /** The paired devices; without them nothing is ever taken from a sender. */
  readonly devices?: Pick<Devices, "get">;
}

export async function talkingApp(options: TalkingOptions = {}): Promise<TalkingApp> {
  const { config = {}, models = twoModels, devices } = options;
  const scripted = scriptedApp({ config: { agents: { defaults: { model: "mock/m1" } }, ...config } });
  const { app: bare, host } = scripted;
  const { clock, log } = bare;
  const [logs, store] = [createMemoryLogs(), createMemoryStore()];
  const sessions = await openSessions({ logs, store, clock, log, stateFolder: bare.paths.state });
  const running: GoingRun[] = [];
  const runner = scriptedRunner(sessions, running);
  const accounts = scriptedAccounts(models);
  const systemEvents = createSystemEvents({ store, clock, log });
  const turns = await openTurns({
    clock,
    log,
    logs,
    sessions,
    runner,
    config: scripted.config,
    scopesOf: devices && ((origin) => scopesNow(devices, origin)),
    remarks: (sessionKey) => systemEvents.remarks(sessionKey),
    // The commands of these tests need no more.
    commands: { sessions, clock, runner, accounts, config: scripted.config } as never,
  });
  const events: TalkingApp["events"] = [];
  const accepted: object[] = [];
  const planned: Delivery[] = [];
  const outbox = {
    plan(delivery: Delivery) {
      planned.push(delivery);
      return Promise.resolve();
    },
  } as Pick<Outbox, "plan"> as Outbox;
  const broadcast = (event: string, payload: unknown, only: (connection: Connection) => boolean = () => true): void =>
    void events.push({ event, payload, to: [scripted.connection].filter(only).length });
  systemEvents.follow(turns);
  const automation = createAutomation({
    host,
    paths: bare.paths,
    config: scripted.config,
    log,
    store,
    turns,
    sessions,
    outbox,
    broadcast,
    events: systemEvents,
    stopped: () => undefined,
    skipped: () => undefined,
  });
  // Getters of the bare app say what a test does not have: they are taken over, not called.
  const app = Object.defineProperties({} as App, {
    ...Object.getOwnPropertyDescriptors(bare),
    ...Object.getOwnPropertyDescriptors({
      sessions,
      media: createMedia(store),
      uploads: createUploads({ logs, store, clock, log }),
      health: createHealth(host, scripted.config, { owner: () => undefined, paths: bare.paths, sessions }),
      accounts,
      runner,
      turns,
      broadcast,
      heartbeat: automation.heartbeat,
      cron: automation.cron,
      systemEvents,
    }),
  });
  const table: readonly Method[] = methods;
  const self: TalkingApp = {
    app,
    host,
    turns,
    config: scripted.config,
    connection: scripted.connection,
    events,
    running,
    accepted,
    planned,
    automation,
    async call(name, given = {}, who = {}) {
      const method = table.find((each) => each.name === name);
      if (!method) throw new Error(`no method ${name}`);
      const caller = scriptedCaller({ client: cli, ...who });
      const params = v.parse(method.params, given);
      const scope = typeof method.scope === "function" ? method.scope(params) : method.scope;
      if (scope !== "none" && !allows(caller.scopes, scope)) throw new Failure("forbidden", `missing scope: ${scope}`);
      const { signal } = new AbortController();
      const accept = (payload: object) => void accepted.push(payload);
      const answer = await method.run({ app, params, caller, connection: scripted.connection, signal, accept });
      const sent: unknown = JSON.parse(answer instanceof Prepared ? answer.json : JSON.stringify(answer));
      v.parse(method.result, sent);
      checkResult(name, sent);
      return sent;
    },
    async settle() {
      for (let turn = 0; turn < 20; turn++) await host.clock.advance(0);
    },
    async exchange(sessionKey, message, answer) {
      const idempotencyKey = `run-${crypto.randomUUID()}`;
      await self.call("chat.send", { sessionKey, message, idempotencyKey });
      await self.settle();
      await running.shift()?.end(answer);
      await self.settle();
      const { messages } = await self.call("chat.history", { sessionKey, limit: 2 });
      return messages.map((each: Answer) => each.__openclaw.id);
    },
  };
  return self;
}

/** What the failure of a call says, or what was answered when there was none. */
export function failureOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    (answer) => `answered ${JSON.stringify(answer)}`,
    (error: unknown) => (error instanceof Failure ? `${error.code}: ${error.message}` : String(error)),
  );
}

/** The row of a session that must be there. */
export function rowOf({ sessions }: App, key: string): SessionRow {
  const row = sessions.get(key);
  if (!row) throw new Error(`no session ${key}`);
  return row;
}

const cli = { id: "cli", version: "1.0", platform: "linux", mode: "cli" };

const twoModels = [spec("m1"), spec("m2", { reasoning: true, contextWindow: 50_000 })];

export function spec(id: string, more: Partial<ModelSpec> = {}): ModelSpec {
  return {
    provider: "mock",
    id,
    name: id.toUpperCase(),
    api: "openai-completions",
    reasoning: false,
    images: true,
    contextWindow: 100_000,
    maxTokens: 4096,
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    compat: {},
    ...more,
  };
}

function scriptedAccounts(models: readonly ModelSpec[]): Accounts {
  return {
    models: () => models,
    find: (reference) => models.find(({ provider, id }) => reference === `${provider}/${id}` || reference === id),
    primary: () => undefined,
    allowed: ({ id }) => id !== "forbidden",
    aliases: () => new Map(),
    routes: () => Promise.resolve([]),
    explain: () => Promise.resolve("there is no model in this test"),
    report: () => Promise.resolve(),
    thinkingLevels: ({ reasoning }) => (reasoning ? ["off", "low", "high"] : ["off"]),
    defaultThinking: ({ reasoning }) => (reasoning ? "low" : "off"),
    credentials: noCredentials,
  };
}

function scriptedRunner(sessions: Sessions, running: GoingRun[]): Runner {
  return {
    compact: ({ row }) => Promise.resolve({ compacted: true, tokensBefore: row.totalTokens, tokensAfter: 10 }),
    run: (input) =>
      new Promise((resolve) => {
        const outcome = (status: RunOutcome["status"], text: string, error?: Failure): RunOutcome => ({
          status,
          stopReason: "stop",
          usage: noUsage,
          provider: "mock",
          model: "m1",
          error,
          payloads: text === "" ? [] : [{ text }],
        });
        running.push({
          input,
          async end(text) {
            await say(sessions, input, text);
            resolve(outcome("ok", text));
          },
          fail: (error) => resolve(outcome("error", "", error)),
        });
        input.signal.addEventListener("abort", () => resolve(outcome("aborted", "")));
      }),
  };
}

/** What a real runner does with an answer: into the transcript, into the row, then to those who watch. */
async function say(sessions: Sessions, input: RunInput, text: string): Promise<void> {
  const { runId, sessionKey, sessionId, agentId } = input;
  const message: AssistantMessage = {
    role: "assistant",
    content: [{ type: "text", text }],
    api: "openai-completions",
    provider: "mock",
    model: "m1",
    usage: noUsage,
    stopReason: "stop",
    timestamp: 0,
  };
  input.emit({ type: "text", delta: textOf(message), text, itemId: "1" });
  const written = await sessions.transcript({ sessionId, agentId }).append([{ type: "message", runId, message }]);
  for (const entry of written) {
    const row = sessions.get(sessionKey);
    if (row) sessions.note(sessionKey, rowAfter(row, entry));
    input.emit({ type: "entry", entry });
  }
}
