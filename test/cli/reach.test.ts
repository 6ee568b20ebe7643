import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { fakeGateway, hello, Refusal, type FakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost } from "../support/host.ts";
import type { MemoryFiles } from "../support/memory-files.ts";

const far = "ws://10.0.0.9:18789";

const inTheClear =
  "! ws:// to 10.0.0.9:18789 is not encrypted: whoever listens on that network can read the secret and everything else. Use wss:// (gateway.tls), an SSH tunnel or a tailnet.";

async function health(gateway: FakeGateway, disk: MemoryFiles | undefined, ...more: readonly string[]) {
  const args = ["gateway", "health", "--url", far, ...more];
  const host = scriptedHost({ name: "clawdbot", args, dial: gateway.dial, ...(disk ? { disk } : {}) });
  return { code: await main(host), host, stderr: host.terminal.stderr.text };
}

test("another machine's gateway sees a device that proves its key; the token it gives is used from then on", async () => {
  const issued = { ...hello, auth: { role: "operator", scopes: [], deviceToken: "device-token-1" } };
  const gateway = fakeGateway({ connect: () => issued, methods: { health: () => ({ ok: true }) } });
  const first = await health(gateway, undefined, "--token", "shared");
  const disk = first.host.files;
  const stored = JSON.parse((await disk.read("/home/me/.clawdbot/identity/device-auth.json")) ?? "") as JsonObject;
  assert.equal(stored, { version: 1, tokens: { [far]: "device-token-1" } });
  await health(gateway, disk);

  const [a, b] = gateway.connections.map(({ connect }) => connect ?? {});
  const device = (connect: JsonObject | undefined) => connect?.["device"] as JsonObject;
  assert.match(String(device(a)["id"]), /^[0-9a-f]{64}$/);
  assert.is(device(a)["id"], device(b)["id"]);
  assert.equal([a?.["auth"], b?.["auth"]], [{ token: "shared" }, { deviceToken: "device-token-1" }]);
});

test("threat: a device token is given to the gateway that issued it alone", async () => {
  const gateway = fakeGateway({ methods: { health: () => ({ ok: true }) } });
  const disk = scriptedHost({
    files: {
      "/home/me/.clawdbot/identity/device-auth.json": JSON.stringify({
        version: 1,
        tokens: { "ws://10.0.0.8:18789": "of another" },
      }),
    },
  }).files;
  await health(gateway, disk);
  assert.is(gateway.connections[0]?.connect?.["auth"], undefined);
});

test("a device that waits to be paired is told how to be let in", async () => {
  const details = { code: "PAIRING_REQUIRED", reason: "not-paired", requestId: "req-1" };
  const message = "pairing required: device is not approved yet";
  const refusal = new Refusal({ code: "NOT_PAIRED", message, details });
  const { code, stderr } = await health(fakeGateway({ connect: () => refusal }), undefined, "--token", "t");
  assert.is(code, 1);
  assert.is(
    stderr,
    [
      inTheClear,
      message,
      `Gateway target: ${far}`,
      "Source: cli --url",
      "Config: /home/me/.clawdbot/clawdbot.json",
      "Fix: approve this device on the gateway: clawdbot devices approve req-1",
      "",
    ].join("\n"),
  );
});

test("a secret that goes to another machine in the clear is spoken of, once and wherever it goes", async () => {
  const { stderr } = await health(
    fakeGateway({ methods: { health: () => ({ ok: true }) } }),
    undefined,
    "--token",
    "t",
  );
  assert.is(stderr, `${inTheClear}\n`);
});

test("a wrong token says where it went and what to do, and is not shown", async () => {
  const details = { code: "AUTH_TOKEN_MISMATCH" };
  const refusal = new Refusal({ code: "INVALID_REQUEST", message: "unauthorized: gateway token mismatch", details });
  const { stderr } = await health(fakeGateway({ connect: () => refusal }), undefined, "--token", "wrong-one");
  assert.match(stderr, "Fix: pass what this gateway asks for: --token or --password");
  assert.not.match(stderr, "wrong-one");
});

test("an interrupt ends a command that waits, exit 130; a second one at once", async () => {
  const host = scriptedHost({ name: "clawdbot", args: ["health"], dial: fakeGateway({ silent: true }).dial });
  const ended = main(host);
  await host.clock.advance(0);
  host.processes.signal("SIGINT");
  assert.throws(() => host.processes.signal("SIGINT"));
  assert.is(await ended, 130);
  assert.is(host.processes.signal("SIGINT"), 0);
});

test.run();
