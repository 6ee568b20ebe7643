import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";
import { main } from "../../src/main.ts";
import { healthy, scriptedService } from "./scripted-service.ts";
import { home, run, token } from "./run.ts";

const runtime = {
  "/home/me/.clawdbot/runtime.json": JSON.stringify({
    pid: 4242,
    port: 18789,
    startedAt: 1,
    url: "ws://127.0.0.1:18789",
  }),
};
const program = { "/usr/bin/clawlet": "" };
const top = `┌${"─".repeat(38)}┐`;
const bottom = `└${"─".repeat(38)}┘`;
const line = (text: string) => `│ ${text.padEnd(36)} │`;
const status = (options: ScriptedOptions = {}, ...flags: readonly string[]) =>
  run(["gateway", "status", ...flags], { files: { ...home, ...program }, ...options });

test("SC-110 SC-114 to SC-120 without a service: both boxes of the seeds, then the facts", async () => {
  const { code, stdout, stderr } = await status({ files: { ...home, ...runtime }, dial: fakeGateway().dial });
  assert.is(
    stdout,
    [
      "Gateway service status",
      top,
      line("Service: not installed"),
      line("Runtime: running (PID 4242)"),
      line("Port: 18789"),
      line("Last gateway error: none"),
      bottom,
      "",
      "RPC probe",
      top,
      line("Target: ws://127.0.0.1:18789"),
      line("Status: ✓ connected"),
      line("Latency: 0ms"),
      bottom,
      "",
      "Log file: ~/.clawdbot/logs/gateway.log",
      "No service manager here: none is known for linux",
      "",
      "Config (cli): ~/.clawdbot/clawdbot.json",
      "",
      "Gateway: bind=loopback (127.0.0.1), port=18789 (env/config)",
      "Probe target: ws://127.0.0.1:18789",
      "Dashboard: http://127.0.0.1:18789/",
      "Probe note: Loopback-only gateway; only local clients can connect.",
      "Version: 0.1.0",
      "",
      "Listening: nobody",
      "",
    ].join("\n"),
  );
  assert.equal([code, stderr], [0, ""]);
});

test("SC-052 SC-059 SC-114 SC-115 SC-188 of a service: its state, command, file, variables and configuration", async () => {
  const running = {
    status: "running",
    pid: 12_345,
    state: "active",
    subState: "running",
    lastExitStatus: 0,
    restarts: 2,
  } as const;
  const { stdout, stderr } = await status({
    dial: fakeGateway().dial,
    services: scriptedService({ runtime: running }),
  });
  for (const text of [
    line("Service: systemd (enabled)"),
    line("Runtime: running (PID 12345)"),
    "Command: /usr/bin/clawlet gateway --port 18789",
    "Service file: ~/.config/systemd/user/clawdbot-gateway.service",
    "Service env: CLAWDBOT_GATEWAY_PORT=18789",
    "Service state: state active, sub running, last exit 0",
    "Restarts: 2, by the system itself",
    "Config (service): ~/.clawdbot/clawdbot.json",
    "port=18789 (service args)",
  ])
    assert.match(stdout, text);
  assert.is(stderr, "");
});

for (const [kind, words] of [
  ["launchd", "LaunchAgent (loaded)"],
  ["systemd", "systemd (enabled)"],
  ["schtasks", "Scheduled Task (registered)"],
] as const)
  test(`SC-114 SC-188 the service is named as people know it: ${words}`, async () => {
    const { stdout } = await status({ services: scriptedService({ kind }) }, "--no-probe");
    assert.match(stdout, line(`Service: ${words}`));
  });

test("a service of the whole system is found when there is none of this person", async () => {
  const { stdout, stderr } = await status(
    { services: scriptedService({ scope: "system", runtime: { status: "stopped", state: "failed" } }) },
    "--no-probe",
  );
  assert.match(stdout, "Service: systemd (enabled, system)");
  assert.match(stderr, "Logs: journalctl -u clawdbot-gateway.service -n 200 --no-pager");
});

test("SC-060 loaded and not running: inactive, with how it ended, how to start it and where the log is", async () => {
  const stopped = { status: "stopped", state: "failed", lastExitStatus: 1, lastExitReason: "1" } as const;
  const { code, stdout, stderr } = await status({ services: scriptedService({ runtime: stopped }) });
  assert.match(stdout, "Runtime: inactive (state failed, last exit 1, reason 1)");
  assert.match(
    stderr,
    "Service is loaded but not running (likely exited immediately).\nStart it: clawdbot gateway start\nLogs: journalctl --user -u clawdbot-gateway.service -n 200 --no-pager\n",
  );
  assert.is(code, 0);
});

test("installed and not loaded: says that it does not start by itself", async () => {
  const { stdout, stderr } = await status(
    { services: scriptedService({ loaded: false, runtime: { status: "stopped" } }) },
    "--no-probe",
  );
  assert.match(stdout, line("Service: systemd (disabled)"));
  assert.match(stdout, line("Runtime: stopped"));
  assert.match(stderr, "it does not start by itself.\nStart it: clawdbot gateway start");
});

test("the system's word on an installed service counts, and a gateway beside it is named", async () => {
  const { stdout, stderr } = await status({
    files: { ...home, ...runtime, ...program },
    dial: fakeGateway().dial,
    services: scriptedService({ runtime: { status: "stopped", state: "inactive" } }),
  });
  assert.match(stdout, "Runtime: inactive");
  assert.match(stderr, "A gateway runs (PID 4242), and it is not the service.");
});

test("cli.md 3.5: a service whose file is gone is told apart from none", async () => {
  const { stdout, stderr } = await status({ services: scriptedService({ installed: false }) }, "--no-probe");
  assert.match(stdout, "Service: systemd (enabled)");
  assert.match(stderr, "Service unit not found");
});

test("cli.md 3.5: without the system's tools the report is the same, and says once why the state is unknown", async () => {
  const services = scriptedService({ installed: false, unavailable: "systemctl --user unavailable: no bus" });
  const { code, stdout, stderr } = await status({ services }, "--no-probe");
  assert.match(stdout, "Service: not installed");
  assert.is(stdout.split("No service manager here: systemctl --user unavailable: no bus").length, 2);
  assert.equal([code, stderr], [0, ""]);
  const installed = scriptedService({ unavailable: "no bus" });
  const other = await status({ services: installed, files: { ...home, ...runtime, ...program } }, "--no-probe");
  assert.match(other.stdout, line("Service: systemd (state unknown)"));
  assert.match(other.stdout, line("Runtime: running (PID 4242)"));
});

test("cli.md 3.5: running and silent: the port and a word on warming up", async () => {
  const { stderr } = await status({ services: scriptedService() });
  assert.match(stderr, "Gateway port 18789 is not listening (service appears running).\nWarm-up: ");
});

test("cli.md 3.5: somebody else has the service's port", async () => {
  const host = scriptedHost({
    name: "clawdbot",
    args: ["gateway", "status", "--json"],
    files: { ...home, ...program },
    services: scriptedService(),
  });
  host.processes.ports.set(18789, [{ pid: 77, command: "nginx", commandLine: "nginx --token abc" }]);
  await main(host);
  const { port } = JSON.parse(host.terminal.stdout.text);
  assert.is(port.hints[0], "Port 18789 is held by nginx (PID 77), not by the service (PID 12345).");
  assert.not.match(host.terminal.stdout.text, "--token abc");
});

test("SC-111 with --no-probe no connection is made", async () => {
  const gateway = fakeGateway();
  const { code, stdout } = await status({ dial: gateway.dial }, "--no-probe");
  assert.equal([code, gateway.connections.length], [0, 0]);
  assert.not.match(stdout, "RPC probe");
});

test("SC-117 the last error of the log is shown", async () => {
  const log = [
    "2026-11-21T01:52:57.017Z error gateway first thing broke",
    "2026-11-21T01:53:00.000Z error gateway second thing broke code=1",
    "2026-11-21T01:53:01.000Z info  gateway fine",
  ].join("\n");
  const { stdout } = await status({ files: { ...home, "/home/me/.clawdbot/logs/gateway.log": log } }, "--no-probe");
  assert.match(stdout, "Last gateway error: 2026-11-21T01:53:00.000Z second thing broke");
});

test("SC-122 a gateway that runs and does not answer: reason and four checks on stderr, exit 0", async () => {
  const { code, stdout, stderr } = await status({ files: { ...home, ...runtime } });
  assert.is(code, 0);
  assert.match(stdout, "Runtime: running (PID 4242)");
  assert.match(stdout, "Status: ✗ failed");
  assert.match(stderr, "RPC probe: failed\nRPC target: ws://127.0.0.1:18789\n  gateway closed (1006");
  for (const check of [
    "gateway status",
    "--token or --password",
    "cat ~/.clawdbot/logs/gateway.log",
    "clawdbot doctor",
  ])
    assert.match(stderr, check);
});

test("nothing runs: says how to start it", async () => {
  const { stdout, stderr } = await status({ services: scriptedService({ installed: false, loaded: false }) });
  assert.match(stdout, line("Runtime: stopped"));
  assert.match(stderr, "Nothing listens there. Start it: clawdbot gateway\n");
  assert.match(stderr, "Service not installed. Run: clawdbot gateway install");
});

test("--require-rpc makes a gateway that does not answer a failure", async () => {
  assert.is((await status({}, "--require-rpc")).code, 1);
  assert.is((await status({ dial: fakeGateway().dial }, "--require-rpc")).code, 0);
  assert.is((await status({}, "--require-rpc", "--no-probe")).code, 2);
});

test("the owner of the port is named", async () => {
  const host = scriptedHost({ name: "clawdbot", args: ["gateway", "status", "--no-probe"], files: home });
  host.processes.ports.set(18789, [{ pid: 77, command: "node", address: "127.0.0.1:18789" }]);
  await main(host);
  assert.match(host.terminal.stdout.text, "Listening: 127.0.0.1:18789 (node, PID 77)");
});

test("SC-189 --deep finds gateways of other profiles, and services of the whole system", async () => {
  const other = JSON.stringify({ pid: 4242, port: 19001, startedAt: 1, url: "ws://127.0.0.1:19001" });
  const foreign = {
    platform: "linux",
    label: "other.service",
    detail: "unit: /etc/systemd/system/other.service",
    scope: "system",
    remove: ["sudo systemctl disable --now other.service"],
  } as const;
  const options = {
    files: { ...home, ...program, "/home/me/.clawdbot-dev/runtime.json": other },
    services: scriptedService({ deep: [foreign] }),
  };
  const { stdout, stderr } = await status(options, "--no-probe", "--deep");
  assert.match(stdout, "Other gateway: .clawdbot-dev: ws://127.0.0.1:19001 (PID 4242)");
  assert.match(stdout, "Other service: other.service (system, unit: /etc/systemd/system/other.service)");
  assert.match(stderr, "Clean up: sudo systemctl disable --now other.service");
  assert.not.match((await status(options, "--no-probe")).stdout, "other.service");
});

test("cli.md 3.5: the service uses another port, configuration, state folder or token: said, and no secret with it", async () => {
  const [mine, its] = ["m".repeat(40), "s".repeat(40)];
  const services = scriptedService({
    installed: {
      program: ["/usr/bin/clawlet", "gateway", "--port", "19001"],
      environment: {
        ...healthy.environment,
        CLAWDBOT_STATE_DIR: "/srv/bot",
        CLAWDBOT_CONFIG_PATH: "/srv/bot/clawdbot.json",
      },
      secrets: { CLAWDBOT_GATEWAY_TOKEN: its },
    },
  });
  const config = JSON.stringify({ gateway: { mode: "local", port: 18789, auth: { token: mine } } });
  const options = { files: { ...program, "/home/me/.clawdbot/clawdbot.json": config }, services };
  const { stdout, stderr } = await status(options, "--no-probe");
  for (const text of [
    "another configuration: /srv/bot/clawdbot.json, and this command line ~/.clawdbot/clawdbot.json",
    "another state folder: /srv/bot, ",
    "another port: 19001, and this command line 18789",
    "another token than this command line",
  ])
    assert.match(stderr, `The service uses ${text}`);
  assert.match(stdout, line("Port: 19001"));
  assert.not.match(stderr, "unit differs: port");
  const json = await status(options, "--no-probe", "--json");
  for (const text of [stdout, stderr, json.stdout])
    for (const secret of [mine, its]) assert.is(text.includes(secret), false);
});

test("a service that was installed with another program says so, and how to renew it", async () => {
  const services = scriptedService({ installed: { program: ["/opt/old", "gateway", "--port", "18789"] } });
  const { stderr } = await status({ services }, "--no-probe");
  assert.match(stderr, /unit differs: program differs: \/opt\/old.*\nrun clawdbot gateway install --force/);
  assert.match(stderr, "Service config issue: The service starts a program that is not there any more. (/opt/old)");
  assert.match(stderr, "Recommendation: clawdbot doctor --fix");
});

test("threat G a token inside an older gateway's unit is shown by nothing", async () => {
  const services = scriptedService({
    installed: {
      program: ["/usr/bin/clawlet", "gateway", "--token", token, `--password=${token}`],
      environment: { ...healthy.environment, CLAWDBOT_GATEWAY_TOKEN: token, DATABASE_URL: `postgres://u:${token}@h` },
    },
  });
  for (const flags of [["--no-probe"], ["--no-probe", "--json"]]) {
    const { stdout, stderr } = await status({ services }, ...flags);
    assert.is((stdout + stderr).includes(token), false);
    assert.match(stdout, "***");
  }
});

test("safe mode is told with its reason", async () => {
  const safeMode = { reason: "channel telegram: boom", failures: 5, since: 1_795_225_078_057 };
  const gateway = fakeGateway({ methods: { health: () => ({ ok: false, safeMode }) } });
  const { stderr } = await status({ dial: gateway.dial });
  assert.match(
    stderr,
    "The gateway runs in safe mode (after 5 failed starts, since 2026-11-21T01:37:58.057Z): channel telegram: boom",
  );
});

test("a configuration that is wrong is named with the key", async () => {
  const files = { "/home/me/.clawdbot/clawdbot.json": JSON.stringify({ gateway: { mode: "local", port: "x" } }) };
  const { stdout, stderr } = await status({ files }, "--no-probe");
  assert.match(stdout, "Config (cli): ~/.clawdbot/clawdbot.json (invalid)");
  assert.match(stderr, "~/.clawdbot/clawdbot.json: gateway.port: ");
});

test("3.5 the probe note names every address that a bind mode means, IPv6 too", async () => {
  const at = (name: string, address: string) =>
    ({ name, address, family: address.includes(":") ? 6 : 4, internal: false }) as const;
  const interfaces = [at("eth0", "2001:db8::5"), at("tailscale0", "fd7a:115c:a1e0::7")];
  const told = async (gateway: object) => {
    const files = { "/home/me/.clawdbot/clawdbot.json": JSON.stringify({ gateway: { mode: "local", ...gateway } }) };
    const { stdout } = await status({ files, interfaces }, "--json", "--no-probe");
    const { bindHost, probeUrl, probeNote } = JSON.parse(stdout).gateway;
    return `${bindHost} ${probeUrl} ${probeNote}`;
  };
  assert.match(await told({ bind: "lan" }), "bind=lan listens on 0.0.0.0 and :: (all interfaces)");
  assert.is(
    await told({ bind: "tailnet" }),
    "fd7a:115c:a1e0::7 ws://[fd7a:115c:a1e0::7]:18789 bind=tailnet listens on fd7a:115c:a1e0::7 and loopback; devices of the tailnet can connect.",
  );
  assert.match(
    await told({ bind: "custom", customBindHost: "2001:db8::5" }),
    "bind=custom listens on 2001:db8::5 and 127.0.0.1.",
  );
});

for (const [bind, host, note] of [
  ["lan", "0.0.0.0", "use a LAN IP for remote clients"],
  ["tailnet", "100.64.1.2", "devices of the tailnet can connect"],
  ["auto", undefined, "LAN addresses where auth is configured"],
] as const)
  test(`3.5 the probe note tells who can reach a gateway with bind=${bind}`, async () => {
    const config = JSON.stringify({ gateway: { mode: "local", bind, auth: { token } } });
    const { stdout } = await status(
      {
        files: { "/home/me/.clawdbot/clawdbot.json": config },
        interfaces: [{ name: "tailscale0", address: "100.64.1.2", family: 4, internal: false }],
      },
      "--no-probe",
    );
    assert.match(stdout, `Gateway: bind=${bind}${host === undefined ? "" : ` (${host})`}, port=18789`);
    assert.match(stdout, note);
  });

const published = { gateway: { mode: "local", auth: { mode: "token", token }, tailscale: { mode: "serve" } } };
for (const [name, parts, fact] of [
  [
    "published",
    [{ part: "tailscale", state: "ok", url: "https://box.tail1234.ts.net/" }],
    ", ✓ https://box.tail1234.ts.net/",
  ],
  ["not published", [{ part: "tailscale", state: "degraded", reason: "serve failed: why" }], ", ✗ serve failed: why"],
  ["unknown", [], ""],
] as const)
  test(`gateway status shows what is configured of Tailscale, and what came of it: ${name}`, async () => {
    const { dial } = fakeGateway({ methods: { health: () => ({ ok: true, parts }) } });
    const files = { "/home/me/.clawdbot/clawdbot.json": JSON.stringify(published) };
    assert.match((await status({ files, dial })).stdout, `\nTailscale: serve${fact}\n`);
    const { gateway, rpc } = JSON.parse((await status({ files, dial }, "--json")).stdout) as {
      gateway: { tailscaleMode: string };
      rpc: { tailscale?: object };
    };
    assert.is(gateway.tailscaleMode, "serve");
    assert.is(rpc.tailscale !== undefined, parts.length > 0);
  });

test("SC-187 cli.md 3.6: gateway status --json has the documented keys", async () => {
  const { stdout, stderr } = await status({ dial: fakeGateway().dial, services: scriptedService() }, "--json");
  const report = JSON.parse(stdout);
  assert.equal(report.service, {
    label: "systemd",
    scope: "user",
    loaded: true,
    loadedText: "enabled",
    notLoadedText: "disabled",
    command: {
      programArguments: healthy.program,
      environment: healthy.environment,
      sourcePath: healthy.path,
    },
    runtime: { status: "running", pid: 12_345 },
    configAudit: { ok: true, issues: [] },
    drift: [],
    lastError: null,
  });
  const config = { path: "/home/me/.clawdbot/clawdbot.json", exists: true, valid: true };
  assert.equal(report.config, { cli: config, daemon: config });
  assert.equal(report.gateway, {
    bindMode: "loopback",
    bindHost: "127.0.0.1",
    port: 18789,
    portSource: "service args",
    probeUrl: "ws://127.0.0.1:18789",
    probeNote: "Loopback-only gateway; only local clients can connect.",
    dashboardUrl: "http://127.0.0.1:18789/",
  });
  assert.equal(report.port, { port: 18789, status: "free", listeners: [], hints: [] });
  assert.equal(report.rpc, { ok: true, url: "ws://127.0.0.1:18789", latencyMs: 0, version: "0.1.0" });
  assert.equal([report.legacyServices, report.extraServices, report.problems, stderr], [[], [], [], ""]);
});

test("cli.md 3.6: --json without a service: command null, and no rpc with --no-probe", async () => {
  const { stdout } = await status({}, "--json", "--no-probe");
  const { service, rpc } = JSON.parse(stdout);
  assert.equal([service.command, service.runtime, rpc], [null, { status: "stopped" }, undefined]);
});

test.run();
