import { test } from "uvu";
import * as assert from "uvu/assert";
import { gatewayRun } from "../../src/commands/gateway.ts";
import { devState } from "../../src/gateway/defaults.ts";
import { flavours, type Flavour } from "../../src/host/flavour.ts";
import { codes, Failure } from "../../src/kit/error.ts";
import { settle } from "../support/fake-clock.ts";
import type { ScriptedHost } from "../support/host.ts";
import { contextOf, machine, otherProcess, refused, started } from "./foreground.ts";

const dev = "/home/me/.clawdbot-dev";
const workspace = "/home/me/clawd-dev";
const real = {
  "/home/me/.clawdbot/clawdbot.json": '{"gateway":{"mode":"local","port":20000}}',
  "/home/me/.clawdbot/credentials/oauth.json": "{}",
  "/home/me/clawd/SOUL.md": "mine",
};

test("SC-003 SC-083 SC-084 SC-085 SC-086 SC-240 an empty home becomes a dev profile, and the lines say so", async () => {
  const host = machine();
  const { stdout } = await ran(["gateway", "--dev"], host);
  assert.is(devState(flavours.clawdbot), ".clawdbot-dev");
  assert.match(
    stdout,
    `✓ dev config created at ~/.clawdbot-dev/clawdbot.json
✓ dev workspace initialized at ~/clawd-dev
✓ agent model: anthropic/claude-opus-4-5
✓ listening on ws://127.0.0.1:18789 (PID 4242)
`,
  );
});

test("SC-086 --dev gateway means the same", async () => {
  assert.match((await ran(["--dev", "gateway"], machine())).stdout, "listening on ws://127.0.0.1:18789");
});

test("SC-087 SC-088 SC-091 the config is private, local, on loopback and without auth", async () => {
  const host = machine();
  const { opened } = await ran(["gateway", "--dev"], host);
  const config = JSON.parse(host.files.snapshot()[`${dev}/clawdbot.json`] ?? "");
  assert.equal(config.gateway, { mode: "local", bind: "loopback" });
  assert.is(config.agents.defaults.workspace, workspace);
  assert.is((await host.files.stat(`${dev}/clawdbot.json`))?.mode, 0o600);
  assert.is((await host.files.stat(dev))?.mode, 0o700);
  const exposure = opened?.expose();
  assert.is(exposure && "authMode" in exposure && exposure.authMode, "none");
});

test("SC-089 SC-090 the workspace has its files, and neither BOOTSTRAP.md nor BOOT.md", async () => {
  const host = machine();
  await ran(["gateway", "--dev"], host);
  assert.equal(await host.files.list(workspace), ["AGENTS.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"]);
  assert.is(JSON.parse(host.files.snapshot()[`${dev}/clawdbot.json`] ?? "").agents.defaults.skipBootstrap, true);
});

test("the OpenClaw flavour has its own names", async () => {
  const host = machine();
  const { stdout } = await ran(["gateway", "--dev"], host, flavours.openclaw);
  assert.match(stdout, "✓ dev config created at ~/.openclaw-dev/openclaw.json");
  assert.match(stdout, "✓ dev workspace initialized at ~/.openclaw/workspace-dev");
});

test("what is there stays, and only what is missing is made", async () => {
  const config = '{ gateway: { mode: "local" } /* mine */ }';
  const host = machine({ files: { [`${dev}/clawdbot.json`]: config, [`${workspace}/SOUL.md`]: "mine" } });
  const { stdout } = await ran(["gateway", "--dev"], host);
  assert.not.match(stdout, "dev config created");
  assert.is(host.files.snapshot()[`${dev}/clawdbot.json`], config);
  assert.is(host.files.snapshot()[`${workspace}/SOUL.md`], "mine");
  assert.ok(host.files.snapshot()[`${workspace}/AGENTS.md`]);
});

test("SC-080 SC-093 the real profile is not touched, not even by a reset", async () => {
  const host = machine({ files: real });
  await ran(["gateway", "--dev"], host);
  await ran(["gateway", "--dev", "--reset"], host);
  for (const [path, text] of Object.entries(real)) assert.is(host.files.snapshot()[path], text);
});

test("SC-082 SC-092 SC-146 --dev --reset clears config, credentials, sessions and workspace, and makes them anew", async () => {
  const host = machine({
    files: {
      [`${dev}/clawdbot.json`]: '{"gateway":{"mode":"local","port":20000}}',
      [`${dev}/credentials/oauth.json`]: "old",
      [`${dev}/agents/main/sessions/one.jsonl`]: "old",
      [`${dev}/agents/main/agent/auth-profiles.json`]: "old",
      [`${workspace}/SOUL.md`]: "old",
    },
  });
  const { stdout } = await ran(["gateway", "--dev", "--reset"], host);
  assert.match(stdout, "✓ dev config created");
  assert.match(stdout, "✓ dev workspace initialized");
  const files = host.files.snapshot();
  assert.not(`${dev}/credentials/oauth.json` in files);
  assert.not(`${dev}/agents/main/sessions/one.jsonl` in files);
  assert.is.not(files[`${workspace}/SOUL.md`], "old");
  assert.is(files[`${dev}/trash/clawd-dev/SOUL.md`], "old", "the last reset can be taken back");
});

test("SC-145 --reset alone is wrong usage", async () => {
  const failure = Failure.from(await command(["gateway", "--reset"], machine()).catch((error: unknown) => error));
  assert.is(failure.message, "Use --reset with --dev.");
  assert.is(codes[failure.code].exit, 2);
});

test("threat M a reset refuses a state folder that is not the dev profile's own", async () => {
  const host = machine({ files: real, env: { CLAWDBOT_STATE_DIR: "/home/me/.clawdbot" } });
  const failure = await refused(["gateway", "--dev", "--reset"], host);
  assert.match(failure.message, "Refusing to reset ~/.clawdbot:");
  assert.equal(host.files.snapshot(), real);
});

test("threat M a reset refuses a dev folder that is a link to another", async () => {
  const host = machine({ files: { ...real, [`${dev}/clawdbot.json`]: "{}" } });
  // The disk in memory has no links: it says of this folder what a link's real path would be.
  host.files.realPath = async (path) => (path === dev ? "/home/me/.clawdbot" : path);
  assert.match((await refused(["gateway", "--dev", "--reset"], host)).message, "Refusing to reset ~/.clawdbot-dev");
});

test("a reset refuses while the dev gateway runs", async () => {
  const host = machine();
  const running = await started(["gateway", "--dev"], host);
  const failure = await refused(["gateway", "--dev", "--reset"], otherProcess(host));
  assert.match(failure.message, "The dev gateway is running (pid 4242)");
  await running.stop();
});

test("SC-086 dev makes way for the gateway of another profile, and says so in one line", async () => {
  const host = machine({
    files: { "/home/me/.clawdbot/runtime.json": '{"pid":77,"port":18789,"url":"ws://127.0.0.1:18789","startedAt":1}' },
  });
  host.processes.living.add(77);
  host.net.taken.add(18789);
  const { stdout, opened } = await ran(["gateway", "--dev"], host);
  assert.match(stdout, "dev: port 18789 belongs to the gateway of another profile; using 19001");
  assert.is(opened?.port(), 19001);
});

test("dev recognises another gateway by its process too, and keeps the port for anything else or when told", async () => {
  const taken = (command: string): ScriptedHost => {
    const host = machine();
    host.net.taken.add(18789);
    host.processes.ports.set(18789, [{ pid: 77, command }]);
    return host;
  };
  assert.is((await ran(["gateway", "--dev"], taken("openclaw-gateway"))).opened?.port(), 19001);
  assert.is((await ran(["gateway", "--dev"], taken("nginx"))).opened?.port(), 18789);
  assert.is((await ran(["gateway", "--dev", "--port", "18789"], taken("openclaw-gateway"))).opened?.port(), 18789);
});

test("SC-081 from source, a child runs the gateway and is started anew when a source changes", async () => {
  const host = machine({ sources: ["/src"], self: ["/usr/bin/bun", "main.ts"], files: { "/src/a.ts": "" } });
  const status = command(["gateway", "--dev", "--reset", "--force"], host);
  const first = await child(host, 0);
  assert.equal(
    [first.command, first.args],
    ["/usr/bin/bun", ["main.ts", "gateway", "--dev", "--reset", "--force", "--no-watch"]],
  );
  host.files.put("/src/a.ts", "changed");
  host.files.put("/src/notes.md", "no source");
  await host.clock.advance(500);
  assert.equal(first.signals, ["SIGTERM"]);
  first.end(0);
  const again = await child(host, 1);
  assert.equal(again.args, ["main.ts", "gateway", "--dev", "--no-watch"], "a restart neither resets nor kills");
  again.end(3);
  assert.is(await status, 3, "a gateway that ends by itself is not started again");
});

test("SC-081 a child that does not end on SIGTERM is killed", async () => {
  const host = machine({ sources: ["/src"], files: { "/src/a.ts": "" } });
  const status = command(["gateway", "--dev"], host);
  const first = await child(host, 0);
  host.files.put("/src/a.ts", "changed");
  await host.clock.advance(8000);
  assert.equal(first.signals, ["SIGTERM", "SIGKILL"]);
  first.end(undefined, "SIGKILL");
  const again = await child(host, 1);
  host.processes.signal("SIGTERM");
  again.end(0);
  await status;
});

test("signals go on to the child, and its end is ours", async () => {
  const host = machine({ sources: ["/src"], files: { "/src/a.ts": "" } });
  const status = command(["gateway", "--dev"], host);
  const first = await child(host, 0);
  host.processes.signal("SIGUSR1");
  host.processes.signal("SIGINT");
  assert.equal(first.signals, ["SIGUSR1", "SIGINT"]);
  first.end(undefined, "SIGINT");
  assert.is(await status, 130);
  assert.is(host.processes.signal("SIGINT"), 0, "nobody listens afterwards");
});

test("--no-watch, and a build that is not source, run the gateway in this process", async () => {
  const host = machine({ sources: ["/src"] });
  await ran(["gateway", "--dev", "--no-watch"], host);
  assert.is(host.processes.spawned.length, 0);
});

/** The whole command, supervisor included. */
async function command(line: readonly string[], host: ScriptedHost): Promise<number> {
  return gatewayRun.run(await contextOf(line, host));
}

/** A process that the command starts, once it has: what starts them is loaded when it is needed. */
async function child({ processes }: ScriptedHost, number: number) {
  const patience = performance.now() + 5000;
  while (!processes.spawned[number] && performance.now() < patience) await settle();
  const found = processes.spawned[number];
  if (!found) throw new Error(`no child ${number}`);
  await settle();
  return found;
}

async function ran(line: readonly string[], host: ScriptedHost, flavour: Flavour = flavours.clawdbot) {
  const before = host.terminal.stdout.text.length;
  const run = await started(line, host, { flavour });
  assert.is(await run.stop(), 0);
  host.processes.living.add(host.processes.pid);
  return { stdout: host.terminal.stdout.text.slice(before), opened: run.opened };
}

test.run();
