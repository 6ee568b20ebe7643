import { test } from "uvu";
import * as assert from "uvu/assert";
import { recordStart, type StartsOptions } from "../../src/gateway/starts.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { scriptedHost } from "../support/host.ts";

const state = "/home/me/.openclaw";
const file = `${state}/starts.json`;

function setUp() {
  const host = scriptedHost();
  host.files.putFolder(state);
  const records: LogRecord[] = [];
  const log = createLogger(() => host.clock.now(), [(record) => void records.push(record)]);
  const start = (mode: StartsOptions["mode"] = "auto") => recordStart(host, { state, log, mode });
  return { host, records, start };
}

test("the fifth start that is killed at once makes the sixth a safe one", async () => {
  const { start } = setUp();
  for (let number = 1; number <= 5; number++) assert.is((await start()).safeMode, undefined, `start ${number}`);
  const { safeMode } = await start();
  assert.is(safeMode?.failures, 5);
  assert.match(safeMode?.reason ?? "", "without a word");
});

test("what a start failed with is why, also when the next ones were only killed; paths begin at the home", async () => {
  const { start } = setUp();
  await (await start()).failed("cannot read /home/me/.openclaw/agents/main/sessions.json");
  for (let number = 0; number < 4; number++) await start();
  assert.is((await start()).safeMode?.reason, "cannot read ~/.openclaw/agents/main/sessions.json");
});

test("safe mode does not end by itself, however it is ended", async () => {
  const { host, start } = setUp();
  for (let number = 0; number < 5; number++) await start();
  const first = await start();
  await first.failed("died in safe mode");
  host.clock.jump(3_600_000);
  const again = await start();
  assert.is(again.safeMode?.failures, 5);
  assert.is(again.safeMode?.since, first.safeMode?.since);
});

test("a person's restart ends it: in this process, or by a stop and a start", async () => {
  const { start } = setUp();
  for (let number = 0; number < 5; number++) await start();
  await (await start()).ended();
  const ordinary = await start();
  assert.is(ordinary.safeMode, undefined);
  for (let number = 0; number < 4; number++) await start();
  const safe = await start();
  assert.ok(safe.safeMode);
  await safe.again();
  assert.is(safe.safeMode, undefined);
  for (let number = 0; number < 4; number++) assert.is((await start()).safeMode, undefined, "counted from the start");
  assert.ok((await start()).safeMode);
});

test("a start that ran for a minute was good: nothing before it counts, and nothing is kept", async () => {
  const { host, start } = setUp();
  for (let number = 0; number < 4; number++) await start();
  const good = await start();
  await host.clock.advance(60_000);
  assert.is(await host.files.read(file), undefined);
  await good.failed("much later");
  assert.is(await host.files.read(file), undefined);
  assert.is((await start()).safeMode, undefined);
});

test("failures that lie far apart are no loop", async () => {
  const { host, start } = setUp();
  for (let number = 0; number < 8; number++) {
    await (await start()).failed("a bad minute");
    await host.clock.advance(200_000);
  }
  assert.is((await start()).safeMode, undefined);
});

test("a refusal counts for nothing, neither as a failure nor as an end of them", async () => {
  const { start } = setUp();
  for (let number = 0; number < 4; number++) await (await start()).failed("broken");
  for (let number = 0; number < 3; number++) await (await start()).refused();
  assert.is((await start()).safeMode, undefined);
  assert.is((await start()).safeMode?.reason, "broken");
});

test("the environment may ask for safe mode, or for none", async () => {
  const { start } = setUp();
  assert.is((await start("on")).safeMode?.failures, 0);
  for (let number = 0; number < 6; number++) await start("off");
  assert.is((await start("off")).safeMode, undefined);
});

test("a record that makes no sense is none, and one that cannot be written keeps nothing from starting", async () => {
  const { host, records, start } = setUp();
  host.files.put(file, '{"failures":"many"');
  assert.is((await start()).safeMode, undefined);
  const write = () => Promise.reject(new Error("ENOSPC: no space left on device"));
  const full = { ...host, files: { ...host.files, write } };
  const log = createLogger(() => 0, [(record) => void records.push(record)]);
  assert.is((await recordStart(full, { state, log, mode: "auto" })).safeMode, undefined);
  assert.ok(records.some(({ level }) => level === "warn"));
});

test.run();
