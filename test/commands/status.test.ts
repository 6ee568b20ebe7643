import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost } from "../support/host.ts";
import { main } from "../../src/main.ts";
import { home, run, token } from "./run.ts";

const runtime = {
  "/home/me/.clawdbot/runtime.json": JSON.stringify({
    pid: 4242,
    port: 18789,
    startedAt: 1,
    url: "ws://127.0.0.1:18789",
  }),
};
const top = `┌${"─".repeat(38)}┐`;
const bottom = `└${"─".repeat(38)}┘`;
const line = (text: string) => `│ ${text.padEnd(36)} │`;

test("SC-110 SC-114 to SC-120 gateway status shows service and RPC probe in the seeds' boxes", async () => {
  const { code, stdout, stderr } = await run(["gateway", "status"], {
    files: { ...home, ...runtime },
    dial: fakeGateway().dial,
  });
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
      "Config: ~/.clawdbot/clawdbot.json",
      "Log file: ~/.clawdbot/logs/gateway.log",
      "Gateway: bind=loopback, port=18789, url=ws://127.0.0.1:18789",
      "Listening: nobody",
      "",
    ].join("\n"),
  );
  assert.equal([code, stderr], [0, ""]);
});

test("SC-111 with --no-probe no connection is made", async () => {
  const gateway = fakeGateway();
  const { code, stdout } = await run(["gateway", "status", "--no-probe"], { files: home, dial: gateway.dial });
  assert.equal([code, gateway.connections.length], [0, 0]);
  assert.not.match(stdout, "RPC probe");
});

test("SC-117 the last error of the log is shown", async () => {
  const log = [
    "2026-11-21T01:52:57.017Z error gateway first thing broke",
    "2026-11-21T01:53:00.000Z error gateway second thing broke code=1",
    "2026-11-21T01:53:01.000Z info  gateway fine",
  ].join("\n");
  const files = { ...home, "/home/me/.clawdbot/logs/gateway.log": log };
  const { stdout } = await run(["gateway", "status", "--no-probe"], { files });
  assert.match(stdout, "Last gateway error: 2026-11-21T01:53:00.000Z second thing broke");
});

test("SC-122 a gateway that runs and does not answer: reason and four checks on stderr, exit 0", async () => {
  const { code, stdout, stderr } = await run(["gateway", "status"], { files: { ...home, ...runtime } });
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
  const { stdout, stderr } = await run(["gateway", "status"], { files: home });
  assert.match(stdout, "Runtime: stopped");
  assert.match(stderr, "Nothing listens there. Start it: clawdbot gateway");
});

test("the owner of the port is named", async () => {
  const host = scriptedHost({ name: "clawdbot", args: ["gateway", "status", "--no-probe"], files: home });
  host.processes.ports.set(18789, [{ pid: 77, command: "node", address: "127.0.0.1:18789" }]);
  await main(host);
  assert.match(host.terminal.stdout.text, "Listening: 127.0.0.1:18789 (node, PID 77)");
});

test("gateway status --deep finds gateways of other profiles", async () => {
  const other = JSON.stringify({ pid: 4242, port: 19001, startedAt: 1, url: "ws://127.0.0.1:19001" });
  const files = { ...home, "/home/me/.clawdbot-dev/runtime.json": other };
  const { stdout } = await run(["gateway", "status", "--no-probe", "--deep"], { files });
  assert.match(stdout, "Other gateway: .clawdbot-dev: ws://127.0.0.1:19001 (PID 4242)");
});

test("SC-187 gateway status --json has the documented keys", async () => {
  const { stdout } = await run(["gateway", "status", "--json"], { files: home, dial: fakeGateway().dial });
  const status = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  for (const key of ["service", "config", "gateway", "port", "rpc", "extraServices"]) assert.ok(key in status, key);
  assert.equal(status["rpc"], { ok: true, url: "ws://127.0.0.1:18789", latencyMs: 0 });
  assert.equal(status["service"]?.["command"], null);
});

const answers = {
  health: () => ({ ok: true, parts: [{ part: "channels", state: "disabled", reason: "wrong" }] }),
  status: () => ({}),
  "sessions.list": () => ({ count: 3, sessions: [] }),
  "channels.status": () => ({ channelOrder: ["telegram"], channelLabels: { telegram: "Telegram" } }),
  "node.list": () => ({ nodes: [{ nodeId: "n", displayName: "Phone", platform: "ios", connected: true }] }),
  "node.pair.list": () => ({ pending: [], paired: [] }),
  "device.pair.list": () => ({ pending: [{}], paired: [{ deviceId: "abc", label: "Laptop", platform: "linux" }] }),
};

test("status shows the whole at a glance", async () => {
  const { code, stdout } = await run(["status"], { files: home, dial: fakeGateway({ methods: answers }).dial });
  assert.is(
    stdout,
    [
      "Clawdbot status",
      "Gateway   ws://127.0.0.1:18789 ✓ reachable (0ms)",
      "Config    ~/.clawdbot/clawdbot.json",
      "State     ~/.clawdbot",
      "Log file  ~/.clawdbot/logs/gateway.log",
      "Version   0.1.0 (this program 0.1.0)",
      "Uptime    1m 5s",
      "Health    ✓ ok",
      "Sessions  3",
      "Channels  telegram",
      "Nodes     1 node, 1 connected, 0 pending",
      "Devices   1 paired, 1 pending",
      "Part      channels: disabled: wrong",
      "",
    ].join("\n"),
  );
  assert.is(code, 0);
});

test("status --all goes into channels, nodes and devices", async () => {
  const { stdout } = await run(["status", "--all"], { files: home, dial: fakeGateway({ methods: answers }).dial });
  assert.match(
    stdout,
    "\nChannels\n  telegram  Telegram\n\nNodes\n  Phone  ios  connected\n\nDevices\n  Laptop  abc  linux\n",
  );
});

test("status of a gateway that is not there says so, exit 0, and --json holds no secret", async () => {
  const human = await run(["status"], { files: home });
  assert.is(human.code, 0);
  assert.match(human.stdout, "✗ unreachable: gateway closed (1006");
  const json = await run(["status", "--json"], { files: home });
  const { gateway } = JSON.parse(json.stdout) as { gateway: { reachable: boolean } };
  assert.is(gateway.reachable, false);
  assert.not.match(json.stdout, token);
});

test.run();
