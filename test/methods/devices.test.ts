import { test } from "uvu";
import * as assert from "uvu/assert";
import { deviceMethods } from "../../src/methods/devices.ts";
import { caller, connect, elsewhere, pending } from "../support/pairing.ts";
import { openDoor, validates } from "../support/door.ts";

const { deviceId } = connect("a");

test("device.pair.list shows who is paired, who waits and who is connected, and never a token", async () => {
  const { ask, devices, online } = await openDoor(deviceMethods);
  await devices.admit(connect("a"));
  await devices.admit(connect("b", elsewhere));
  online.push(caller([], { deviceId }));
  const { paired, pending } = await ask("device.pair.list");
  assert.equal([paired.length, paired[0].connected, pending.length], [1, true, 1]);
  assert.is(pending[0].remoteIp, "192.0.2.7");
  validates("DevicePairRequestedEvent", pending[0]);
  assert.not.match(JSON.stringify(paired), /"token"/);
});

test("device.pair.approve, reject, rename and remove answer with what they changed", async () => {
  const { ask, devices } = await openDoor(deviceMethods);
  const first = pending(await devices.admit(connect("a", elsewhere))).request;
  const approved = await ask("device.pair.approve", { requestId: first.requestId });
  assert.equal([approved.requestId, approved.device.deviceId], [first.requestId, deviceId]);
  const second = pending(await devices.admit(connect("b", elsewhere))).request;
  assert.equal(await ask("device.pair.reject", { requestId: second.requestId }), {
    requestId: second.requestId,
    deviceId: second.deviceId,
  });
  assert.equal(await ask("device.pair.rename", { deviceId, label: " Kitchen " }), { deviceId, label: "Kitchen" });
  assert.is((await ask("device.pair.list")).paired[0].label, "Kitchen");
  assert.equal(await ask("device.pair.remove", { deviceId }), { deviceId });
  assert.is((await ask("device.pair.list")).paired.length, 0);
});

test("what is not there is named", async () => {
  const { ask } = await openDoor(deviceMethods);
  assert.is(await ask("device.pair.approve", { requestId: "nope" }), "unknown requestId");
  assert.is(await ask("device.pair.reject", { requestId: "nope" }), "unknown requestId");
  assert.is(await ask("device.pair.remove", { deviceId: "x" }), "unknown deviceId");
  assert.is(await ask("device.token.rotate", { deviceId: "x", role: "operator" }), "device token rotation denied");
  assert.is(await ask("device.token.revoke", { deviceId: "x", role: "operator" }), "device token revocation denied");
  assert.match(await ask("device.pair.approve", { requestId: "../x" }), /requestId/);
  assert.match(await ask("device.pair.rename", { deviceId, label: "a\u001b[2Jb" }), /label/);
});

test("device.token.rotate withholds another device's token, and gives a device its own", async () => {
  const { ask, devices } = await openDoor(deviceMethods);
  await devices.admit(connect("a", { scopes: ["operator.pairing"] }));
  const foreign = await ask("device.token.rotate", { deviceId, role: "operator" });
  assert.equal([foreign.tokenDelivery, "token" in foreign], ["withheld-cross-device", false]);
  validates("DeviceTokenRotateResult", foreign);
  const self = caller(["operator.pairing"], { deviceId });
  const own = await ask("device.token.rotate", { deviceId, role: "operator" }, self);
  assert.is(own.tokenDelivery, "in-band");
  validates("DeviceTokenRotateResult", own);
  assert.is((await devices.verifyToken(deviceId, "operator", own.token, [])).result, "ok");
});

test("device.token.revoke voids the token", async () => {
  const { ask, devices, clock } = await openDoor(deviceMethods);
  await devices.admit(connect("a"));
  const revokedAtMs = clock.now();
  assert.equal(await ask("device.token.revoke", { deviceId, role: "operator" }), {
    deviceId,
    role: "operator",
    revokedAtMs,
  });
});

test("threat F: every device method needs the pairing scope and an operator", async () => {
  const { ask } = await openDoor(deviceMethods);
  for (const { name } of deviceMethods) {
    assert.is(await ask(name, {}, caller(["operator.write"])), "missing scope: operator.pairing");
    assert.is(await ask(name, {}, caller([], { role: "node", deviceId })), "unauthorized role: node");
  }
});

test.run();
