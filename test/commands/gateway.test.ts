import { test } from "uvu";
import * as assert from "uvu/assert";
import { gatewayRun } from "../../src/commands/gateway.ts";
import { codes, Failure } from "../../src/kit/error.ts";
import { settle } from "../support/fake-clock.ts";
import type { ScriptedHost } from "../support/host.ts";
import { machine, otherProcess, refused, started, type Foreground } from "./foreground.ts";

const state = "/home/me/.clawdbot";
const file = `${state}/clawdbot.json`;
const local = { [file]: '{"gateway":{"mode":"local"}}' };
const long = "0123456789abcdef01234567";

test("SC-004 SC-031 SC-032 SC-033 SC-034 SC-035 starts, says where, and stays until SIGTERM", async () => {
  const run = await started(["gateway"], machine({ files: local }));
  assert.is(
    run.stdout(),
    `✓ agent model: anthropic/claude-opus-4-5
✓ listening on ws://127.0.0.1:18789 (PID 4242)
✓ listening on ws://[::1]:18789
✓ log file: ${state}/logs/gateway.log
`,
  );
  assert.not.ok(run.ended());
  assert.is(await run.stop(), 0);
  assert.match(run.host.files.snapshot()[`${state}/logs/gateway.log`] ?? "", "listening on ws://127.0.0.1:18789");
  assert.is(run.host.processes.title, "clawdbot-gateway");
});

test("SC-005 gateway run is the same command", async () => {
  const { commands } = await import("../../src/commands/index.ts");
  assert.is(await commands["gateway run"]?.(), gatewayRun);
});

test("SC-009 SC-036 SC-037 port: flag, then environment, then configuration, then 18789", async () => {
  const files = { [file]: '{"gateway":{"mode":"local","port":20001}}' };
  const env = { CLAWDBOT_GATEWAY_PORT: "20002" };
  assert.is((await stopped(["gateway", "--port", "20003"], machine({ files, env }))).opened.port(), 20003);
  assert.is((await stopped(["gateway"], machine({ files, env }))).opened.port(), 20002);
  assert.is((await stopped(["gateway"], machine({ files }))).opened.port(), 20001);
  assert.is((await stopped(["gateway"], machine({ files: local }))).opened.port(), 18789);
});

for (const port of ["abc", "0", "99999"])
  test(`--port ${port} is wrong usage`, async () => {
    const failure = await refused(["gateway", "--port", port], machine({ files: local }));
    assert.is(codes[failure.code].exit, 2);
    assert.match(failure.message, "Invalid port");
  });

test("a wrong port in the environment is named", async () => {
  const failure = await refused(["gateway"], machine({ files: local, env: { CLAWDBOT_GATEWAY_PORT: "99999" } }));
  assert.is(failure.code, "usage");
  assert.match(failure.message, 'Invalid port "99999"');
});

for (const [flag, text] of [
  ["--bind", 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")'],
  ["--ws-log", 'Invalid --ws-log (use "auto", "full", "compact")'],
  ["--tailscale", 'Invalid --tailscale (use "off", "serve", or "funnel")'],
] as const)
  test(`SC-165 ${flag} foo is wrong usage, with the choices`, async () => {
    const failure = await refused(["gateway", flag, "foo"], machine({ files: local }));
    assert.is(codes[failure.code].exit, 2);
    assert.match(failure.message.replace(", or ", ", "), text.replace(", or ", ", "));
  });

test("SC-160 --auth foo is wrong usage", async () => {
  assert.match((await refused(["gateway", "--auth", "foo"], machine())).message, "Invalid --auth (use ");
});

for (const [mode, text] of [
  ["unset", "{}"],
  ["remote", '{"gateway":{"mode":"remote"}}'],
] as const)
  test(`SC-130 SC-132 mode ${mode} is refused, with the three ways out`, async () => {
    const failure = await refused(["gateway"], machine({ files: { [file]: text } }));
    assert.is(codes[failure.code].exit, 78);
    assert.is(
      failure.message,
      `Gateway start blocked: set gateway.mode=local (current: ${mode}) or pass --allow-unconfigured.`,
    );
    const hints = failure.hints.join("\n");
    for (const fix of [
      "clawdbot onboard",
      '{"gateway":{"mode":"local"}} in ~/.clawdbot/clawdbot.json',
      "--allow-unconfigured",
    ])
      assert.match(hints, fix);
  });

test("SC-130 no configuration at all has its own text", async () => {
  const failure = await refused(["gateway"], machine());
  assert.is(codes[failure.code].exit, 78);
  assert.match(failure.message, "Missing config. Run `clawdbot setup` or set gateway.mode=local");
});

test("SC-011 SC-131 --allow-unconfigured starts with nothing configured", async () => {
  assert.match((await stopped(["gateway", "--allow-unconfigured"], machine())).stdout(), "listening on");
});

test("a refused start changes nothing on the disk", async () => {
  const host = machine({ files: local });
  await refused(["gateway", "--bind", "lan"], host);
  assert.equal(Object.keys(host.files.snapshot()), [file]);
});

test("SC-007 SC-047 SC-135 lan without auth is refused with status 78", async () => {
  const failure = await refused(["gateway", "--bind", "lan"], machine({ files: local }));
  assert.is(codes[failure.code].exit, 78);
  assert.is(failure.message, "Refusing to bind gateway to lan without auth.");
  assert.equal(failure.hints, [
    "Set gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.",
  ]);
});

test("SC-137 SC-138 lan starts with a token from flag or environment", async () => {
  for (const [line, env] of [
    [["gateway", "--bind", "lan", "--token", long], {}],
    [["gateway", "--bind", "lan"], { CLAWDBOT_GATEWAY_TOKEN: long }],
  ] as const) {
    const exposure = (await stopped(line, machine({ files: local, env }))).opened.expose();
    assert.equal("addresses" in exposure && exposure.addresses, ["0.0.0.0"]);
  }
});

test("a changed configuration is asked for exposure again, under the same flags", async () => {
  const run = await started(["gateway", "--token", long], machine({ files: local }));
  await run.opened.config.set("gateway.auth.token", "another", { by: "test" });
  const exposure = run.opened.expose();
  assert.is("token" in exposure && exposure.token, long);
  await run.stop();
});

test("SC-006 SC-072 SC-078 --force frees the port first and says so", async () => {
  const host = machine({ files: local });
  host.processes.living.add(9876);
  host.processes.ports.set(18789, [{ pid: 9876, command: "node" }]);
  const run = await started(["gateway", "--force"], host);
  assert.match(run.stdout(), /^force: killed pid 9876 \(node\) on port 18789\n✓ agent model/);
  await run.stop();
});

test("SC-140 SC-141 a port of somebody else: its owner and the ways out", async () => {
  const host = machine({ files: local });
  host.processes.ports.set(18789, [
    { pid: 77, command: "nginx", user: "root", commandLine: "nginx -g x", address: "0.0.0.0:18789" },
  ]);
  const failure = await refused(["gateway"], host, () => {
    throw new Failure("conflict", "taken", { details: { errno: "EADDRINUSE" } });
  });
  assert.is(codes[failure.code].exit, 1);
  assert.is(failure.message, "Error: listen EADDRINUSE: address already in use :::18789");
  const hints = failure.hints.join("\n");
  for (const text of [
    "- pid 77 root: nginx -g x (0.0.0.0:18789)",
    "- Another process is listening on this port.",
    "clawdbot gateway --force",
    "clawdbot gateway --port 19001",
    "lsof -ti:18789 | xargs kill -9",
  ])
    assert.match(hints, text);
  assert.not.ok(`${state}/gateway.lock` in host.files.snapshot(), "the lock is given back");
});

test("SC-150 SC-151 the same port twice: who runs, and the three ways out", async () => {
  const first = await started(["gateway", "--token", long], machine({ files: local }));
  const failure = await refused(["gateway"], otherProcess(first.host));
  assert.is(codes[failure.code].exit, 1);
  assert.match(failure.message, "Gateway already running locally (pid 4242, port 18789)");
  const hints = failure.hints.join("\n");
  for (const text of [
    "pid 4242: clawdbot gateway --token ***, since 2026-11-21T00:00:00.000Z",
    "EADDRINUSE: address already in use :::18789",
    "clawdbot gateway stop",
    "clawdbot gateway restart",
    "clawdbot gateway --port 19001",
  ])
    assert.match(hints, text);
  await first.stop("SIGTERM");
});

test("what is wrong or unknown in the configuration is named at the start, and does not stop it", async () => {
  const config = '{gateway: {mode: "local", prt: 1}, models: 5}';
  const run = await started(["gateway"], machine({ files: { [file]: config } }));
  assert.match(run.host.terminal.stderr.text, "config: models: is 5; set it to an object, or remove it");
  assert.match(run.host.terminal.stderr.text, "config: gateway.prt is not a known key; kept and ignored");
  await run.stop("SIGTERM");
});

test("SC-151 another port on the same state stands by and takes over when the first is gone", async () => {
  const first = await started(["gateway"], machine({ files: local }));
  const host = otherProcess(first.host);
  const standby = await started(["gateway", "--port", "19001"], host);
  assert.match(host.terminal.stderr.text, "standing by: pid 4242 on port 18789 owns this state folder");
  assert.equal(standby.opened.owner(), { ...standby.opened.owner(), pid: 4242, port: 18789 });
  assert.is(runtimeOf(host).port, 18789);

  await first.stop("SIGTERM");
  await host.clock.advance(3000);
  assert.is(standby.opened.owner(), undefined);
  assert.equal(standby.calls, ["takeOver"]);
  assert.match(standby.stdout(), "took over: pid 4242 is gone");
  assert.is(runtimeOf(host).port, 19001);
  await standby.stop("SIGTERM");
});

test("the runtime file tells where the gateway is, and goes with it", async () => {
  const run = await started(["gateway", "--port", "20000"], machine({ files: local }));
  assert.equal(runtimeOf(run.host), {
    pid: 4242,
    port: 20000,
    url: "ws://127.0.0.1:20000",
    startedAt: Date.UTC(2026, 10, 21),
  });
  await run.stop();
  assert.not.ok(`${state}/runtime.json` in run.host.files.snapshot());
});

test("a gateway that opened but cannot be recorded is closed again, and the state folder is free", async () => {
  const host = machine({ files: local });
  host.files.before = (operation, path) => {
    if (operation === "write" && path.endsWith("runtime.json")) throw new Error("ENOSPC: no space left on device");
  };
  const run = await started(["gateway"], host);
  assert.match(String(await run.outcome), "ENOSPC");
  assert.equal(run.calls, ["close gateway failed to start"]);
  assert.not.ok(`${state}/gateway.lock` in host.files.snapshot());
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`SC-170 the first ${signal} drains and ends with status 0`, async () => {
    const run = await started(["gateway"], machine({ files: local }));
    assert.is(await run.stop(signal), 0);
    assert.equal(run.calls, ["close gateway stopping"]);
    assert.match(run.stdout(), `received ${signal}; shutting down`);
  });

test("SC-170 a second signal ends at once with 130, a copy of the first does not", async () => {
  const run = await started(["gateway"], machine({ files: local }), { closes: false });
  run.host.processes.signal("SIGINT");
  run.host.processes.signal("SIGINT");
  await run.host.clock.advance(1000);
  assert.throws(
    () => run.host.processes.signal("SIGINT"),
    (error: Error) => error.message === "exit 130",
  );
});

test("a drain that does not end is given up after thirty seconds", async () => {
  const run = await started(["gateway"], machine({ files: local }), { closes: false });
  run.host.processes.signal("SIGTERM");
  await run.host.clock.advance(29_900);
  assert.not.ok(run.ended());
  await run.host.clock.advance(200);
  assert.is(await run.outcome, "exit 0");
  assert.match(run.host.terminal.stderr.text, "did not drain in time");
});

test("SC-169 SIGUSR1 restarts in this process and says where it listens again", async () => {
  const run = await started(["gateway"], machine({ files: local }));
  run.host.processes.signal("SIGUSR1");
  await settle();
  assert.equal(run.calls, ["restart"]);
  assert.is(run.stdout().match(/listening on ws:\/\/127\.0\.0\.1:18789 \(PID 4242\)/g)?.length, 2);
  await run.stop();
});

test("SC-169 SIGUSR1 without commands.restart is ignored with a warning", async () => {
  const run = await started(
    ["gateway"],
    machine({
      files: { [file]: '{"gateway":{"mode":"local"},"commands":{"restart":false}}' },
    }),
  );
  run.host.processes.signal("SIGUSR1");
  await settle();
  assert.equal(run.calls, []);
  assert.match(
    run.host.terminal.stderr.text,
    "SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).",
  );
  await run.stop();
});

test("SC-169 a restart that a client asks for happens too", async () => {
  const run = await started(["gateway"], machine({ files: local }));
  run.opened.onRestartRequest("config.apply");
  await settle();
  assert.equal(run.calls, ["restart"]);
  await run.stop();
});

test("SC-010 SC-163 --verbose shows debug records", async () => {
  const run = await started(["gateway", "--verbose"], machine({ files: local }));
  run.opened.log.debug("detail");
  assert.is(run.opened.verbose, true);
  assert.match(run.stdout(), "[gateway] detail");
  await run.stop();
});

test("SC-164 --claude-cli-logs silences everything else on the console", async () => {
  assert.is((await stopped(["gateway", "--claude-cli-logs"], machine({ files: local }))).stdout(), "");
});

test("SC-165 SC-166 --compact is --ws-log compact, and auto is usual", async () => {
  for (const [line, style] of [
    [["gateway"], "auto"],
    [["gateway", "--ws-log", "full"], "full"],
    [["gateway", "--compact"], "compact"],
  ] as const)
    assert.is((await stopped(line, machine({ files: local }))).opened.wsLog, style);
});

test("--json prints one JSON object a line", async () => {
  const lines = (await stopped(["gateway", "--json"], machine({ files: local }))).stdout().trim().split("\n");
  assert.is(JSON.parse(lines[1] ?? "").message, "listening on ws://127.0.0.1:18789 (PID 4242)");
});

async function stopped(line: readonly string[], host: ScriptedHost): Promise<Foreground> {
  const run = await started(line, host);
  await run.stop();
  return run;
}

function runtimeOf(host: ScriptedHost): { port: number } {
  return JSON.parse(host.files.snapshot()[`${state}/runtime.json`] ?? "null");
}

test.run();
