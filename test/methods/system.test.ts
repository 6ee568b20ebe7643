import { test } from "uvu";
import * as assert from "uvu/assert";
import { scriptedApp } from "../support/app.ts";
import { checkResult } from "../support/official.ts";

test("health is the text that was made before", async () => {
  const { app, call } = scriptedApp();
  assert.equal(await call("health"), JSON.parse(app.health.json()));
});

test("status has the parts and the version", async () => {
  const { app, call } = scriptedApp();
  app.health.setPart({ part: "store", state: "failed", reason: "disk full" });
  const status = (await call("status")) as { runtimeVersion: string; parts: unknown };
  assert.is(status.runtimeVersion, "0.1.0");
  assert.equal(status.parts, [{ part: "store", state: "failed", reason: "disk full" }]);
});

test("a system event lists somebody under the caller's own device, whatever it claims", async () => {
  const { call } = scriptedApp();
  const params = {
    text: "Node: Foo",
    reason: "periodic",
    instanceId: "abc",
    host: "Foo",
    mode: "ui",
    deviceId: "victim",
  };
  assert.equal(await call("system-event", params, { deviceId: "mine" }), { ok: true });
  await call("system-event", params, { deviceId: "mine" });
  const rows = (await call("system-presence")) as { host: string; deviceId?: string; text: string }[];
  assert.is(rows.length, 2);
  assert.is(rows[1]?.deviceId, "mine");
  assert.is(rows[1]?.text, "Node: Foo · mode ui · reason periodic");
});

test("heartbeats can be switched, and none has happened", async () => {
  const { app, call } = scriptedApp();
  assert.equal(await call("set-heartbeats", { enabled: false }), { ok: true, enabled: false });
  assert.is(app.heartbeat.enabled, false);
  assert.is(await call("last-heartbeat"), null);
});

test("system.info tells the machine where the host knows it, and otherwise says so", async () => {
  const { app, call, host } = scriptedApp();
  try {
    await call("system.info");
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /does not say what machine/);
  }
  Object.assign(app, {
    host: { ...host, machine: () => ({ arch: "arm64", cpuCount: 4, memoryTotalBytes: 8e9, memoryFreeBytes: 4e9 }) },
  });
  const info = (await call("system.info")) as { platform: string; release: string; arch: string; port: number };
  checkResult("system.info", info);
  assert.equal([info.platform, info.release, info.arch, info.port], ["linux", "6.1", "arm64", 18_789]);
});

test("users.self is for people who are signed in", async () => {
  try {
    await scriptedApp().call("users.self");
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /users.self requires an authenticated user/);
  }
});

test.run();
