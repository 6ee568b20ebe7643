import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Accounts, Route } from "../../src/model/accounts.ts";
import { openAccounts } from "../../src/model/open-accounts.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import type { ModelSpec } from "../../src/providers/provider.ts";
import { scriptedConfig, type ScriptedConfig } from "../support/app.ts";
import { type ScriptedHost, scriptedHost, type ScriptedOptions } from "../support/host.ts";

const state = "/home/me/.openclaw";
const file = `${state}/agents/main/agent/auth-profiles.json`;
const minute = 60_000;

interface Opened {
  readonly accounts: Accounts;
  readonly host: ScriptedHost;
  readonly config: ScriptedConfig;
  readonly records: readonly LogRecord[];
  /** A new process over the same disk and clock. */
  readonly again: () => Promise<Opened>;
}

async function open(options: ScriptedOptions & { config?: unknown } = {}): Promise<Opened> {
  const host = scriptedHost(options);
  const config = scriptedConfig(options.config);
  const records: LogRecord[] = [];
  const log = createLogger(() => host.clock.now(), [(record) => void records.push(record)]);
  const accounts = await openAccounts({ host, config, store: createFolderStore(host.files, state), log });
  const again = () => open({ ...options, files: {}, disk: host.files, clock: host.clock });
  return { accounts, host, config, records, again };
}

const profiles = (entries: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) => ({
  [file]: JSON.stringify({ version: 1, profiles: entries, ...more }),
});
const key = (provider: string, secret: string) => ({ type: "api_key", provider, key: secret });
const ids = (routes: readonly Route[]): readonly string[] => routes.map(({ profileId }) => profileId);
const models = (routes: readonly Route[]): readonly string[] =>
  routes.map(({ model }) => `${model.provider}/${model.id}`);
const first = async (accounts: Accounts): Promise<Route> => {
  const [route] = await accounts.routes({ agentId: "main" });
  if (!route) throw new Error("there is no route");
  return route;
};
const known = (accounts: Accounts, name: string): ModelSpec => {
  const model = accounts.find(name);
  if (!model) throw new Error(`${name} is not known`);
  return model;
};
const claude = { agents: { defaults: { model: "anthropic/claude-opus-4-5" } } };

test("without any credential and without a choice the built-in model answers", async () => {
  const { accounts } = await open();
  assert.equal(models(await accounts.routes({ agentId: "main" })), ["clawlet/echo"]);
});

test("the model of an agent is another one as soon as a credential has come or gone, or a choice was made", async () => {
  const { accounts, host, config } = await open({ files: profiles({ a: key("openai", "sk-1") }) });
  const primary = (): string | undefined => accounts.primary("main")?.provider;
  assert.is(primary(), "openai");
  await host.files.write(file, JSON.stringify({ version: 1, profiles: { a: key("google", "sk-2") } }));
  await accounts.routes({ agentId: "main" });
  assert.is(primary(), "google");
  await host.files.remove(file);
  await accounts.routes({ agentId: "main" });
  assert.is(primary(), "clawlet");
  config.become({ agents: { defaults: { model: "anthropic/claude-opus-4-5" } } });
  assert.is(primary(), "anthropic");
});

test("without a choice the first provider with a credential is asked", async () => {
  const { accounts } = await open({ env: { OPENAI_API_KEY: "sk-1" } });
  const [route] = await accounts.routes({ agentId: "main" });
  assert.is(route?.model.provider, "openai");
  assert.equal(route?.endpoint, {
    provider: "openai",
    baseUrl: "https://api.openai.com/v1",
    headers: undefined,
    credential: { kind: "api-key", secret: "sk-1" },
  });
  assert.is(route?.profileId, "env:OPENAI_API_KEY");
});

test("a chosen model without a credential is not replaced, and what would help is said", async () => {
  const { accounts } = await open({ config: claude });
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  assert.is(
    await accounts.explain({ agentId: "main" }),
    "anthropic/claude-opus-4-5 has no credential: set ANTHROPIC_API_KEY, write models.providers.anthropic.apiKey " +
      'into the configuration, or run "clawlet onboard"',
  );
});

test("an unknown model is named, and nothing else is asked in its place", async () => {
  const { accounts } = await open({ config: claude, env: { ANTHROPIC_API_KEY: "sk-1" } });
  const input = { agentId: "main", reference: "nobody/has-it" };
  assert.equal(await accounts.routes(input), []);
  assert.match(await accounts.explain(input), /there is no model "nobody\/has-it": write provider\/model/);
});

test("fallbacks follow with each of their credentials", async () => {
  const { accounts } = await open({
    config: { agents: { defaults: { model: { primary: "claude-opus-4-5", fallbacks: ["gpt", "openai/gpt-5"] } } } },
    env: { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "b" },
  });
  assert.equal(models(await accounts.routes({ agentId: "main" })), [
    "anthropic/claude-opus-4-5",
    "openai/gpt-5.2",
    "openai/gpt-5",
  ]);
});

test("a session's model goes before the agent's, and a reference before both", async () => {
  const { accounts } = await open({ config: claude, env: { ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "b" } });
  const row = { providerOverride: "openai", modelOverride: "gpt-5" };
  assert.equal(models(await accounts.routes({ agentId: "main", row })), ["openai/gpt-5"]);
  const reference = "anthropic/claude-haiku-4-5";
  assert.equal(models(await accounts.routes({ agentId: "main", row, reference })), [reference]);
});

test("with pictures the image model stands in for a model that cannot see", async () => {
  const see = { id: "see", input: ["text", "image"] };
  const { accounts } = await open({
    config: {
      models: { providers: { mine: { baseUrl: "http://127.0.0.1:9", models: [{ id: "blind" }, see] } } },
      agents: { defaults: { model: { primary: "mine/blind", fallbacks: ["mine/see"] }, imageModel: "openai/gpt-5" } },
    },
    env: { OPENAI_API_KEY: "b" },
  });
  const asked = models(await accounts.routes({ agentId: "main", images: true }));
  assert.equal(asked, ["openai/gpt-5", "mine/see", "mine/blind"]);
  const second = await accounts.routes({ agentId: "main", images: true, reference: "mine/see" });
  assert.equal(models(second)[0], "mine/see");
});

test("models are found by reference, bare name, alias and in any case", async () => {
  const { accounts } = await open({
    config: { agents: { defaults: { models: { "openai/gpt-5": { alias: "Quick" }, "anthropic/*": {} } } } },
    env: { ANTHROPIC_API_KEY: "a" },
  });
  const found = (name: string) => accounts.find(name)?.id;
  assert.is(found("openai/gpt-5"), "gpt-5");
  assert.is(found("OpenAI/GPT-5"), "gpt-5");
  assert.is(found("quick"), "gpt-5");
  assert.is(found("claude-haiku-4-5"), "claude-haiku-4-5");
  assert.is(found("openrouter/meta/llama-9"), "meta/llama-9");
  assert.is(found("opus"), "claude-opus-4-5");
  assert.is(found("nothing"), undefined);
  assert.is(found("nobody/nothing"), undefined);
  assert.is(found(""), undefined);
});

test("usual aliases are offered for models that can be asked and may be", async () => {
  const { accounts } = await open({ env: { ANTHROPIC_API_KEY: "a" } });
  assert.equal(Object.fromEntries(accounts.aliases()), {
    opus: "anthropic/claude-opus-4-5",
    sonnet: "anthropic/claude-sonnet-4-5",
  });
  const narrow = await open({
    config: { agents: { defaults: { models: { "openai/gpt-5": { alias: "mine" } } } } },
    env: { ANTHROPIC_API_KEY: "a" },
  });
  assert.equal(Object.fromEntries(narrow.accounts.aliases()), { mine: "openai/gpt-5" });
});

test("agents.defaults.models is an allow list when it is not empty", async () => {
  const { accounts } = await open({ config: { agents: { defaults: { models: { "openai/gpt-5": {} } } } } });
  const allowed = accounts.models().filter((model) => accounts.allowed(model));
  assert.equal(
    allowed.map(({ id }) => id),
    ["gpt-5"],
  );
});

test("mode replace leaves the described models and the built-in one", async () => {
  const { accounts } = await open({
    config: { models: { mode: "replace", providers: { openai: { apiKey: "k", models: [{ id: "gpt-5" }] } } } },
  });
  assert.equal(
    accounts.models().map(({ provider, id }) => `${provider}/${id}`),
    ["openai/gpt-5", "clawlet/echo"],
  );
});

test("what is described goes over what is known", async () => {
  const { accounts } = await open({
    config: {
      models: { providers: { openai: { models: [{ id: "gpt-5", name: "Five", contextWindow: 1000 }] } } },
      agents: { defaults: { models: { "openai/gpt-5": { params: { maxTokens: 77, temperature: 0.2 } } } } },
    },
  });
  const { name, contextWindow, maxTokens, reasoning, temperature, cost } = known(accounts, "openai/gpt-5");
  assert.equal(
    { name, contextWindow, maxTokens, reasoning, temperature },
    { name: "Five", contextWindow: 1000, maxTokens: 77, reasoning: true, temperature: 0.2 },
  );
  assert.is(cost.input, 1.25);
});

test("a wrong api or address is said once, and makes that provider unusable, no more", async () => {
  const { accounts, records, config } = await open({
    config: {
      models: {
        providers: {
          typo: { baseUrl: "http://127.0.0.1:1", api: "openai", models: [{ id: "x" }] },
          ftp: { baseUrl: "ftp://example.com", models: [{ id: "x" }] },
          secret: { baseUrl: "https://user:canary@example.com", models: [{ id: "x" }] },
          good: { baseUrl: "http://127.0.0.1:2", models: [{ id: "x" }] },
        },
      },
      agents: { defaults: { model: "typo/x" } },
    },
  });
  const warnings = () => records.map(({ message }) => message);
  assert.match(warnings()[0] ?? "", /models\.providers\.typo\.api is "openai": write one of anthropic-messages, /);
  assert.is(warnings().length, 3);
  assert.not.match(warnings().join(), /canary/);
  assert.match(await accounts.explain({ agentId: "main" }), /"typo\/x" cannot be asked: models\.providers\.typo\.api/);
  assert.equal(models(await accounts.routes({ agentId: "main", reference: "good/x" })), ["good/x"]);
  config.become(config.current().source);
  accounts.models();
  assert.is(warnings().length, 3);
});

test("threat A a key of the environment goes to its own provider's address alone", async () => {
  const { accounts } = await open({
    env: { OPENAI_API_KEY: "canary-openai", ANTHROPIC_API_KEY: "canary-anthropic" },
    config: {
      models: { providers: { mine: { baseUrl: "https://mine.example/v1", models: [{ id: "gpt-5" }] } } },
      agents: { defaults: { model: { primary: "mine/gpt-5", fallbacks: ["openai/gpt-5"] } } },
    },
  });
  const routes = await accounts.routes({ agentId: "main" });
  assert.equal(
    routes.map(({ endpoint }) => [endpoint.baseUrl, endpoint.credential?.secret]),
    [
      ["https://mine.example/v1", undefined],
      ["https://api.openai.com/v1", "canary-openai"],
    ],
  );
});

test("threat A a profile goes to the provider it says, whatever its name, and a pin does not change that", async () => {
  const { accounts } = await open({
    files: profiles({ "openai:default": key("other", "canary"), "anthropic:a": key("anthropic", "right") }),
    config: { agents: { defaults: { model: "openai/gpt-5" } } },
  });
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  assert.equal(await accounts.routes({ agentId: "main", row: { authProfileOverride: "anthropic:a" } }), []);
});

test("threat A a key goes to another address only when the configuration names it", async () => {
  const { accounts, config } = await open({
    env: { OPENAI_API_KEY: "k" },
    config: { agents: { defaults: { model: "openai/gpt-5" } } },
  });
  assert.is((await first(accounts)).endpoint.baseUrl, "https://api.openai.com/v1");
  config.become({
    models: { providers: { openai: { baseUrl: "https://proxy.example/v1/" } } },
    agents: { defaults: { model: "openai/gpt-5" } },
  });
  assert.is((await first(accounts)).endpoint.baseUrl, "https://proxy.example/v1");
});

test("threat A plain http to a public address is the person's word, and is warned of", async () => {
  const { records } = await open({
    config: {
      models: {
        providers: {
          far: { baseUrl: "http://models.example.com/v1" },
          near: { baseUrl: "http://192.168.1.5:8080/v1" },
          here: { baseUrl: "http://[::1]:8080/v1" },
        },
      },
    },
  });
  assert.is(records.length, 1);
  assert.match(records[0]?.message ?? "", /^models\.providers\.far\.baseUrl is plain http to a public address/);
});

test("credentials come in the order that is written, then listed ones, then stored ones, then plain keys", async () => {
  const { accounts } = await open({
    env: { ANTHROPIC_API_KEY: "e" },
    files: profiles(
      {
        "anthropic:stored": key("anthropic", "1"),
        "anthropic:old": key("anthropic", "2"),
        "anthropic:token": { type: "token", provider: "anthropic", token: "3" },
        "anthropic:listed": key("anthropic", "4"),
        "anthropic:first": key("anthropic", "5"),
      },
      { usageStats: { "anthropic:stored": { lastUsed: 2 }, "anthropic:old": { lastUsed: 1 } } },
    ),
    config: {
      ...claude,
      models: { providers: { anthropic: { apiKey: "c" } } },
      auth: { order: { anthropic: ["anthropic:first"] }, profiles: { "anthropic:listed": { provider: "anthropic" } } },
    },
  });
  assert.equal(ids(await accounts.routes({ agentId: "main" })), [
    "anthropic:first",
    "anthropic:listed",
    "anthropic:token",
    "anthropic:old",
    "anthropic:stored",
    "config:anthropic",
    "env:ANTHROPIC_API_KEY",
  ]);
});

test("the credential that rested longest goes first", async () => {
  const { accounts, host } = await open({
    config: claude,
    files: profiles({ "anthropic:a": key("anthropic", "1"), "anthropic:b": key("anthropic", "2") }),
  });
  const route = await first(accounts);
  await accounts.report(route, "ok");
  assert.is((await first(accounts)).profileId, "anthropic:b");
  await host.clock.advance(1000);
  await accounts.report(await first(accounts), "ok");
  assert.is((await first(accounts)).profileId, "anthropic:a");
});

test("a pinned credential is the only one, also when it is gone", async () => {
  const { accounts, host } = await open({
    config: { agents: { defaults: { model: { primary: "anthropic/claude-opus-4-5", fallbacks: ["openai/gpt-5"] } } } },
    env: { OPENAI_API_KEY: "o" },
    files: profiles({ "anthropic:a": key("anthropic", "1"), "anthropic:b": key("anthropic", "2") }),
  });
  const input = { agentId: "main", row: { authProfileOverride: "anthropic:b" } };
  assert.equal(ids(await accounts.routes(input)), ["anthropic:b", "env:OPENAI_API_KEY"]);
  host.files.put(file, JSON.stringify({ profiles: { "anthropic:a": key("anthropic", "1") } }));
  assert.equal(ids(await accounts.routes(input)), ["env:OPENAI_API_KEY"]);
  assert.match(await accounts.explain(input), /anthropic:b, which is not there any more/);
});

test("an agent's own profiles go over the main agent's", async () => {
  const { accounts } = await open({
    config: claude,
    files: {
      ...profiles({ "anthropic:default": key("anthropic", "mains"), "anthropic:more": key("anthropic", "more") }),
      [`${state}/agents/aide/agent/auth-profiles.json`]: JSON.stringify({
        profiles: { "anthropic:default": key("anthropic", "aides") },
      }),
    },
  });
  const secrets = (await accounts.routes({ agentId: "aide" })).map(({ endpoint }) => endpoint.credential?.secret);
  assert.equal(secrets, ["aides", "more"]);
});

test("threat M an agent's id is never a path", async () => {
  const { accounts } = await open({ config: claude, files: profiles({ "anthropic:a": key("anthropic", "1") }) });
  assert.equal(ids(await accounts.routes({ agentId: "../../etc" })), ["anthropic:a"]);
});

test("tokens are used until they expire", async () => {
  const { accounts, host } = await open({ config: claude });
  const expires = host.clock.now() + minute;
  host.files.put(
    file,
    JSON.stringify({
      profiles: { "anthropic:me": { type: "oauth", provider: "anthropic", access: "t", refresh: "r", expires } },
    }),
  );
  const route = await first(accounts);
  assert.equal(route.endpoint.credential, { kind: "token", secret: "t" });
  await host.clock.advance(minute);
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  assert.match(await accounts.explain({ agentId: "main" }), /anthropic:me has expired/);
});

test("a credential that holds what no credential has is not sent", async () => {
  const { accounts } = await open({ config: claude, env: { ANTHROPIC_API_KEY: "sk-1\r\nx-evil: 1" } });
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  const why = await accounts.explain({ agentId: "main" });
  assert.match(why, /env:ANTHROPIC_API_KEY holds characters that no credential has/);
  assert.not.match(why, /evil/);
});

test("a credential rests for 1, 5, 25 and 60 minutes, over restarts", async () => {
  let opened = await open({ config: claude, files: profiles({ "anthropic:a": key("anthropic", "1") }) });
  for (const minutes of [1, 5, 25, 60, 60]) {
    await opened.accounts.report(await first(opened.accounts), "rate_limit");
    opened = await opened.again();
    await opened.host.clock.advance(minutes * minute - 30_001);
    assert.equal(await opened.accounts.routes({ agentId: "main" }), [], `${minutes} minutes`);
    assert.match(await opened.accounts.explain({ agentId: "main" }), /anthropic:a rests for 1 min/);
    // Within half a minute it is waited for.
    await opened.host.clock.advance(1);
    assert.equal(ids(await opened.accounts.routes({ agentId: "main" })), ["anthropic:a"]);
    await opened.host.clock.advance(30_000);
  }
});

test("failures of the same minute are one, and what the provider says goes before", async () => {
  const { accounts, host } = await open({ config: claude, env: { ANTHROPIC_API_KEY: "1" } });
  const route = await first(accounts);
  for (let turn = 0; turn < 3; turn++) await accounts.report(route, "overloaded");
  await host.clock.advance(minute);
  assert.is((await accounts.routes({ agentId: "main" })).length, 1);
  await accounts.report(route, "rate_limit", 10 * minute);
  await host.clock.advance(9 * minute);
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  await host.clock.advance(minute);
  assert.is((await accounts.routes({ agentId: "main" })).length, 1);
});

test("without credit a credential rests for 5 hours, doubling to 24; a refused one for less", async () => {
  const { accounts, host, again } = await open({
    config: claude,
    files: profiles({ "anthropic:a": key("anthropic", "1"), "anthropic:b": key("anthropic", "2") }),
  });
  const [a, b] = await accounts.routes({ agentId: "main" });
  if (!a || !b) throw new Error("there are no routes");
  await accounts.report(a, "billing");
  await accounts.report(b, "auth");
  assert.match(
    await accounts.explain({ agentId: "main" }),
    /anthropic:a rests for 5 h: .* no credit.* anthropic:b rests for 25 min: .* refused/,
  );
  await host.clock.advance(5 * 60 * minute);
  await accounts.report(a, "billing");
  assert.match(await (await again()).accounts.explain({ agentId: "main" }), /anthropic:a rests for 10 h/);
  const stats = JSON.parse(host.files.snapshot()[file] ?? "").usageStats["anthropic:a"];
  assert.is(stats.disabledReason, "billing");
  assert.is(stats.disabledUntil, host.clock.now() + 10 * 60 * minute);
});

test("a success forgets what was held against a credential, and so does time", async () => {
  const { accounts, host } = await open({ config: claude, files: profiles({ "anthropic:a": key("anthropic", "1") }) });
  const route = await first(accounts);
  await accounts.report(route, "rate_limit");
  await accounts.report(route, "ok");
  assert.equal(JSON.parse(host.files.snapshot()[file] ?? "").usageStats, {
    "anthropic:a": { lastUsed: host.clock.now(), errorCount: 0 },
  });
  await accounts.report(route, "rate_limit");
  await host.clock.advance(25 * 60 * minute);
  await accounts.report(route, "rate_limit");
  await host.clock.advance(minute);
  assert.is((await accounts.routes({ agentId: "main" })).length, 1);
});

test("a broken line or a wrong request is not held against the credential", async () => {
  const { accounts } = await open({ config: claude, env: { ANTHROPIC_API_KEY: "1" } });
  const route = await first(accounts);
  for (const kind of ["network", "timeout", "format", "context_length", "refusal", "no_model", "unknown"] as const)
    await accounts.report(route, kind);
  assert.is((await accounts.routes({ agentId: "main" })).length, 1);
});

test("a key that was replaced begins anew", async () => {
  const { accounts, config } = await open({
    config: { ...claude, models: { providers: { anthropic: { apiKey: "old" } } } },
  });
  await accounts.report(await first(accounts), "auth");
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  config.become({ ...claude, models: { providers: { anthropic: { apiKey: "new" } } } });
  assert.is((await first(accounts)).endpoint.credential?.secret, "new");
});

test("rests are on the disk at once, uses within a minute, and what else is in the file stays", async () => {
  const { accounts, host } = await open({
    config: claude,
    files: profiles(
      { "anthropic:a": { ...key("anthropic", "1"), note: "mine" } },
      {
        lastGood: { anthropic: "x" },
        usageStats: { "anthropic:a": { strange: 1, lastUsed: 5 }, other: { errorCount: 3 } },
      },
    ),
  });
  const route = await first(accounts);
  await accounts.report(route, "ok");
  const before = host.files.operations;
  await accounts.report(route, "ok");
  assert.is(host.files.operations, before);
  await accounts.report(route, "rate_limit");
  const written = JSON.parse(host.files.snapshot()[file] ?? "");
  assert.equal(written.lastGood, { anthropic: "x" });
  assert.is(written.profiles["anthropic:a"].note, "mine");
  assert.equal(written.usageStats.other, { errorCount: 3 });
  assert.is(written.usageStats["anthropic:a"].strange, 1);
  assert.is(written.usageStats["anthropic:a"].cooldownUntil, host.clock.now() + minute);
  assert.is((await host.files.stat(file))?.mode, 0o600);
});

test("threat S the file of credentials stays for its owner alone", async () => {
  const { accounts, host } = await open({ config: claude });
  host.files.put(file, JSON.stringify({ profiles: { "anthropic:a": key("anthropic", "1") } }), 0o644);
  await accounts.report(await first(accounts), "rate_limit");
  assert.is((await host.files.stat(file))?.mode, 0o600);
});

test("a damaged file stops nothing and is left as it is", async () => {
  const { accounts, host, records } = await open({
    config: claude,
    env: { ANTHROPIC_API_KEY: "1" },
    files: { [file]: "{ half" },
  });
  const route = await first(accounts);
  await accounts.report(route, "rate_limit");
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  assert.is(host.files.snapshot()[file], "{ half");
  assert.is(records.filter(({ message }) => message.includes("is not a JSON object")).length, 1);
});

test("a disk that cannot be written does not stop a rest", async () => {
  const { accounts, host, records } = await open({
    config: claude,
    files: profiles({ "anthropic:a": key("anthropic", "canary") }),
  });
  const route = await first(accounts);
  host.files.before = (operation) => {
    if (operation === "write") throw new Error("no space left");
  };
  await accounts.report(route, "rate_limit");
  await accounts.report(route, "rate_limit");
  assert.equal(await accounts.routes({ agentId: "main" }), []);
  assert.is(records.length, 1);
  assert.not.match(JSON.stringify(records), /canary/);
});

test("thinking levels are those of the model, and the default is one of them", async () => {
  const { accounts, config } = await open();
  const of = (name: string) => known(accounts, name);
  assert.equal(accounts.thinkingLevels(of("openai/gpt-4o")), ["off"]);
  assert.is(accounts.defaultThinking(of("openai/gpt-4o")), "off");
  assert.is(accounts.thinkingLevels(of("openai/gpt-5.2")).at(-1), "xhigh");
  assert.is(accounts.thinkingLevels(of("anthropic/claude-opus-4-5")).at(-1), "high");
  assert.is(accounts.defaultThinking(of("anthropic/claude-opus-4-5")), "low");
  config.become({ agents: { defaults: { thinkingDefault: "xhigh" } } });
  assert.is(accounts.defaultThinking(of("anthropic/claude-opus-4-5")), "high");
  assert.is(accounts.defaultThinking(of("openai/gpt-5.2")), "xhigh");
});

test.run();
