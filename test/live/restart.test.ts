import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";
import { servePacedModel } from "../support/paced-model.ts";
import { loadOverRestarts } from "../support/restart-load.ts";
import { openRpc, type RpcPayload } from "../support/rpc-client.ts";
import { form, program, runtime } from "../support/runtime.ts";

const token = "a-token-of-this-test";
const config = { gateway: { mode: "local", auth: { mode: "token", token } }, commands: { restart: true } };
const hello = { auth: { token } };
test.after(endLaunched);

test("SC-025 SC-169 restarts under a constant load: no connection is refused, nothing acknowledged is lost", async () => {
  const gateway = await startGateway({ config, args: [] });
  const { refused, lost, acknowledged } = await loadOverRestarts(gateway, { restarts: 4 });
  assert.equal(refused, []);
  assert.equal(lost, []);
  assert.ok(acknowledged > 4);
  assert.is(await gateway.stop(), 0);
});

test("gateway restart --safe: the same process begins anew, and the command ends when it answers", async () => {
  const gateway = await startGateway({ config, args: [] });
  const told = await runCommand(["gateway", "restart", "--safe"], gateway.home);
  assert.equal(told, {
    status: 0,
    stdout: `✓ Restarted the gateway in its process (PID ${gateway.pid})\n`,
    stderr: "",
  });
  assert.is(gateway.stdout().split("listening on ws://127.0.0.1").length, 3);
  const { stdout } = await runCommand(["gateway", "restart", "--safe", "--json"], gateway.home);
  assert.equal(JSON.parse(stdout), {
    action: "restart",
    ok: true,
    result: "restarted",
    pid: gateway.pid,
    status: "scheduled",
  });
  assert.is(await gateway.stop(), 0);
  const nobody = await runCommand(["gateway", "restart", "--safe"], gateway.home);
  assert.is(nobody.status, 1);
});

test("SC-169 a turn that streams ends before the restart that a client asks for; its reader misses nothing", async () => {
  const model = await servePacedModel({ waits: true });
  const gateway = await startGateway({ config: { ...config, ...model.config }, args: [] });
  const client = await openRpc(gateway.url, hello);
  const events: string[] = [];
  let text = "";
  client.onEvent((event, payload: RpcPayload) => {
    if (event === "chat") events.push(payload.state);
    if (event === "chat" && payload.state === "final") text = JSON.stringify(payload.message);
    if (event === "shutdown") events.push(`shutdown ${typeof payload.restartExpectedMs}`);
  });
  const sessionKey = "agent:main:main";
  await client.call("chat.send", { sessionKey, message: "go on", idempotencyKey: "run-1" });
  await until("a turn that streams", () => events.includes("delta") || undefined);
  const preflight: RpcPayload = await client.call("gateway.restart.preflight");
  assert.is(preflight.safe, false);
  const answer: RpcPayload = await client.call("gateway.restart.request", { reason: "test" });
  assert.is(answer.status, "deferred");
  await until("a gateway that waits", () => gateway.stdout().includes("waiting for running turns") || undefined);
  // Taken while the restart waits: it is on the disk, and has its turn afterwards.
  await client.call("chat.send", { sessionKey, message: "and this", idempotencyKey: "run-2" });
  assert.is(model.asked, 1);
  model.finish();
  await client.closed;
  assert.match(text, "begun done");
  assert.equal(events.slice(-2), ["final", "shutdown number"]);
  const again = await openRpc(gateway.url, hello);
  const over: RpcPayload = await again.call("agent.wait", { runId: "run-2", timeoutMs: 20_000 });
  assert.is(over.status, "ok");
  assert.is(model.asked, 2, "no turn was begun twice");
  again.close();
  assert.is(await gateway.stop(), 0);
  model.close();
});

test("SC-012 SC-170 a stop lets the turn that runs end, and a signal more ends at once", async () => {
  const model = await servePacedModel({ waits: true });
  const home = makeHome();
  const first = await startGateway({ home, config: { ...config, ...model.config }, args: [] });
  const send = async (url: string, runId: string): Promise<void> => {
    const client = await openRpc(url, hello);
    const asked = model.asked;
    await client.call("chat.send", { sessionKey: "agent:main:main", message: "go on", idempotencyKey: runId });
    await until("a question to the model", () => model.asked > asked || undefined);
    client.close();
  };
  await send(first.url, "run-1");
  process.kill(first.pid, "SIGTERM");
  await until("waiting", () => first.stdout().includes("waiting for running turns") || undefined);
  model.finish();
  assert.is(await first.exited, 0);

  const again = await startGateway({ home, args: [] });
  const client = await openRpc(again.url, hello);
  const history: RpcPayload = await client.call("chat.history", { sessionKey: "agent:main:main" });
  assert.match(JSON.stringify(history.messages), "begun done");
  client.close();
  await again.stop();
  model.close();
  rmSync(home, { recursive: true });
});

test("a changed port in the configuration counts at the next restart", async () => {
  const home = makeHome();
  const [port, next] = [await freePort(), await freePort()];
  const file = join(home, ".openclaw", "openclaw.json");
  const text = (chosen: number) => JSON.stringify({ ...config, gateway: { ...config.gateway, port: chosen } });
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  writeFileSync(file, text(port), { mode: 0o600 });
  const running = launch(["gateway"], home);
  await until("listening", () => running.stdout().includes(`ws://127.0.0.1:${port} `) || undefined, 15_000);
  writeFileSync(file, text(next), { mode: 0o600 });
  process.kill(running.pid, "SIGUSR1");
  await until("the new port", () => running.stdout().includes(`ws://127.0.0.1:${next} `) || undefined, 15_000);
  (await openRpc(`ws://127.0.0.1:${next}`, hello)).close();
  const refused = await openRpc(`ws://127.0.0.1:${port}`, hello).then(
    () => false,
    () => true,
  );
  assert.ok(refused, "nobody listens on the old port");
  const lock = () => JSON.parse(readFileSync(join(home, ".openclaw", "gateway.lock"), "utf8"));
  await until("the port in the lock", () => lock().port === next || undefined);
  assert.is(await running.end(), 0);
  rmSync(home, { recursive: true });
});

test("five starts that are killed at once: safe mode, which says so, and ends with a restart", async () => {
  const home = makeHome();
  const started = (number: number) => startGateway({ home, args: [], ...(number === 0 ? { config } : {}) });
  for (let number = 0; number < 5; number++) {
    const gateway = await started(number);
    assert.not.match(gateway.stderr(), "safe mode");
    await gateway.stop("SIGKILL");
  }
  const safe = await started(5);
  await until("the line", () => /✗ safe mode: .*gateway restart/.test(safe.stderr()) || undefined);
  const { stdout, status } = await runCommand(["health", "--json"], home);
  assert.is(status, 1);
  assert.is(JSON.parse(stdout).safeMode.failures, 5);
  assert.match((await runCommand(["status"], home)).stdout, /Safe mode +✗ .*gateway restart/);
  const client = await openRpc(safe.url, hello);
  const why = await client
    .call("chat.send", { sessionKey: "agent:main:main", message: "hello", idempotencyKey: "run-1" })
    .catch(String);
  assert.match(String(why), "safe mode");
  await client.call("config.get");
  await client.call("sessions.list");
  await client.call("gateway.restart.request");
  await client.closed;
  await until("an ordinary start", async () => (await runCommand(["health"], home)).status === 0 || undefined, 20_000);
  assert.is(await safe.stop(), 0);
  rmSync(home, { recursive: true });
});

test("the session that asks for a restart is told of it in its conversation, once", async () => {
  const model = await servePacedModel({ waits: false });
  const home = makeHome();
  const gateway = await startGateway({ home, config: { ...config, ...model.config }, args: [] });
  const sessionKey = "agent:main:main";
  const client = await openRpc(gateway.url, hello);
  await client.call("chat.send", { sessionKey, message: "hello", idempotencyKey: "run-1" });
  await client.call("agent.wait", { runId: "run-1", timeoutMs: 20_000 });
  await client.call("gateway.restart.request", { sessionKey, note: "a word of mine" });
  await client.closed;
  const again = await openRpc(gateway.url, hello);
  const history: RpcPayload = await again.call("chat.history", { sessionKey });
  assert.is(JSON.stringify(history.messages).split("a word of mine").length, 2);
  assert.not.ok(existsSync(join(home, ".openclaw", "restart-sentinel.json")));
  again.close();
  assert.is(await gateway.stop(), 0);
  model.close();
  rmSync(home, { recursive: true });
});

test("conversations that cannot be opened: safe mode keeps the control plane, and a restart ends it when they can", async () => {
  const home = makeHome();
  const index = join(home, ".openclaw", "sessions", "index.jsonl");
  mkdirSync(index, { recursive: true, mode: 0o700 });
  for (let number = 0; number < 5; number++) {
    const failed = startGateway({ home, args: [], ...(number === 0 ? { config } : {}) });
    const ending = await failed.then(
      () => "it listens",
      (error: unknown) => String(error),
    );
    assert.match(ending, "ended with 1");
  }
  const safe = await startGateway({ home, args: [] });
  const { stdout } = await runCommand(["health", "--json"], home);
  assert.is(JSON.parse(stdout).safeMode.failures, 5);
  assert.match(JSON.parse(stdout).safeMode.reason, /EISDIR|directory/i);
  const client = await openRpc(safe.url, hello);
  const send = { sessionKey: "agent:main:main", message: "hello", idempotencyKey: "run-1" };
  assert.match(String(await client.call("chat.send", send).catch(String)), /safe mode .*gateway restart/);
  const { raw, hash }: RpcPayload = await client.call("config.get");
  const changed = raw ?? JSON.stringify({ ...config, ui: { assistant: { name: "Clawd" } } });
  await client.call("config.set", { raw: changed, baseHash: hash });
  rmSync(index, { recursive: true });
  await client.call("gateway.restart.request");
  await client.closed;
  const again = await openRpc(safe.url, hello);
  await again.call("chat.send", send);
  again.close();
  assert.is(await safe.stop(), 0);
  rmSync(home, { recursive: true });
});

test("an error that nobody catches ends the process, with the reason kept for the next start", async () => {
  const home = makeHome();
  const preload = join(home, "preload.mjs");
  writeFileSync(preload, 'process.on("SIGUSR2", () => setTimeout(() => { throw new Error("out of luck"); }, 0));\n');
  const [command = "", ...leading] = program;
  const flag = runtime === "node" ? "--import" : "--preload";
  const at = runtime === "deno" ? 1 : 0;
  const preloading =
    form === "binary"
      ? { env: { BUN_OPTIONS: `${flag} ${preload}` } }
      : { program: [command, ...leading.slice(0, at), flag, preload, ...leading.slice(at)] };
  mkdirSync(join(home, ".openclaw"), { mode: 0o700 });
  writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify(config), { mode: 0o600 });
  const args = ["gateway", "--port", String(await freePort())];
  const running = launch(args, home, preloading);
  await until("listening", () => running.stdout().includes("listening on ws://") || undefined, 15_000);
  process.kill(running.pid, "SIGUSR2");
  assert.is(await running.exited, 1);
  const { failures } = JSON.parse(readFileSync(join(home, ".openclaw", "starts.json"), "utf8"));
  assert.equal(
    failures.map(({ reason }: { reason: string }) => reason),
    ["out of luck"],
  );
  rmSync(home, { recursive: true });
});

test("systemd is told when the gateway is ready, restarts, lives and stops", async () => {
  const home = makeHome();
  const said = join(home, "said");
  const program = join(home, "bin", "systemd-notify");
  mkdirSync(join(home, "bin"));
  writeFileSync(said, "");
  writeFileSync(program, `#!/bin/sh\necho "$*" >> '${said}'\n`);
  chmodSync(program, 0o755);
  const env = {
    NOTIFY_SOCKET: join(home, "notify"),
    WATCHDOG_USEC: "200000",
    PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`,
  };
  const gateway = await startGateway({ home, config, args: [], env });
  const told = (): readonly string[] => readFileSync(said, "utf8").split("\n");
  const times = (word: string): number => told().filter((line) => line.includes(word)).length;
  await until("READY=1", () => times("READY=1") === 1 || undefined);
  assert.ok(told().includes(`--pid=${gateway.pid} READY=1`));
  await until("WATCHDOG=1", () => times("WATCHDOG=1") > 1 || undefined);
  process.kill(gateway.pid, "SIGUSR1");
  await until("READY=1 again", () => times("READY=1") === 2 || undefined, 15_000);
  assert.is(times("RELOADING=1"), 1);
  assert.is(await gateway.stop(), 0);
  await until("STOPPING=1", () => times("STOPPING=1") === 1 || undefined);
  rmSync(home, { recursive: true });
});

test.run();
