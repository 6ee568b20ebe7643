import { test } from "uvu";
import * as assert from "uvu/assert";
import { createHealth, type HealthOptions } from "../../src/gateway/health.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { noSessions, scriptedConfig } from "../support/app.ts";
import { scriptedHost } from "../support/host.ts";

function setUp(options: Partial<HealthOptions> = {}) {
  const host = scriptedHost();
  const config = scriptedConfig();
  const health = createHealth(host, config, {
    owner: () => undefined,
    paths: pathsOf(host, flavours.openclaw, ""),
    sessions: noSessions,
    ...options,
  });
  return { host, config, health };
}

test("a gateway with nothing wrong is ok", () => {
  const { health } = setUp();
  const { ok, defaultAgentId, parts } = health.snapshot();
  assert.equal({ ok, defaultAgentId, parts }, { ok: true, defaultAgentId: "main", parts: [] });
});

test("a part that failed makes it not ok; degraded and disabled ones only say so", () => {
  const { health } = setUp();
  health.setPart({ part: "discovery", state: "degraded", reason: "no network" });
  health.setPart({ part: "cron", state: "disabled" });
  assert.is(health.snapshot().ok, true);
  health.setPart({ part: "store", state: "failed", reason: "disk full" });
  assert.is(health.snapshot().ok, false);
  health.setPart({ part: "store", state: "ok" });
  assert.is(health.snapshot().ok, true);
});

test("a configuration section that is wrong is a disabled part with the reason", () => {
  const { health, config } = setUp();
  const stop = health.start();
  const issue = { path: "channels.telegram", message: "wants a token" };
  config.become({}, { disabled: [{ section: "channels", issue }] });
  assert.equal(health.snapshot()["parts"], [
    { part: "config.channels", state: "disabled", reason: "channels.telegram: wants a token" },
  ]);
  assert.is(health.snapshot().ok, true);
  stop();
});

test("the text is made once, until something changes", () => {
  const { health } = setUp();
  const before = health.json();
  assert.is(health.json(), before);
  assert.equal(JSON.parse(before), JSON.parse(JSON.stringify(health.snapshot())));
  const { version } = health;
  health.setPart({ part: "store", state: "ok" });
  health.setPart({ part: "store", state: "ok" });
  assert.is(health.version, version + 1);
  assert.is.not(health.json(), before);
});

test("the time in it is refreshed by a timer, not by asking", async () => {
  const { health, host } = setUp();
  const stop = health.start();
  const before = health.snapshot().ts;
  await host.clock.advance(9000);
  assert.is(health.snapshot().ts, before);
  await host.clock.advance(1000);
  assert.is(health.snapshot().ts, before + 10_000);
  stop();
  assert.is(host.clock.armed, 0);
});

test("changes are told", () => {
  let told = 0;
  const { health } = setUp({ onChange: () => void (told += 1) });
  health.setPart({ part: "store", state: "failed", reason: "disk full" });
  health.changed();
  assert.is(told, 2);
});

test("SC-151 a standby names the process that owns the state folder", () => {
  const { health } = setUp({ owner: () => ({ pid: 77, port: 18_789 }) });
  assert.equal(health.snapshot()["standby"], { pid: 77, port: 18_789 });
  assert.not.ok("standby" in setUp().health.snapshot());
});

test("a loop that stood still is reported for a minute", async () => {
  const host = scriptedHost();
  let stall = 0;
  const clock = { ...host.clock, monotonic: () => host.clock.monotonic() + stall };
  const health = createHealth({ ...host, clock }, scriptedConfig(), {
    owner: () => undefined,
    paths: pathsOf(host, flavours.openclaw, ""),
    sessions: noSessions,
  });
  health.start();
  await host.clock.advance(1000);
  stall = 2500;
  await host.clock.advance(9000);
  assert.equal(health.snapshot()["eventLoop"], {
    degraded: true,
    degradedSinceMs: host.clock.now() - 8000,
    reasons: ["event_loop_delay"],
    intervalMs: 1000,
    delayP99Ms: 2500,
    delayMaxMs: 2500,
  });
  await host.clock.advance(70_000);
  assert.equal((health.snapshot()["eventLoop"] as { degraded: boolean }).degraded, false);
});

test.run();
