import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { openAccounts } from "../../src/model/open-accounts.ts";
import type { App } from "../../src/app.ts";
import { modelMethods } from "../../src/methods/models.ts";
import type { Method } from "../../src/methods/method.ts";
import { providers } from "../../src/providers/index.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerFailure } from "../../src/providers/provider-failure.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { scriptedApp, scriptedCaller, type ScriptedApp } from "../support/app.ts";
import { type Answer, failureOf } from "../support/doubles.ts";
import type { ScriptedOptions } from "../support/host.ts";
import { checkParams, checkResult } from "../support/official.ts";

const file = "/home/me/.openclaw/agents/main/agent/auth-profiles.json";

interface World extends ScriptedApp {
  readonly ask: (name: string, params?: object, caps?: readonly string[]) => Promise<Answer>;
}

async function world(
  options: ScriptedOptions & { config?: unknown; provider?: Provider["stream"] } = {},
): Promise<World> {
  const scripted = scriptedApp(options);
  const { host, config, app: bare } = scripted;
  const mock: Provider = {
    api: "openai-completions",
    stream: (request, call) => (options.provider ?? ((...given) => providers.echo.stream(...given)))(request, call),
  };
  const accounts = await openAccounts({
    host,
    config,
    store: createFolderStore(host.files, bare.paths.state),
    log: bare.log,
    providers: { ...providers, "openai-completions": mock },
  });
  const app: App = Object.create(bare, { accounts: { value: accounts } });
  const table: readonly Method[] = modelMethods;
  return {
    ...scripted,
    app,
    async ask(name, given = {}, caps = []) {
      const method = table.find((each) => each.name === name);
      if (!method) throw new Error(`no method ${name}`);
      checkParams(name, given);
      const params = v.parse(method.params, given);
      const caller = scriptedCaller({ caps: new Set(caps) });
      const { signal } = new AbortController();
      const accept = () => assert.unreachable();
      const answer = await method.run({ app, params, caller, connection: scripted.connection, signal, accept });
      const sent: unknown = JSON.parse(JSON.stringify(answer));
      v.parse(method.result, sent);
      // What clients with capabilities get beside is not published.
      if (caps.length === 0) checkResult(name, sent);
      return sent;
    },
  };
}

const config = {
  models: {
    providers: {
      mock: {
        baseUrl: "http://127.0.0.1:9/v1",
        apiKey: "canary-config",
        models: [{ id: "m1", name: "M1", contextWindow: 1000 }],
      },
    },
  },
  agents: {
    defaults: {
      model: { primary: "mock/m1", fallbacks: ["openai/gpt-5"] },
      models: { "openai/gpt-5": { alias: "five" } },
    },
  },
};
const files = {
  [file]: JSON.stringify({
    profiles: {
      "openai:me": {
        type: "oauth",
        provider: "openai",
        access: "canary-access",
        refresh: "canary-refresh",
        expires: 9e12,
      },
      "openai:default": { type: "api_key", provider: "openai", key: "canary-key" },
    },
  }),
};
const listed = ({ models }: Answer): string[] => models.map(({ provider, id }: Answer) => `${provider}/${id}`);

test("a model is told with what it can do and whether it can be asked", async () => {
  const { ask } = await world({ config });
  const { models } = await ask("models.list", { view: "configured" }, ["model-selection-policy"]);
  assert.equal(models[0], {
    id: "m1",
    name: "M1",
    provider: "mock",
    tags: ["default"],
    contextWindow: 1000,
    reasoning: false,
    input: ["text"],
    supportsTools: true,
    thinkingLevels: [{ id: "off", label: "off" }],
    thinkingDefault: "off",
    available: true,
    manualSelectionAllowed: false,
  });
  const { alias, available, unavailableReason, thinkingDefault, manualSelectionAllowed } = models[1];
  assert.equal(
    { alias, available, unavailableReason, thinkingDefault, manualSelectionAllowed },
    {
      alias: "five",
      available: false,
      unavailableReason: "missing-auth",
      thinkingDefault: "low",
      manualSelectionAllowed: true,
    },
  );
});

test("each view has its models", async () => {
  const { ask } = await world({
    config: { ...config, agents: { defaults: { model: "openai/gpt-5" } } },
    env: { XAI_API_KEY: "k" },
  });
  assert.equal(listed(await ask("models.list", { view: "provider-config" })), ["mock/m1"]);
  assert.equal(listed(await ask("models.list", { view: "configured" })), ["mock/m1", "openai/gpt-5"]);
  assert.equal(listed(await ask("models.list")), ["mock/m1", "openai/gpt-5", "xai/grok-4.3", "xai/grok-build-0.1"]);
  assert.ok(listed(await ask("models.list", { view: "all" })).includes("google/gemini-2.5-pro"));
});

test("before anything is set up the built-in model is the one", async () => {
  const { ask } = await world();
  const { models } = await ask("models.list", { view: "configured" });
  assert.equal([listed({ models }), models[0].tags, models[0].available], [["clawlet/echo"], ["default"], true]);
});

test("a model whose credentials rest says until when", async () => {
  const { ask, app, host } = await world({ config });
  const [route] = await app.accounts.routes({ agentId: "main" });
  if (route) await app.accounts.report(route, "rate_limit");
  const { models } = await ask("models.list", { view: "provider-config" });
  assert.equal(
    [models[0].available, models[0].unavailableReason, models[0].unavailableUntil],
    [false, "cooldown", host.clock.now() + 60_000],
  );
});

test("the state of credentials is told by provider", async () => {
  const { ask, host } = await world({ config, files, env: { OPENAI_API_KEY: "canary-env" } });
  const { providers: rows } = await ask("models.authStatus", { agentId: "main" });
  assert.equal(rows[0], {
    provider: "mock",
    authProvider: "mock",
    displayName: "mock",
    status: "static",
    profiles: [],
    apiKey: { source: "config" },
  });
  assert.equal(
    [rows[1].provider, rows[1].status, rows[1].apiKey],
    ["openai", "ok", { source: "env", envVar: "OPENAI_API_KEY" }],
  );
  assert.equal(
    rows[1].profiles.map(({ profileId, type, status }: Answer) => [profileId, type, status]),
    [
      ["openai:me", "oauth", "ok"],
      ["openai:default", "api_key", "static"],
    ],
  );
  assert.is(rows[1].profiles[0].expiry.at, 9e12);
  assert.is(rows[1].profiles[0].expiry.remainingMs, 9e12 - host.clock.now());
});

test("a probe asks with each credential and tells how it went", async () => {
  const { ask } = await world({ config });
  const { results, ...best } = await ask("models.probe", { provider: "mock" });
  assert.equal(best, { provider: "mock", status: "ok", latencyMs: 0 });
  assert.equal(results, [{ profileId: "config:mock", label: "config:mock", status: "ok", latencyMs: 0 }]);
});

test("a probe that fails says why, without the secret that the provider may repeat", async () => {
  const { ask, records } = await world({
    config,
    provider: async function* () {
      yield* [];
      throw providerFailure("mock says: canary-config is wrong", { kind: "auth", provider: "mock" });
    },
  });
  const probed = await ask("models.probe", { provider: "mock" });
  assert.equal([probed.status, probed.error], ["auth", "mock says: *** is wrong"]);
  assert.equal(records, []);
});

test("a probe ends when its time is over", async () => {
  const { ask, host } = await world({
    config,
    async *provider(_, { signal }) {
      await host.clock.sleep(3_600_000, signal);
      yield { type: "text", delta: "" };
    },
  });
  const probing = ask("models.probe", { provider: "mock", timeoutMs: 1000 });
  await host.clock.advance(1000);
  assert.equal([(await probing).status, (await probing).error], ["timeout", "no answer within 1000 ms"]);
  assert.is(host.clock.armed, 0);
});

test("a probe of what is not there says what is", async () => {
  const { ask } = await world({ config });
  assert.match(
    await failureOf(ask("models.probe", { provider: "nobody" })),
    /not-found: there is no provider "nobody": known are mock, anthropic/,
  );
  assert.match(
    await failureOf(ask("models.probe", { provider: "mock", profileId: "mock:x" })),
    /mock has no credential "mock:x": known are config:mock/,
  );
  const { status, error } = await ask("models.probe", { provider: "anthropic" });
  assert.equal([status, error], ["auth", "anthropic has no credential"]);
});

test("a logout forgets stored profiles of that provider, and nothing else", async () => {
  const { ask, host } = await world({ config, files });
  assert.match(
    await failureOf(ask("models.authLogout", { provider: "mock", profileIds: ["openai:me"] })),
    /mock has no credential "openai:me": known are none/,
  );
  assert.match(
    await failureOf(ask("models.authLogout", { provider: "openai", agentId: "ghost" })),
    /unknown agent id "ghost": known are main/,
  );
  assert.equal(await ask("models.authLogout", { provider: "openai", profileIds: ["openai:me"] }), {
    provider: "openai",
    removedProfiles: ["openai:me"],
  });
  const left = JSON.parse(host.files.snapshot()[file] ?? "");
  assert.equal(Object.keys(left.profiles), ["openai:default"]);
  assert.equal(await ask("models.authLogout", { provider: "openai" }), {
    provider: "openai",
    removedProfiles: ["openai:default"],
  });
});

test("threat G no answer and no log line has a secret", async () => {
  const { ask, records, app } = await world({
    config,
    files,
    env: { OPENAI_API_KEY: "canary-env", ANTHROPIC_API_KEY: "canary\n" },
  });
  const answers = [
    await ask("models.list", { view: "all" }),
    await ask("models.authStatus"),
    await ask("models.probe", { provider: "mock" }),
    await failureOf(ask("models.probe", { provider: "mock", profileId: "none" })),
    await app.accounts.explain({ agentId: "main" }),
    await ask("models.authLogout", { provider: "openai" }),
    records,
  ];
  assert.not.match(JSON.stringify(answers), /canary/);
});

test("credentials that failed are told apart", async () => {
  const { ask, app, host } = await world({ config: { agents: { defaults: { model: "openai/gpt-5" } } }, files });
  const routes = await app.accounts.routes({ agentId: "main" });
  for (const route of routes) await app.accounts.report(route, route.profileId === "openai:me" ? "billing" : "auth");
  const { providers: rows } = await ask("models.authStatus");
  const profiles = rows[0].profiles.map(({ disabledReason, disabledUntil }: Answer) => [
    disabledReason,
    disabledUntil - host.clock.now(),
  ]);
  assert.equal(profiles.toSorted(), [
    ["auth", 25 * 60_000],
    ["billing", 5 * 3_600_000],
  ]);
});

test.run();
