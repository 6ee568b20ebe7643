import { test } from "uvu";
import * as assert from "uvu/assert";
import { deviceScopeMethods } from "../../src/methods/devices-scopes.ts";
import { admin, caller, connect } from "../support/pairing.ts";
import { openDoor, validates } from "../support/door.ts";

const client = { id: "openclaw-control-ui", version: "1", platform: "linux", mode: "webchat" };
const page = caller(["operator.read"], { deviceId: connect("p").deviceId, client });

test("device.scopes.requestUpgrade and waitUpgrade answer as the schema has it", async () => {
  const { ask, devices } = await openDoor(deviceScopeMethods);
  await devices.admit(connect("p", { client }));
  const registered = await ask("device.scopes.requestUpgrade", { scopes: ["operator.write"] }, page);
  validates("ScopeUpgradeRegistration", registered);
  const wait = ask("device.scopes.waitUpgrade", registered, page);
  await devices.approve(registered.requestId, admin);
  const approved = await wait;
  validates("ScopeUpgradeApproved", approved);
  assert.equal(approved.scopes, ["operator.read", "operator.write"]);
  const again = await ask("device.scopes.requestUpgrade", { scopes: ["operator.admin"] }, page);
  await devices.reject(again.requestId);
  validates("ScopeUpgradeRejected", await ask("device.scopes.waitUpgrade", again, page));
  validates("ScopeUpgradeExpired", await ask("device.scopes.waitUpgrade", { requestId: "nobody" }, page));
});

test("threat F scope upgrades are asked for by operators, one to eight scopes at a time", async () => {
  const { ask, devices } = await openDoor(deviceScopeMethods);
  await devices.admit(connect("p", { client }));
  for (const scopes of [[], Array.from({ length: 9 }, () => "operator.read")])
    assert.match(await ask("device.scopes.requestUpgrade", { scopes }, page), /scopes/);
  const node = { ...page, role: "node" as const };
  assert.is(await ask("device.scopes.requestUpgrade", { scopes: ["operator.read"] }, node), "unauthorized role: node");
});

test.run();
