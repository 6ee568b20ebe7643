import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway, Refusal } from "../client/fake-gateway.ts";
import { home, run, token } from "./run.ts";

const well = { health: () => ({ ok: true, ts: 1 }) };

for (const line of [["gateway", "health"], ["health"]]) {
  test(`SC-112 SC-121 ${line.join(" ")} says that the gateway is well, as the seeds show it`, async () => {
    const gateway = fakeGateway({ methods: well });
    const { code, stdout, stderr } = await run(line, { files: home, dial: gateway.dial });
    assert.is(
      stdout,
      [
        "Gateway Health",
        "OK (0ms)",
        "✓ Gateway is healthy",
        "✓ WebSocket connection: OK",
        "✓ RPC methods: available",
        "",
      ].join("\n"),
    );
    assert.equal([code, stderr], [0, ""]);
  });
}

test("SC-180 health is asked over WebSocket RPC, without a device and with the least scope", async () => {
  const gateway = fakeGateway({ methods: well });
  await run(["gateway", "health"], { files: home, dial: gateway.dial });
  const [connection] = gateway.connections;
  assert.is(connection?.url, "ws://127.0.0.1:18789");
  assert.equal(connection?.connect?.["scopes"], ["operator.read"]);
  assert.equal(connection?.connect?.["auth"], { token });
  assert.is(connection?.connect?.["device"], undefined);
  assert.equal(gateway.calls, [{ method: "health", params: {} }]);
});

test("SC-182 health --json is the payload and nothing else", async () => {
  const { code, stdout, stderr } = await run(["gateway", "health", "--json"], {
    files: home,
    dial: fakeGateway({ methods: well }).dial,
  });
  assert.equal([code, JSON.parse(stdout), stderr], [0, { ok: true, ts: 1 }, ""]);
});

test("parts that are not well are listed, and a gateway that says it is not well fails", async () => {
  const parts = [
    { part: "channels", state: "disabled", reason: "channels.telegram.token is not a text" },
    { part: "cron", state: "ok" },
  ];
  const dial = fakeGateway({ methods: { health: () => ({ ok: false, parts }) } }).dial;
  const { code, stdout } = await run(["gateway", "health"], { files: home, dial });
  assert.is(code, 1);
  assert.match(stdout, "✗ Gateway is not healthy");
  assert.match(stdout, "! channels: disabled: channels.telegram.token is not a text\n");
  assert.not.match(stdout, "cron");
});

test("nobody there: the block of cli.md 4.4 on stderr, exit 1", async () => {
  const { code, stdout, stderr } = await run(["gateway", "health"], { files: home });
  assert.equal([code, stdout], [1, ""]);
  assert.is(
    stderr,
    [
      "gateway closed (1006 abnormal closure (no close frame)): connection refused",
      "Gateway target: ws://127.0.0.1:18789",
      "Source: local loopback",
      "Config: /home/me/.clawdbot/clawdbot.json",
      "Bind: loopback",
      "",
    ].join("\n"),
  );
});

test("nobody there, with --json: one object on stdout, nothing on stderr", async () => {
  const { code, stdout, stderr } = await run(["gateway", "health", "--json"], { files: home });
  const { ok, error } = JSON.parse(stdout) as { ok: boolean; error: { code: string; message: string } };
  assert.equal([code, ok, error.code, stderr], [1, false, "failed", ""]);
  assert.match(error.message, /^gateway closed \(1006/);
});

test("SC-186 gateway health --url works against a gateway without auth", async () => {
  const gateway = fakeGateway({ methods: well });
  const line = ["gateway", "health", "--url", "ws://127.0.0.1:18789"];
  assert.is((await run(line, { files: home, dial: gateway.dial })).code, 0);
  assert.is(gateway.connections[0]?.connect?.["auth"], undefined);
});

test("SC-185 with --url a gateway that wants credentials is not given the configured ones", async () => {
  const details = { code: "DEVICE_IDENTITY_REQUIRED" };
  const error = { code: "NOT_PAIRED", message: "device identity required", details };
  const gateway = fakeGateway({ connect: () => new Refusal(error) });
  const { code, stderr } = await run(["gateway", "health", "--url", "ws://127.0.0.1:18789"], {
    files: home,
    dial: gateway.dial,
    env: { CLAWDBOT_GATEWAY_TOKEN: "from-env" },
  });
  assert.is(code, 1);
  assert.is(
    stderr,
    [
      "gateway url override requires explicit credentials",
      "Fix: pass --token or --password (or gatewayToken in tools).",
      "Config: /home/me/.clawdbot/clawdbot.json",
      "",
    ].join("\n"),
  );
});

test("finding 4: --token reaches the sub-command wherever it stands", async () => {
  for (const line of [
    ["gateway", "--token", "mine", "health"],
    ["gateway", "health", "--token", "mine"],
  ]) {
    const gateway = fakeGateway({ methods: well });
    await run(line, { files: home, dial: gateway.dial });
    assert.equal(gateway.connections[0]?.connect?.["auth"], { token: "mine" });
  }
});

test("10.1 --dev finds the port of the dev gateway that runs", async () => {
  const runtime = JSON.stringify({ pid: 4242, port: 19001, startedAt: 1, url: "ws://127.0.0.1:19001" });
  const files = { "/home/me/.clawdbot-dev/runtime.json": runtime };
  const gateway = fakeGateway({ methods: well });
  await run(["health", "--dev"], { files, dial: gateway.dial });
  assert.is(gateway.connections[0]?.url, "ws://127.0.0.1:19001");
});

test("a runtime file of a process that is gone is not followed", async () => {
  const runtime = JSON.stringify({ pid: 999, port: 19001, startedAt: 1, url: "ws://127.0.0.1:19001" });
  const gateway = fakeGateway({ methods: well });
  await run(["health"], { files: { "/home/me/.clawdbot/runtime.json": runtime }, dial: gateway.dial });
  assert.is(gateway.connections[0]?.url, "ws://127.0.0.1:18789");
});

test("environment variables and ${NAME} in the file give credentials", async () => {
  const files = {
    "/home/me/.clawdbot/clawdbot.json": '{ gateway: { port: 5000, auth: { token: "${MY_TOKEN}" } } } // JSON5',
    "/home/me/.clawdbot/.env": "MY_TOKEN=out-of-the-file\n",
  };
  const gateway = fakeGateway({ methods: well });
  await run(["health"], { files, dial: gateway.dial });
  await run(["health"], {
    files,
    dial: gateway.dial,
    env: { CLAWDBOT_GATEWAY_TOKEN: "env", CLAWDBOT_GATEWAY_PORT: "6000" },
  });
  assert.equal(
    gateway.connections.map(({ url, connect }) => [url, connect?.["auth"]]),
    [
      ["ws://127.0.0.1:5000", { token: "out-of-the-file" }],
      ["ws://127.0.0.1:6000", { token: "env" }],
    ],
  );
});

test("health is asked even when the configuration cannot be read", async () => {
  const files = { "/home/me/.clawdbot/clawdbot.json": "{ not json" };
  const { code, stderr } = await run(["health"], { files, dial: fakeGateway({ methods: well }).dial });
  assert.is(code, 0);
  assert.match(stderr, /clawdbot\.json: JSON5 parse failed.*Going on with defaults\.\n$/);
});

test("threat: what a gateway sends cannot rewrite the screen, nor does a secret reach it", async () => {
  const parts = [{ part: "x\u001b[2J", state: "failed", reason: "\u202eevil" }];
  const dial = fakeGateway({ methods: { health: () => ({ ok: false, parts }) } }).dial;
  const { stdout } = await run(["health"], { files: home, dial });
  assert.match(stdout, "! x?[2J: failed: ?evil");
  const error = { code: "INVALID_REQUEST", message: "unauthorized: token=abcdefghijklmnopqrstuvwxyz \u001b[2J" };
  const refused = await run(["health"], { files: home, dial: fakeGateway({ connect: () => new Refusal(error) }).dial });
  assert.not.match(refused.stderr, "ghijklmnopqrst");
  assert.not.match(refused.stderr, "\u001b[2J");
});

test.run();
