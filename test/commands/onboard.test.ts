import { test } from "uvu";
import * as assert from "uvu/assert";
import { findModel, knownProviders } from "../../src/model/model-choice.ts";
import { main } from "../../src/main.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

const file = "/home/me/.clawdbot/clawdbot.json";
const profiles = "/home/me/.clawdbot/agents/main/agent/auth-profiles.json";
const quiet = ["onboard", "--non-interactive", "--accept-risk"];

test("SC-015 without a terminal it says how to do without one", async () => {
  const { code, stderr, files } = await run(["onboard"]);
  assert.is(code, 2);
  assert.match(stderr, "there is no terminal");
  assert.match(stderr, "clawdbot onboard --non-interactive --accept-risk");
  assert.equal(files, {});
});

test("--non-interactive needs the risk to be accepted", async () => {
  const { code, stderr, files } = await run(["onboard", "--non-interactive"]);
  assert.is(code, 2);
  assert.match(stderr, "Non-interactive onboarding requires explicit risk acknowledgement.");
  assert.equal(files, {});
});

test("SC-015 SC-131 non-interactive onboarding makes what the gateway starts with", async () => {
  const { code, stdout, files } = await run(quiet);
  assert.is(code, 0);
  assert.match(stdout, "Wrote ~/.clawdbot/clawdbot.json\nWorkspace OK: ~/clawd\n");
  const { gateway, wizard } = JSON.parse(files[file] ?? "");
  assert.match(gateway.auth.token, /^[0-9a-f]{48}$/);
  assert.equal(gateway, {
    mode: "local",
    port: 18789,
    bind: "loopback",
    auth: { mode: "token", token: gateway.auth.token },
    tailscale: { mode: "off", resetOnExit: false },
  });
  assert.is(wizard.lastRunCommand, "onboard");
  assert.ok(files["/home/me/clawd/BOOTSTRAP.md"]);
});

test("flags decide, and --json tells what was decided without any secret", async () => {
  const flags = ["--gateway-port", "19001", "--gateway-bind", "lan", "--gateway-password", "correct horse battery"];
  const { stdout, files } = await run([
    ...quiet,
    ...flags,
    "--workspace",
    "/srv/claw",
    "--auth-choice",
    "skip",
    "--json",
  ]);
  assert.equal(JSON.parse(stdout), {
    mode: "local",
    workspace: "/srv/claw",
    authChoice: "skip",
    gateway: { port: 19001, bind: "lan", authMode: "password", tailscaleMode: "off" },
    installDaemon: false,
    skipSkills: true,
    skipHealth: true,
  });
  assert.is(JSON.parse(files[file] ?? "").gateway.auth.password, "correct horse battery");
});

test("SC-048 what the gateway would refuse is not written", async () => {
  const { code, stderr, files } = await run([...quiet, "--gateway-bind", "lan", "--gateway-auth", "off"]);
  assert.is(code, 78);
  assert.match(stderr, "Refusing to bind gateway to lan without auth.");
  assert.equal(files, {});
});

test("an API key goes into the profiles, private, and not into the configuration", async () => {
  const key = "sk-ant-0123456789abcdef0123";
  const { host, stdout, files } = await run([...quiet, "--anthropic-api-key", key]);
  assert.equal(JSON.parse(files[profiles] ?? ""), {
    version: 1,
    profiles: { "anthropic:default": { type: "api_key", provider: "anthropic", key } },
  });
  assert.is((await host.files.stat(profiles))?.mode, 0o600);
  assert.not.match(files[file] ?? "", key);
  assert.not.match(stdout, key);
  const config = JSON.parse(files[file] ?? "");
  assert.equal(config.auth.profiles, { "anthropic:default": { provider: "anthropic", mode: "api_key" } });
  assert.is(config.agents.defaults.model.primary, "anthropic/claude-opus-4-5");
});

test("other profiles stay, and a file that makes no sense is not overwritten", async () => {
  const old = '{"version":1,"profiles":{"openai:default":{"type":"api_key","provider":"openai","key":"old"}}}';
  const kept = await run([...quiet, "--gemini-api-key", "new"], { files: { [profiles]: old } });
  assert.equal(Object.keys(JSON.parse(kept.files[profiles] ?? "").profiles), ["openai:default", "google:default"]);
  const refused = await run([...quiet, "--gemini-api-key", "new"], { files: { [profiles]: "{" } });
  assert.is(refused.code, 78);
  assert.is(refused.files[profiles], "{");
  assert.not(file in refused.files);
});

test("two API keys at a time are wrong usage", async () => {
  const { code, stderr } = await run([...quiet, "--openai-api-key", "a", "--zai-api-key", "b"]);
  assert.is(code, 2);
  assert.match(stderr, "--openai-api-key, --zai-api-key");
});

for (const { id, variables, model } of knownProviders)
  test(`a key of ${id} in the environment picks its model and is not copied`, async () => {
    const [variable = ""] = variables;
    const { stdout, files } = await run(quiet, { env: { [variable]: "secret-value" } });
    assert.match(stdout, `Model: ${model} (${variable})`);
    assert.is(JSON.parse(files[file] ?? "").agents.defaults.model.primary, model);
    assert.not.match(Object.values(files).join(), "secret-value");
  });

test("an Ollama on this machine is found with its models", async () => {
  const found = await findModel(withOllama(), async () =>
    Response.json({ models: [{ name: "llama3.2:3b" }, { name: "bad name\n" }, {}, { name: "qwen3" }] }),
  );
  assert.is(found?.model, "ollama/llama3.2:3b");
  assert.equal(found?.providers, {
    ollama: {
      baseUrl: "http://127.0.0.1:11434/v1",
      api: "openai-completions",
      models: [
        { id: "llama3.2:3b", name: "llama3.2:3b" },
        { id: "qwen3", name: "qwen3" },
      ],
    },
  });
});

test("something on Ollama's port that is not Ollama is no model", async () => {
  for (const answer of [
    async () => new Response("<html>"),
    async () => Response.json({ models: "none" }),
    async () => new Response("{}", { status: 500 }),
    () => Promise.reject(new Error("timeout")),
  ])
    assert.is(await findModel(withOllama(), answer), undefined);
});

test("nobody on Ollama's port is asked", async () => {
  const asked = () => Promise.reject(new Error("asked"));
  assert.is(await findModel(scriptedHost(), asked), undefined);
});

test("remote onboarding writes where the gateway is", async () => {
  const flags = ["--mode", "remote", "--remote-url", "wss://gateway.example:18789", "--remote-token", "t0"];
  const { stdout, files } = await run([...quiet, ...flags]);
  assert.is(stdout, "Remote gateway: wss://gateway.example:18789\nAuth: token\n");
  assert.equal(JSON.parse(files[file] ?? "").gateway, {
    mode: "remote",
    remote: { url: "wss://gateway.example:18789", token: "t0" },
  });
  assert.is((await run([...quiet, "--mode", "remote"])).code, 2);
});

function withOllama() {
  const host = scriptedHost();
  host.net.taken.add(11434);
  return host;
}

async function run(args: readonly string[], options: ScriptedOptions = {}) {
  const host = scriptedHost({ name: "clawdbot", ...options, args });
  const code = await main(host);
  const { stdout, stderr } = host.terminal;
  return { code, host, stdout: stdout.text, stderr: stderr.text, files: host.files.snapshot() };
}

test.run();
