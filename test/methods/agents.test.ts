import { test } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/kit/error.ts";
import { scriptedApp } from "../support/app.ts";
import { checkResult } from "../support/official.ts";

const config = {
  agents: {
    defaults: { model: { primary: "claude-sonnet-4-5", fallbacks: ["mock/big"] }, workspace: "~/work" },
    list: [
      { id: "aide", name: "Aide" },
      {
        id: "chief",
        default: true,
        identity: { name: "Chief", emoji: "🦞", avatar: "face.png" },
        model: "openai/gpt-5",
      },
    ],
  },
  models: {
    providers: {
      mock: {
        baseUrl: "http://127.0.0.1:1",
        apiKey: "canary-secret",
        models: [{ id: "big", name: "Big", contextWindow: 1000, input: ["text", "smell"] }],
      },
    },
  },
  session: { mainKey: "home" },
};

test("with nothing configured there is main, which asks the default model", async () => {
  const { agents, ...rest } = (await scriptedApp().call("agents.list")) as { agents: unknown };
  assert.equal(rest, {
    defaultId: "main",
    ownership: "sole",
    selectionRequired: false,
    mainKey: "main",
    scope: "per-sender",
  });
  assert.equal(agents, [
    {
      id: "main",
      workspace: "/home/me/.openclaw/workspace",
      model: { primary: "anthropic/claude-opus-4-5", fallbacks: [] },
    },
  ]);
});

test("the default agent comes first, and each has its workspace and models", async () => {
  const result = (await scriptedApp({ config }).call("agents.list")) as {
    defaultId: string;
    agents: { id: string; workspace: string; model: unknown; identity?: unknown }[];
  };
  assert.is(result.defaultId, "chief");
  assert.equal(
    result.agents.map(({ id, workspace, model }) => ({ id, workspace, model })),
    [
      { id: "chief", workspace: "/home/me/work", model: { primary: "openai/gpt-5", fallbacks: [] } },
      {
        id: "aide",
        workspace: "/home/me/work-aide",
        model: { primary: "anthropic/claude-sonnet-4-5", fallbacks: ["mock/big"] },
      },
    ],
  );
  // A picture that is a file here is of no use elsewhere.
  assert.equal(result.agents[0]?.identity, { name: "Chief", emoji: "🦞" });
});

test("rows have a kind only for clients that know it", async () => {
  const { call } = scriptedApp();
  const rows = (await call("agents.list", {}, { caps: new Set(["agent-kind"]) })) as { agents: { kind?: string }[] };
  assert.is(rows.agents[0]?.kind, "agent");
});

test("an identity is found by agent, by session, or for the default agent", async () => {
  const { call } = scriptedApp({ config });
  const chief = { agentId: "chief", name: "Chief", nameSource: "config", avatar: "🦞", emoji: "🦞" };
  const aide = { agentId: "aide", name: "Aide", nameSource: "config", avatar: "A" };
  assert.equal(await call("agent.identity.get"), chief);
  assert.equal(await call("agent.identity.get", { sessionKey: "agent:aide:home" }), aide);
  assert.equal(await call("agent.identity.get", { agentId: "AIDE" }), aide);
});

test("an agent that is not there is named, with those that are", async () => {
  try {
    await scriptedApp({ config }).call("agent.identity.get", { agentId: "ghost" });
    assert.unreachable();
  } catch (error) {
    const failure = Failure.from(error);
    assert.is(failure.message, 'unknown agent id "ghost": known are chief, aide');
    assert.equal(failure.details, { code: "UNKNOWN_AGENT_ID", agentId: "ghost" });
  }
});

test("models are those of the providers and those that agents are told to ask, each once", async () => {
  const { call } = scriptedApp({ config, env: { OPENAI_API_KEY: "canary-secret" } });
  const { models } = (await call("models.list", { view: "configured" })) as { models: Record<string, unknown>[] };
  assert.equal(models, [
    { id: "big", provider: "mock", name: "Big", contextWindow: 1000, input: ["text"], available: true },
    {
      id: "gpt-5",
      provider: "openai",
      name: "GPT-5",
      contextWindow: 400_000,
      reasoning: true,
      input: ["text", "image"],
      tags: ["default"],
      available: true,
    },
    {
      id: "claude-sonnet-4-5",
      provider: "anthropic",
      name: "Claude Sonnet 4.5",
      contextWindow: 200_000,
      reasoning: true,
      input: ["text", "image"],
      available: false,
      unavailableReason: "missing-auth",
    },
  ]);
});

test("threat G where credentials come from is told, never what they are", async () => {
  const { call } = scriptedApp({
    config,
    files: {
      "/home/me/.openclaw/agents/main/agent/auth-profiles.json": JSON.stringify({
        version: 1,
        profiles: { "openai:default": { type: "api_key", provider: "openai", key: "canary-secret" } },
      }),
    },
  });
  const status = (await call("models.authStatus")) as {
    providers: { provider: string; apiKey?: { source: string } }[];
  };
  assert.equal(
    status.providers.map(({ provider, apiKey }) => [provider, apiKey?.source]),
    [
      ["mock", "config"],
      ["openai", "profile"],
      ["anthropic", undefined],
    ],
  );
  for (const name of ["models.authStatus", "models.list", "agents.list", "status", "health"])
    assert.not.match(JSON.stringify(await call(name)), /canary/);
});

test("models may be chosen by hand, for clients that ask for that", async () => {
  const { call } = scriptedApp();
  const { models } = (await call("models.list", {}, { caps: new Set(["model-selection-policy"]) })) as {
    models: { manualSelectionAllowed?: boolean }[];
  };
  assert.is(models[0]?.manualSelectionAllowed, true);
});

test("a full configuration is told as the official schema has it", async () => {
  const { call } = scriptedApp({ config });
  for (const name of ["agents.list", "agent.identity.get", "models.list"]) checkResult(name, await call(name));
});

test.run();
