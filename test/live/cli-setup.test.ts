import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, runCommand, startGateway } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";

test.after(endLaunched);

test("SC-015 SC-131 setup, then gateway: it starts, with a token that the commands find", async () => {
  const home = makeHome();
  const { status, stdout, stderr } = await runCommand(["setup"], home);
  assert.equal([status, stderr], [0, ""]);
  assert.equal(stdout.split("\n"), [
    "Wrote ~/.openclaw/openclaw.json",
    "Workspace OK: ~/.openclaw/workspace",
    "Sessions OK: ~/.openclaw/agents/main/sessions",
    "",
  ]);
  const { gateway, agents } = configOf(home);
  assert.equal([gateway.mode, gateway.auth.mode], ["local", "token"]);
  assert.match(gateway.auth.token, /^[0-9a-f]{48}$/);
  assert.is(agents.defaults.workspace, join(home, ".openclaw", "workspace"));
  assert.ok(existsSync(join(home, ".openclaw", "workspace", "AGENTS.md")));

  const running = await startGateway({ home, args: [] });
  const health = await runCommand(["health"], home);
  assert.is(health.status, 0, health.stderr);
  await running.stop();
  assert.is((await runCommand(["setup"], home)).status, 0);
  assert.is(configOf(home).gateway.auth.token, gateway.auth.token, "set up again, the token stays");
  rmSync(home, { recursive: true });
});

test("SC-015 onboard without a terminal says how to go on, with status 2", async () => {
  const home = makeHome();
  assert.equal(await runCommand(["onboard"], home), {
    status: 2,
    stdout: "",
    stderr:
      "onboard asks questions, and there is no terminal to ask them on.\nRun: clawlet onboard --non-interactive --accept-risk\n",
  });
  assert.equal(await runCommand(["onboard", "--non-interactive"], home), {
    status: 2,
    stdout: "",
    stderr:
      "Non-interactive onboarding requires explicit risk acknowledgement.\nRun: clawlet onboard --non-interactive --accept-risk\n",
  });
  assert.not(existsSync(join(home, ".openclaw")), "nothing was written");
  rmSync(home, { recursive: true });
});

test("SC-015 SC-017 SC-131 onboard --non-interactive takes the API key it finds, and the gateway starts with that model", async () => {
  const home = makeHome();
  const key = "sk-or-of-this-test";
  const { status, stdout, stderr } = await runCommand(["onboard", "--non-interactive", "--accept-risk"], home, {
    OPENROUTER_API_KEY: key,
  });
  assert.equal([status, stderr], [0, ""]);
  const [, model] = /Model: (\S+) \(.*OPENROUTER_API_KEY.*\)/.exec(stdout) ?? [];
  assert.match(model ?? "", /^openrouter\//);
  assert.not.match(stdout, key);
  assert.not.match(JSON.stringify(configOf(home)), key, "what stays in the environment is not copied");
  const gateway = await startGateway({ home, args: [] });
  assert.match(gateway.stdout(), `✓ agent model: ${model}\n`);
  await gateway.stop();
  rmSync(home, { recursive: true });
});

test("onboard keeps a key given by flag in a private file, and answers JSON with --json", async () => {
  const home = makeHome();
  const key = "sk-ant-of-this-test";
  const port = "19555";
  const line = [
    "onboard",
    "--non-interactive",
    "--accept-risk",
    "--json",
    "--anthropic-api-key",
    key,
    "--gateway-port",
    port,
  ];
  const { status, stdout } = await runCommand(line, home);
  const { mode, gateway } = JSON.parse(stdout);
  assert.equal([status, mode], [0, "local"]);
  assert.equal(gateway, { port: 19555, bind: "loopback", authMode: "token", tailscaleMode: "off" });
  assert.not.match(stdout, key);
  const profiles = join(home, ".openclaw", "agents", "main", "agent", "auth-profiles.json");
  assert.match(readFileSync(profiles, "utf8"), key);
  assert.is(statSync(profiles).mode & 0o777, 0o600);
  rmSync(home, { recursive: true });
});

test("onboard --mode remote writes where the gateway is; one beyond loopback without auth is refused", async () => {
  const home = makeHome();
  const unattended = ["onboard", "--non-interactive", "--accept-risk"];
  const open = await runCommand([...unattended, "--gateway-bind", "lan", "--gateway-auth", "none"], home);
  assert.match(open.stderr, "Refusing to bind gateway to lan without auth.");
  assert.is(open.status, 78);
  const remote = ["--mode", "remote", "--remote-url", "ws://gateway.example:18789", "--remote-token", "their-token"];
  const { stdout, status } = await runCommand([...unattended, ...remote], home);
  assert.equal([status, stdout], [0, "Remote gateway: ws://gateway.example:18789\nAuth: token\n"]);
  assert.equal(configOf(home).gateway, {
    mode: "remote",
    remote: { url: "ws://gateway.example:18789", token: "their-token" },
  });
  rmSync(home, { recursive: true });
});

function configOf(home: string) {
  return JSON.parse(readFileSync(join(home, ".openclaw", "openclaw.json"), "utf8"));
}

test.run();
