import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../../src/commands/index.ts";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { endLaunched, launch } from "../support/launch.ts";

const token = "a-token-of-this-test";
const config = { gateway: { mode: "local", auth: { mode: "token", token } } };
let gateway: GatewayProcess;

test.before(async () => {
  gateway = await startGateway({ config, args: [] });
});
test.after(async () => {
  await gateway.stop();
  endLaunched();
});

const run = (...args: readonly string[]) => runCommand(args, gateway.home);

test("SC-112 SC-121 SC-180 SC-181 health finds the gateway of its profile on whatever port, without colour in a pipe", async () => {
  for (const words of [["gateway", "health"], ["health"]]) {
    const { status, stdout, stderr } = await run(...words);
    assert.match(
      stdout,
      /^Gateway Health\nOK \(\d+ms\)\n✓ Gateway is healthy\n✓ WebSocket connection: OK\n✓ RPC methods: available\n$/,
    );
    assert.equal([status, stderr], [0, ""]);
  }
});

test("SC-110 SC-114 SC-115 SC-116 SC-117 SC-118 SC-119 SC-120 gateway status shows both boxes", async () => {
  const { status, stdout, stderr } = await run("gateway", "status");
  const row = (text: string) => `│ ${text.padEnd(36)} │`;
  assert.match(stdout, /^Gateway service status\n┌─{38}┐\n│ Service: /);
  for (const text of [`Runtime: running (PID ${gateway.pid})`, `Port: ${gateway.port}`, "Last gateway error: none"])
    assert.match(stdout, row(text));
  assert.match(stdout, /\nRPC probe\n┌─{38}┐\n/);
  assert.match(stdout, row(`Target: ${gateway.url}`));
  assert.match(stdout, row("Status: ✓ connected"));
  assert.match(stdout, /│ Latency: \d+ms +│/);
  assert.match(stdout, new RegExp(`Listening: 127\\.0\\.0\\.1:${gateway.port} \\(.+, PID ${gateway.pid}\\)`));
  assert.equal([status, stderr], [0, ""]);
});

test("SC-111 SC-187 gateway status --no-probe has no RPC box; --json is an object", async () => {
  assert.not.match((await run("gateway", "status", "--no-probe")).stdout, "RPC probe");
  const { stdout } = await run("gateway", "status", "--json", "--no-probe");
  const { rpc, service } = JSON.parse(stdout);
  assert.equal([rpc, service.runtime], [undefined, { status: "running", pid: gateway.pid }]);
});

test("status gives an overview, for people and for programs", async () => {
  const { status, stdout } = await run("status");
  assert.match(stdout, new RegExp(`^OpenClaw status\nGateway +${gateway.url} ✓ reachable \\(\\d+ms\\)\n`));
  assert.is(status, 0);
  const { gateway: seen } = JSON.parse((await run("status", "--json")).stdout);
  assert.equal([seen.url, seen.reachable], [gateway.url, true]);
});

test("SC-113 SC-192 gateway probe tries loopback", async () => {
  const { status, stdout } = await run("gateway", "probe");
  assert.match(stdout, `Targets\nLocal loopback ${gateway.url}\n  Connect: ok (`);
  assert.is(status, 0);
  const { ok, targets, warnings } = JSON.parse((await run("gateway", "probe", "--json")).stdout);
  assert.equal([ok, targets.length, warnings], [true, 1, []]);
});

test("SC-190 SC-191 gateway probe tries the configured remote and loopback, and warns of two gateways", async () => {
  const other = await startGateway({
    config: { gateway: { mode: "local", auth: { mode: "token", token: "other" } } },
    args: [],
  });
  const home = makeHome();
  const remote = { mode: "remote", port: gateway.port, auth: { token }, remote: { url: other.url, token: "other" } };
  await runCommand(["setup"], home);
  writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify({ gateway: remote }));
  const { status, stdout } = await runCommand(["gateway", "probe", "--json"], home);
  const { warnings, targets } = JSON.parse(stdout);
  assert.is(status, 0);
  assert.equal(
    targets.map(({ kind, url, connect }: { kind: string; url: string; connect: { ok: boolean } }) => [
      kind,
      url,
      connect.ok,
    ]),
    [
      ["configRemote", other.url, true],
      ["localLoopback", gateway.url, true],
    ],
  );
  assert.is(warnings[0].code, "multiple_gateways");
  assert.match((await runCommand(["health"], home)).stdout, "OK");
  await other.stop();
  rmSync(home, { recursive: true });
});

test("SC-190 gateway probe with nobody there says so with status 1", async () => {
  const home = makeHome();
  const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
  const { status, stdout } = await runCommand(["gateway", "probe"], home, env);
  assert.match(stdout, "Reachable: no\n");
  assert.match(stdout, "  Connect: failed - connect failed: ");
  assert.is(status, 1);
  rmSync(home, { recursive: true });
});

test("SC-198 SC-199 gateway call prints a heading and JSON; --json prints JSON alone; parameters arrive", async () => {
  const [heading, ...rest] = (await run("gateway", "call", "status")).stdout.split("\n");
  assert.is(heading, "Gateway call: status");
  assert.is(JSON.parse(rest.join("\n")).pid, gateway.pid);
  const tail = await run("gateway", "call", "logs.tail", "--params", '{"sinceMs": 60000}', "--json");
  assert.ok(JSON.parse(tail.stdout).lines.length > 0);
});

test("SC-184 gateway call --expect-final answers for a method that answers once", async () => {
  const { stdout, status } = await run("gateway", "call", "health", "--expect-final", "--json");
  assert.equal([JSON.parse(stdout).ok, status], [true, 0]);
});

test("gateway call says what is wrong on stderr with status 1", async () => {
  const unknown = await run("gateway", "call", "nope.method");
  assert.equal(
    [unknown.stdout, unknown.stderr.split("\n")[0], unknown.status],
    ["", "Gateway call failed: Error: unknown method: nope.method", 1],
  );
  const broken = await run("gateway", "call", "status", "--params", '{"x');
  assert.match(broken.stderr, /^Gateway call failed: SyntaxError: --params is not JSON: /);
  assert.equal([broken.stdout, broken.status], ["", 1]);
});

test("SC-123 logs prints the last lines and where they are; --json one object a line", async () => {
  const file = join(gateway.home, ".openclaw", "logs", "gateway.log");
  assert.match((await run("logs", "--limit", "5000")).stdout, `Log file: ${file}\n`);
  const { stdout } = await run("logs", "--limit", "2", "--json");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  assert.equal(
    lines.map(({ type }) => type),
    ["meta", "notice", "log", "log"],
  );
});

test("logs --follow prints what is written from then on, and ends with status 0 on SIGINT", async () => {
  const following = launch(["logs", "--follow", "--interval", "50", "--limit", "1"], gateway.home);
  await until("first line", () => following.stdout().includes("Log file: ") || undefined, 15_000);
  await run("gateway", "call", "followed.method");
  await until("new line", () => following.stdout().includes("followed.method") || undefined, 10_000);
  assert.is(await following.end("SIGINT"), 0);
});

test("SC-185 SC-186 with --url only what stands beside it counts as a credential", async () => {
  const env = { OPENCLAW_GATEWAY_TOKEN: token };
  const bare = await runCommand(["gateway", "health", "--url", gateway.url], gateway.home, env);
  assert.equal(bare.stderr.split("\n").slice(0, 3), [
    "gateway url override requires explicit credentials",
    "Fix: pass --token or --password (or gatewayToken in tools).",
    `Config: ${join(gateway.home, ".openclaw", "openclaw.json")}`,
  ]);
  assert.equal([bare.stdout, bare.status], ["", 1]);
  assert.is((await run("gateway", "health", "--url", gateway.url, "--token", token)).status, 0);
  const wrong = await run("gateway", "health", "--url", gateway.url, "--token", "wrong");
  assert.match(wrong.stderr, /token/);
  assert.not.match(wrong.stderr, token);
  assert.is(wrong.status, 1);
  const nonsense = await run("gateway", "health", "--url", "http://x");
  assert.match(nonsense.stderr, "cli --url is not a WebSocket URL: use ws://host:port or wss://host:port");
  assert.is(nonsense.status, 2);
});

test("an unreachable gateway: what was meant, why, and how to start it, with status 1", async () => {
  const home = makeHome();
  const port = await freePort();
  const env = { OPENCLAW_GATEWAY_PORT: String(port) };
  const { stdout, stderr, status } = await runCommand(["health"], home, env);
  assert.equal([stdout, status], ["", 1]);
  assert.match(stderr, `Gateway target: ws://127.0.0.1:${port}\nSource: local loopback\nConfig: `);
  assert.match(stderr, "Nothing listens there. Start it: clawlet gateway\n");
  const logs = await runCommand(["logs"], home, env);
  assert.match(logs.stderr, "Gateway not reachable. Is it running and accessible?\n");
  assert.is(logs.status, 1);
  const report = await runCommand(["gateway", "status"], home, env);
  assert.match(report.stdout, "│ Status: ✗ failed ");
  assert.match(report.stderr, /^RPC probe: failed\nRPC target: /);
  assert.is(report.status, 0, "it reports");
  rmSync(home, { recursive: true });
});

test("SC-182 --json: stdout is one JSON value for answers and for errors, and stderr stays empty", async () => {
  for (const line of [
    "health",
    "status",
    "config get",
    "config validate",
    "config file",
    "config history",
    "devices list",
  ]) {
    const { stdout, stderr } = await run(...line.split(" "), "--json");
    assert.type(JSON.parse(stdout), "object", line);
    assert.is(stderr, "", line);
  }
  const failing = [
    "gateway call nope.method",
    "config get nope",
    "gateway --port x",
    "nonsense",
    "gateway --reset",
    "health --url x",
  ];
  for (const line of failing) {
    const { stdout, stderr, status } = await run(...line.split(" "), "--json");
    const { ok, error } = JSON.parse(stdout);
    assert.equal([ok, typeof error.message, stderr], [false, "string", ""], line);
    assert.is.not(status, 0, line);
  }
});

test("SC-183 colour: none in a pipe or with NO_COLOR or --no-color, some with FORCE_COLOR, the same layout", async () => {
  const status = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    (await runCommand(["status", ...args], gateway.home, env)).stdout;
  const stable = (text: string) => text.replace(/\d+ms|Uptime.*/g, "");
  const forced = await status({ NO_COLOR: "", FORCE_COLOR: "1" });
  assert.match(forced, "\u001b[1mOpenClaw status\u001b[22m");
  const bare = [
    await status({ NO_COLOR: "" }),
    await status({ NO_COLOR: "1", FORCE_COLOR: "1" }),
    await status({ NO_COLOR: "", FORCE_COLOR: "1" }, "--no-color"),
  ];
  for (const text of bare) {
    assert.not.match(text, "\u001b");
    // eslint-disable-next-line no-control-regex
    assert.is(stable(text), stable(forced.replace(/\u001b\[\d+m/g, "")));
  }
});

test("every command has a help with a summary, its usage and an example", async () => {
  for (const words of Object.keys(commands)) {
    const command = await commands[words]?.();
    assert.ok(command && command.summary.endsWith("."), words);
    assert.ok((command.examples ?? []).length > 0, `${words} has an example`);
  }
  const { status, stdout, stderr } = await run("gateway", "call", "--help");
  assert.match(stdout, "Usage: clawlet gateway call <method> [options]");
  assert.match(stdout, "Examples:\n  clawlet gateway call status");
  assert.equal([status, stderr], [0, ""]);
});

test.run();
