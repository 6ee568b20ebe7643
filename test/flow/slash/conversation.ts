import * as v from "valibot";
import type { Accounts } from "../../../src/model/accounts.ts";
import type { LedgerRow } from "../../../src/budget/budget.ts";
import type { CompactInput, CompactOutcome } from "../../../src/agent/runner.ts";
import type { ConfigStore } from "../../../src/config/config.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { parseSlash } from "../../../src/flow/slash/index.ts";
import type { SlashContext, SlashOutcome } from "../../../src/flow/slash/slash.ts";
import { flavours } from "../../../src/host/flavour.ts";
import type { ModelSpec } from "../../../src/providers/provider.ts";
import type { SessionRow } from "../../../src/session/sessions.ts";
import { createFakeClock, startOfTime } from "../../support/fake-clock.ts";

export interface Options {
  readonly config?: unknown;
  readonly row?: Partial<SessionRow>;
  readonly allowed?: (model: ModelSpec) => boolean;
  readonly running?: readonly string[];
  readonly ledger?: readonly LedgerRow[];
  readonly compact?: CompactOutcome;
  readonly promptReport?: SlashContext["promptReport"];
  /** No provider has a credential. */
  readonly locked?: boolean;
}

/** A session in which commands are said, with nothing behind it but what the test puts there. */
export function conversation(options: Options = {}) {
  const clock = createFakeClock();
  const config = v.parse(configSchema, options.config ?? { agents: { defaults: { model: "mock/m1" } } });
  const writes: string[] = [];
  const compactions: CompactInput[] = [];
  const asked: unknown[] = [];
  let row: SessionRow = { ...freshRow, ...options.row };
  const edit = (changes: Partial<SessionRow>, reason: string): Promise<SessionRow> => {
    writes.push(reason);
    row = { ...row, ...changes };
    return Promise.resolve(row);
  };
  const sessions: Pick<SlashContext["sessions"], "change" | "reset"> = {
    change: (_, change, reason) => edit(change(row), reason),
    reset: (_, reason) => edit({ sessionId: `${row.sessionId}-next`, totalTokens: 0 }, reason),
  };
  const context = {
    config: { current: () => ({ value: config }) } as ConfigStore,
    clock,
    flavour: flavours.clawdbot,
    version: "1.2.3",
    // Whatever else a command would ask of the sessions is not there, and fails the test.
    sessions: sessions as SlashContext["sessions"],
    accounts: accountsOf(config.agents.defaults.model as string, options),
    budget: {
      reserve: () => Promise.reject(new Error("commands spend nothing")),
      totals(query) {
        asked.push(query);
        return Promise.resolve(options.ledger ?? []);
      },
    },
    runner: {
      run: () => Promise.reject(new Error("commands run nothing")),
      compact(input) {
        compactions.push(input);
        return Promise.resolve(options.compact ?? { compacted: true, tokensBefore: 0, tokensAfter: 0 });
      },
    },
    queue: ({ queue }) => ({ mode: "collect", debounceMs: 1000, cap: 20, drop: "summarize", ...queue, depth: 2 }),
    abort: () => Promise.resolve(options.running ?? []),
    promptReport: options.promptReport ?? (() => Promise.resolve(undefined)),
  } satisfies SlashContext;

  /** What comes of a message that is a command. */
  const outcome = async (text: string): Promise<SlashOutcome> => {
    const parsed = parseSlash(text);
    if (!parsed) throw new Error(`${text} is no command`);
    return parsed.command.run({
      args: parsed.args,
      row,
      input: {
        runId: "run-1",
        sessionKey: row.key,
        agentId: row.agentId,
        content: [{ type: "text", text }],
        commands: true,
        origin: { channel: "webchat", sender: "cli", scopes: ["operator.admin"] },
      },
      context,
      signal: new AbortController().signal,
    });
  };
  /** The same for a command that leaves nothing to the model. */
  const reply = async (text: string): Promise<string> => {
    const { reply = "", ...rest } = await outcome(text);
    if (Object.keys(rest).length > 0) throw new Error(`more than a reply: ${JSON.stringify(rest)}`);
    return reply;
  };
  return { context, writes, compactions, asked, row: () => row, outcome, reply };
}

const freshRow: SessionRow = {
  key: "agent:main:main",
  agentId: "main",
  sessionId: "session-1",
  createdAt: startOfTime,
  updatedAt: startOfTime,
  startedAt: startOfTime,
  kind: "direct",
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  compactionCount: 0,
  systemSent: false,
  abortedLastRun: false,
};

export const catalogue: readonly ModelSpec[] = [
  spec("mock", "m1", { contextWindow: 100_000 }),
  spec("mock", "m2"),
  spec("anthropic", "claude-opus-4-5", { reasoning: true }),
  spec("openai", "gpt-5.2", { reasoning: true }),
  spec("openai", "gpt-5-mini", { reasoning: true }),
  ...Array.from({ length: 90 }, (_, n) => spec("openrouter", `vendor/model-${n}`)),
];

function spec(provider: string, id: string, more: Partial<ModelSpec> = {}): ModelSpec {
  return {
    provider,
    id,
    name: id,
    api: "openai-completions",
    reasoning: false,
    images: false,
    contextWindow: 200_000,
    maxTokens: 8000,
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    compat: {},
    ...more,
  };
}

function accountsOf(primary: string, { allowed = () => true, locked = false }: Options): Accounts {
  const aliases = new Map([["opus", "anthropic/claude-opus-4-5"]]);
  const find = (reference: string): ModelSpec | undefined => {
    const wanted = aliases.get(reference.toLowerCase()) ?? reference;
    return catalogue.find(({ provider, id }) => wanted === `${provider}/${id}` || wanted === id);
  };
  return {
    models: () => catalogue,
    primary: () => undefined,
    find,
    allowed,
    aliases: () => aliases,
    routes({ row, reference }) {
      const chosen = row?.modelOverride === undefined ? primary : `${row.providerOverride}/${row.modelOverride}`;
      const model = find(reference ?? chosen);
      const names = model && !locked ? [`${model.provider}:default`, `${model.provider}:work`] : [];
      const endpoint = { provider: model?.provider ?? "", baseUrl: "https://example.com" };
      return Promise.resolve(model ? names.map((profileId) => ({ model, endpoint, profileId })) : []);
    },
    explain: () => Promise.resolve("No credential for mock: set MOCK_API_KEY."),
    report: () => Promise.resolve(),
    thinkingLevels({ reasoning, id }) {
      if (!reasoning) return ["off"];
      return ["off", "minimal", "low", "medium", "high", ...(id === "gpt-5.2" ? (["xhigh"] as const) : [])];
    },
    defaultThinking: ({ reasoning }) => (reasoning ? "low" : "off"),
    credentials: {
      providers: () =>
        Promise.resolve(
          ["mock", "anthropic", "openai"].map((provider) => ({
            provider,
            label: provider,
            local: false,
            variables: [],
            credentials: ["default", "work"].map((name) => ({
              profileId: `${provider}:${name}`,
              source: "profile" as const,
              type: "api_key" as const,
              state: "ready" as const,
            })),
          })),
        ),
      probe: () => Promise.reject(new Error("commands probe nothing")),
      remove: () => Promise.reject(new Error("commands remove nothing")),
    },
  };
}
