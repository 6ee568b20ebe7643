import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { interpreter } from "../support/runtime.ts";
import { endLaunched } from "../support/launch.ts";

const token = "a-token-of-this-test";
const config = { gateway: { mode: "local", auth: { mode: "token", token } } };
const folder = mkdtempSync(join(tmpdir(), "clawlet-owner-"));
const owners: ChildProcess[] = [];
test.after(() => {
  for (const owner of owners) owner.kill("SIGKILL");
  rmSync(folder, { recursive: true });
  endLaunched();
});

test("SC-006 SC-070 SC-072 SC-073 SC-076 --force ends a polite owner of the port, says so and starts", async () => {
  const owner = await listener("");
  const gateway = await startGateway({ port: owner.port, args: ["--allow-unconfigured", "--force"] });
  const lines = gateway.stdout().split("\n");
  assert.match(lines[0] ?? "", new RegExp(`^force: killed pid ${owner.pid} \\(.+\\) on port ${owner.port}$`));
  assert.ok(lines.indexOf("✓ agent model: anthropic/claude-opus-4-5") > 0, "then the usual lines");
  assert.not.match(gateway.stdout(), "SIGKILL");
  assert.is(await owner.ended, "SIGTERM");
  await gateway.stop();
});

test("SC-071 SC-074 --force ends a stubborn owner with SIGKILL after 700 ms, and says so", async () => {
  const owner = await listener('process.on("SIGTERM", () => undefined);');
  const gateway = await startGateway({ port: owner.port, args: ["--allow-unconfigured", "--force"] });
  const [killed, escalated, waited] = gateway.stdout().split("\n");
  assert.match(killed ?? "", `force: killed pid ${owner.pid} (`);
  assert.is(escalated, `force: escalated to SIGKILL while freeing port ${owner.port}`);
  assert.match(waited ?? "", new RegExp(`^force: waited \\d+ms for port ${owner.port} to free$`));
  assert.ok(Number(/\d+/.exec(waited ?? "")?.[0]) >= 700);
  assert.is(await owner.ended, "SIGKILL");
  await gateway.stop();
});

test("SC-077 --force on a free port says so", async () => {
  const gateway = await startGateway({ args: ["--allow-unconfigured", "--force"] });
  assert.match(gateway.stdout(), `force: no listeners on port ${gateway.port}\n`);
  await gateway.stop();
});

test("SC-078 --force ends this profile's own earlier gateway and takes its place", async () => {
  const first = await startGateway({ config, args: [] });
  const second = await startGateway({ home: first.home, port: first.port, args: ["--force"] });
  assert.is(await first.exited, 0, "it went in good order");
  assert.not.match(second.stderr(), "standing by");
  assert.is((await runCommand(["health"], first.home)).status, 0);
  await second.stop();
});

test("SC-140 SC-141 a port of somebody else: EADDRINUSE, who has it, and the ways out", async () => {
  const owner = await listener("");
  const home = makeHome();
  const { status, stdout, stderr } = await runCommand(
    ["gateway", "--allow-unconfigured", "--port", String(owner.port)],
    home,
  );
  assert.equal([status, stdout], [1, ""]);
  const [error, inUse, who, what, ...ways] = stderr.trimEnd().split("\n");
  assert.is(error, `Error: listen EADDRINUSE: address already in use :::${owner.port}`);
  assert.is(inUse, `Port ${owner.port} is already in use.`);
  assert.match(who ?? "", new RegExp(`^- pid ${owner.pid} .*listener\\.mjs`));
  assert.is(what, "- Another process is listening on this port.");
  assert.equal(ways, [
    "Free it:               clawlet gateway --force",
    "Use another port:      clawlet gateway --port 19001",
    `Or by hand:            lsof -ti:${owner.port} | xargs kill -9`,
  ]);
  owner.end();
  rmSync(home, { recursive: true });
});

test("SC-150 SC-151 the same port twice: already running, since when, and the three ways out", async () => {
  const first = await startGateway({ config, args: [] });
  const { status, stdout, stderr } = await runCommand(["gateway", "--port", String(first.port)], first.home);
  assert.equal([status, stdout], [1, ""]);
  const [already, who, error, ...ways] = stderr.trimEnd().split("\n");
  assert.is(already, `Gateway already running locally (pid ${first.pid}, port ${first.port}).`);
  assert.match(who ?? "", new RegExp(`^- pid ${first.pid}: clawlet gateway --port ${first.port}, since 2\\d{3}-`));
  assert.match(error ?? "", "EADDRINUSE");
  assert.equal(ways, [
    "Stop it:               clawlet gateway stop",
    "Restart it:            clawlet gateway restart",
    "Run one beside it:     clawlet gateway --port 19001",
  ]);
  await first.stop();
});

test("SC-151 another port stands by, answers reads, refuses writes, and takes over after kill -9", async () => {
  const home = makeHome();
  const first = await startGateway({ home, config, args: [] });
  const second = await startGateway({ home, args: [] });
  const ask = (...args: readonly string[]) => runCommand([...args, "--url", second.url, "--token", token], home);
  const write = () => ask("gateway", "call", "config.patch", "--params", patch);
  const current = JSON.parse((await ask("gateway", "call", "config.get", "--json")).stdout);
  const patch = JSON.stringify({ raw: '{"logging":{"level":"debug"}}', baseHash: current.hash });

  assert.match(
    second.stderr(),
    `standing by: pid ${first.pid} on port ${first.port} owns this state folder; reads only`,
  );
  const health = await ask("health");
  assert.match(health.stdout, `! standby: process ${first.pid} owns the state folder`);
  assert.match((await ask("status")).stdout, "Standby");
  const refused = await write();
  assert.match(refused.stderr, `pid ${first.pid}`);
  assert.match(refused.stderr, `port ${first.port}`);
  assert.is(refused.status, 75, "temporary: try again");

  await first.stop("SIGKILL");
  await until("take-over", () => second.stdout().includes(`took over: pid ${first.pid} is gone`) || undefined, 10_000);
  assert.is((await write()).status, 0);
  assert.match(readFileSync(join(home, ".openclaw", "openclaw.json"), "utf8"), "debug");
  const found = await runCommand(["health"], home);
  assert.equal([found.status, found.stdout.includes("standby")], [0, false], "found on its own port, as the owner");
  await second.stop();
  rmSync(home, { recursive: true });
});

/** A process that listens on a port of its own and does this at its start. */
async function listener(prelude: string) {
  const port = await freePort();
  const script = join(folder, "listener.mjs");
  writeFileSync(
    script,
    `import { createServer } from "node:net";\n${prelude}\ncreateServer().listen(${port}, "127.0.0.1", () => console.log("up"));\n`,
  );
  const [command = "", ...leading] = interpreter;
  const child = spawn(command, [...leading, script], { stdio: ["ignore", "pipe", "inherit"] });
  owners.push(child);
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return { port, pid: child.pid ?? 0, ended, end: () => child.kill("SIGKILL") };
}

test.run();
