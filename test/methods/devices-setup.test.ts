import { test } from "uvu";
import * as assert from "uvu/assert";
import type { App } from "../../src/app.ts";
import { deviceSetupMethods } from "../../src/methods/devices-setup.ts";
import { scriptedApp } from "../support/app.ts";
import { admin, caller, connect, elsewhere } from "../support/pairing.ts";
import { openDoor, validates } from "../support/door.ts";

/** The two methods on a gateway with this configuration, in this mode. */
async function open(gateway: object = {}, info: Partial<App["info"]> = {}) {
  const { host, config, health, info: usual } = scriptedApp({ config: { gateway } }).app;
  return openDoor(deviceSetupMethods, { host, config, health, info: { ...usual, ...info } });
}

test("device.pair.setupCode answers a code that says where the gateway is and how to come in", async () => {
  const { ask, clock } = await open({ publicOrigin: "https://claw.example" });
  const made = await ask("device.pair.setupCode");
  validates("DevicePairSetupCodeResult", made);
  const content = JSON.parse(atob(made.setupCode.replaceAll("-", "+").replaceAll("_", "/")));
  assert.equal(Object.keys(content), ["url", "bootstrapToken", "expiresAtMs"]);
  assert.equal([content.url, content.expiresAtMs], ["wss://claw.example", clock.now() + 600_000]);
  assert.match(content.bootstrapToken, /^[A-Za-z0-9_-]{43}$/);
  const { gatewayUrl, auth, urlSource, access, qrDataUrl } = made;
  assert.equal([gatewayUrl, auth, urlSource, access], ["wss://claw.example", "token", "gateway.publicOrigin", "full"]);
  assert.match(qrDataUrl, /^data:image\/png;base64,/);
});

test("the picture fits the schema for the longest URL that anybody gives, and is left out when not wanted", async () => {
  const { ask } = await open();
  const publicUrl = `wss://gateway.example/${"x".repeat(490)}`;
  validates("DevicePairSetupCodeResult", await ask("device.pair.setupCode", { publicUrl }));
  assert.is("qrDataUrl" in (await ask("device.pair.setupCode", { publicUrl, includeQr: false })), false);
});

test("a profile narrows what the code gives", async () => {
  const { ask } = await open({ publicOrigin: "https://claw.example" });
  for (const bootstrapProfile of ["limited", "node"])
    assert.is((await ask("device.pair.setupCode", { bootstrapProfile })).access, bootstrapProfile);
  assert.match(await ask("device.pair.setupCode", { bootstrapProfile: "full" }), /bootstrapProfile/);
});

test("where no device could use it, no code is made", async () => {
  const loopback = await open();
  assert.match(
    await loopback.ask("device.pair.setupCode"),
    /^Gateway is only bound to loopback\. Set gateway\.bind=lan/,
  );
  const none = await open({ publicOrigin: "https://claw.example" }, { authMode: "none" });
  assert.is(await none.ask("device.pair.setupCode"), "setup codes need gateway.auth.mode token or password, not none");
  assert.match(await loopback.ask("device.pair.setupCode", { joinUrl: true }), "no join links");
});

test("device.pair.setupStatus is empty until a device has come, and names it then", async () => {
  const { ask, devices } = await open({ publicOrigin: "https://claw.example" });
  const { setupId, setupCode } = await ask("device.pair.setupCode", { bootstrapProfile: "node" });
  assert.equal(await ask("device.pair.setupStatus", { setupId }), {});
  const { bootstrapToken } = JSON.parse(atob(setupCode.replaceAll("-", "+").replaceAll("_", "/")));
  await devices.codes.redeem(bootstrapToken, connect("a", { ...elsewhere, role: "node", scopes: [] }));
  await devices.codes.answered(setupId, true);
  const status = await ask("device.pair.setupStatus", { setupId });
  validates("DevicePairSetupStatusResult", status);
  assert.equal([status.completion.deviceId, status.completion.access], [connect("a").deviceId, "node"]);
});

test("threat F setup codes are an administrator's, and no node's", async () => {
  const { ask } = await open({ publicOrigin: "https://claw.example" });
  for (const { name } of deviceSetupMethods) {
    assert.is(await ask(name, {}, caller(["operator.pairing", "operator.write"])), "missing scope: operator.admin");
    assert.is(await ask(name, {}, { ...admin, role: "node" }), "unauthorized role: node");
  }
});

test.run();
