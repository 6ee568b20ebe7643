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
      thinkingLevels: [{ id: "off", label: "off" }],
      thinkingOptions: ["off"],
      thinkingDefault: "off",
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

test("threat M an identity is not found by what is no session key", async () => {
  const { call } = scriptedApp({ config });
  for (const sessionKey of ["agent:", "agent::x", "a\0b", "x".repeat(600)]) {
    try {
      await call("agent.identity.get", { sessionKey });
      assert.unreachable();
    } catch (error) {
      assert.match(Failure.from(error).message, "session key");
    }
  }
});

test("a full configuration is told as the official schema has it", async () => {
  const { call } = scriptedApp({ config });
  for (const name of ["agents.list", "agent.identity.get"]) checkResult(name, await call(name));
});

test.run();
