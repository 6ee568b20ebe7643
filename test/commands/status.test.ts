import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway } from "../client/fake-gateway.ts";
import { home, run, token } from "./run.ts";

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

for (const [part, row] of [
  [{ state: "ok", url: "https://box.tail1234.ts.net/" }, "\nTailscale  ✓ https://box.tail1234.ts.net/\n"],
  [{ state: "degraded", reason: "serve failed: \u001b[2Jno" }, "\nTailscale  ✗ serve failed: "],
] as const)
  test(`status shows where Tailscale leads to the gateway, or why nowhere: ${part.state}`, async () => {
    const health = () => ({ ok: true, parts: [{ part: "tailscale", ...part }] });
    const { dial } = fakeGateway({ methods: { ...answers, health } });
    const { stdout } = await run(["status"], { files: home, dial });
    assert.match(stdout, row);
    assert.not.match(stdout, "\nPart ");
    assert.not.match(stdout, "\u001b");
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
