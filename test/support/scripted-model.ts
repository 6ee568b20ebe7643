import type { Accounts, Route, RouteInput } from "../../src/model/accounts.ts";
import type { Budget, BudgetRequest } from "../../src/budget/budget.ts";
import { createRunner, type RunnerDeps } from "../../src/agent/run.ts";
import type { RunEvent, RunInput, RunOutcome, Runner } from "../../src/agent/runner.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import {
  apis,
  type Api,
  type ModelEvent,
  type ModelRequest,
  type ModelSpec,
  type Provider,
  type ProviderCall,
} from "../../src/providers/provider.ts";
import { providerFailure, type FailureKind } from "../../src/providers/provider-failure.ts";
import { usageOf } from "../../src/providers/provider-answer.ts";
import { createMedia, type Media } from "../../src/session/media.ts";
import type { AssistantMessage, Message, ToolCallPart, Usage } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { toolSpecs } from "../../src/tools/index.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { scriptedConfig } from "./app.ts";
import { scriptedHost, type ScriptedHost } from "./host.ts";
import { noCredentials } from "./no-credentials.ts";

/** One answer of a scripted model: what it streams, and how that ends. */
export interface Reply {
  /** Streamed piece by piece. */
  readonly text?: string | readonly string[];
  readonly thinking?: string;
  readonly calls?: readonly { readonly name: string; readonly id?: string; readonly arguments?: JsonObject }[];
  readonly stopReason?: AssistantMessage["stopReason"];
  /** Tokens that the request is said to have taken. */
  readonly tokens?: number;
  /** Fails with this after the text. */
  readonly fails?: FailureKind;
  readonly retryAfterMs?: number;
  /** Throws this as it is. */
  readonly throws?: unknown;
  /** Says nothing more after the text, until it is stopped. */
  readonly hangs?: boolean;
  /** The same, and does not even notice that it is stopped. */
  readonly deaf?: boolean;
  /** Ends after the text without `done`. */
  readonly vanishes?: boolean;
}

export type Script = readonly Reply[] | ((request: ModelRequest, index: number) => Reply);

/** A model that answers as the test says, and remembers what it was asked. */
export interface ScriptedModel {
  readonly provider: Provider;
  readonly requests: ModelRequest[];
  /** Streams that were begun and have not ended. */
  readonly open: number;
}

export function scriptedModel(script: Script): ScriptedModel {
  const requests: ModelRequest[] = [];
  let open = 0;
  return {
    requests,
    get open() {
      return open;
    },
    provider: {
      api: "echo",
      async *stream(request, call) {
        const index = requests.push(request) - 1;
        const reply = typeof script === "function" ? script(request, index) : script[index];
        if (!reply) throw new Error(`the script has no answer ${index + 1}`);
        open++;
        try {
          yield* events(request, { reply, index, call });
        } finally {
          open--;
        }
      },
    },
  };
}

async function* events(
  request: ModelRequest,
  { reply, index, call: { signal, ...call } }: { reply: Reply; index: number; call: ProviderCall },
): AsyncGenerator<ModelEvent> {
  const { model } = request;
  const pieces = typeof reply.text === "string" ? [reply.text] : (reply.text ?? []);
  const calls = (reply.calls ?? []).map(({ name, id, arguments: given = {} }, at): ToolCallPart => ({
    type: "toolCall",
    id: id ?? `call_${index}_${at}`,
    name,
    arguments: given,
  }));
  if (reply.thinking !== undefined) yield { type: "thinking", delta: reply.thinking };
  for (const delta of pieces) yield { type: "text", delta };
  if (reply.hangs) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  if (reply.deaf) await new Promise(() => undefined);
  if (reply.throws !== undefined) throw reply.throws;
  if (reply.fails !== undefined)
    throw providerFailure(
      `${model.provider} says ${reply.fails}`,
      { kind: reply.fails, provider: model.provider, model: model.id },
      { retryAfterMs: reply.retryAfterMs },
    );
  if (reply.vanishes) return;
  for (const call of calls) yield { type: "toolCall", call };
  const text = pieces.join("");
  const usage = reply.tokens === undefined ? usageOf(model.cost, { input: 10, output: 5 }) : counted(reply.tokens);
  yield {
    type: "done",
    message: {
      role: "assistant",
      content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls],
      api: model.api,
      provider: model.provider,
      model: model.id,
      usage,
      stopReason: reply.stopReason ?? (calls.length > 0 ? "toolUse" : "stop"),
      timestamp: call.now(),
    },
  };
}

function counted(tokens: number): Usage {
  return usageOf({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, { input: tokens, output: 0 });
}

export function modelSpec(more: Partial<ModelSpec> = {}): ModelSpec {
  return {
    provider: "test",
    id: "one",
    name: "One",
    api: "echo",
    reasoning: false,
    images: true,
    contextWindow: 200_000,
    maxTokens: 8000,
    cost: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
    compat: {},
    ...more,
  };
}

export function routeTo(model: ModelSpec, profileId = `${model.provider}:default`): Route {
  return { model, profileId, endpoint: { provider: model.provider, baseUrl: "https://model.test" } };
}

export interface ScriptedAccounts extends Accounts {
  readonly reports: { readonly profileId: string; readonly outcome: "ok" | FailureKind }[];
  /** What routes were asked for. */
  readonly inputs: RouteInput[];
}

export function scriptedAccounts(routes: readonly Route[]): ScriptedAccounts {
  const reports: ScriptedAccounts["reports"] = [];
  const inputs: RouteInput[] = [];
  return {
    reports,
    inputs,
    models: () => routes.map(({ model }) => model),
    find: (reference) => routes.find(({ model }) => `${model.provider}/${model.id}` === reference)?.model,
    primary: () => undefined,
    allowed: () => true,
    aliases: () => new Map(),
    routes: (input) => Promise.resolve((inputs.push(input), routes)),
    explain: () => Promise.resolve("no model can be asked: set TEST_API_KEY"),
    report: ({ profileId }, outcome) => Promise.resolve(void reports.push({ profileId, outcome })),
    thinkingLevels: () => ["off", "low", "high"],
    defaultThinking: () => "off",
    credentials: noCredentials,
  };
}

export interface ScriptedBudget extends Budget {
  readonly reserved: readonly BudgetRequest[];
  readonly settled: readonly (Usage | undefined)[];
}

/** A budget that allows everything; `refuse` throws to refuse, or answers a warning. */
export function scriptedBudget(
  refuse: (request: BudgetRequest) => string | undefined = () => undefined,
): ScriptedBudget {
  const reserved: BudgetRequest[] = [];
  const settled: (Usage | undefined)[] = [];
  return {
    reserved,
    settled,
    reserve: async (request) => {
      const warning = refuse(request);
      reserved.push(request);
      return { warning, settle: async (usage) => void settled.push(usage) };
    },
    totals: () => Promise.resolve([]),
  };
}

export interface ScriptedRunner {
  readonly host: ScriptedHost;
  readonly runner: Runner;
  readonly sessions: Sessions;
  readonly media: Media;
  readonly model: ScriptedModel;
  readonly accounts: ScriptedAccounts;
  readonly budget: ScriptedBudget;
  readonly records: readonly LogRecord[];
  /** What the runs so far emitted. */
  readonly events: RunEvent[];
  /** Writes a person's message. */
  readonly say: (text: string) => Promise<void>;
  /** Writes messages as they are. */
  readonly write: (...messages: readonly Message[]) => Promise<void>;
  readonly run: (more?: Partial<RunInput>) => Promise<RunOutcome>;
  readonly entries: () => Promise<readonly Entry[]>;
  /** Messages of the active path. */
  readonly messages: () => Promise<readonly Message[]>;
}

export interface ScriptedRunnerOptions {
  readonly config?: unknown;
  readonly routes?: readonly Route[];
  readonly tools?: readonly Tool[];
  readonly budget?: ScriptedBudget;
  readonly accounts?: ScriptedAccounts;
  readonly host?: ScriptedHost;
}

export const sessionKey = "agent:main:main";

/** A runner over sessions in memory and a model that answers as the test says. */
export async function scriptedRunner(script: Script, options: ScriptedRunnerOptions = {}): Promise<ScriptedRunner> {
  const host = options.host ?? scriptedHost();
  const config = scriptedConfig(options.config ?? { agents: { defaults: { skipBootstrap: true } } });
  const paths = pathsOf(host, flavours.openclaw, "");
  const records: LogRecord[] = [];
  const log = createLogger(() => host.clock.now(), [(record) => void records.push(record)]);
  const store = createMemoryStore();
  const logs = createFolderLogs(host.files, paths.state);
  const sessions = await openSessions({ logs, store, clock: host.clock, log, stateFolder: paths.state });
  const media = createMedia(store);
  const model = scriptedModel(script);
  const accounts = options.accounts ?? scriptedAccounts(options.routes ?? [routeTo(modelSpec())]);
  const budget = options.budget ?? scriptedBudget();
  const providers = Object.fromEntries(apis.map((api) => [api, model.provider])) as Record<Api, Provider>;
  const deps: RunnerDeps = {
    host,
    config,
    paths,
    log,
    sessions,
    media,
    accounts,
    budget,
    providers,
    toolSpecs,
    flavour: flavours.openclaw,
    version: "0.1.0",
    tools: options.tools ?? [],
    fetch: Object.assign(() => Promise.reject(new Error("this test reaches no network")), {
      preconnect: () => undefined,
    }),
  };
  const runner = createRunner(deps);
  const events: RunEvent[] = [];
  const { sessionId } = await sessions.ensure(sessionKey, { agentId: "main" });
  const transcript = sessions.transcript({ sessionId, agentId: "main" });
  const write = async (...messages: readonly Message[]): Promise<void> => {
    await transcript.append(messages.map((message) => ({ type: "message", message })));
  };
  const entries = () => transcript.page({ limit: 1000 });
  let runs = 0;
  return {
    host,
    runner,
    sessions,
    media,
    model,
    accounts,
    budget,
    records,
    events,
    write,
    entries,
    say: (text) => write({ role: "user", content: [{ type: "text", text }], timestamp: host.clock.now() }),
    run: (more = {}) =>
      runner.run({
        runId: `run-${++runs}`,
        sessionKey,
        sessionId,
        agentId: "main",
        signal: new AbortController().signal,
        emit: (event) => void events.push(event),
        ...more,
      }),
    messages: async () => (await entries()).flatMap((entry) => (entry.type === "message" ? [entry.message] : [])),
  };
}
