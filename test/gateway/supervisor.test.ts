import { test } from "uvu";
import * as assert from "uvu/assert";
import { createSupervisor } from "../../src/gateway/supervisor.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { settle } from "../support/fake-clock.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

function setUp(env: Record<string, string>, more: ScriptedOptions & { alive?: () => Promise<unknown> } = {}) {
  const host = scriptedHost({ commands: { "systemd-notify": {} }, ...more, env });
  const records: LogRecord[] = [];
  const log = createLogger(() => host.clock.now(), [(record) => void records.push(record)]);
  const supervisor = createSupervisor(host, { log, alive: more.alive ?? (() => Promise.resolve()) });
  return { host, records, supervisor, told: () => host.processes.ran.map(({ args }) => args.join(" ")) };
}

const systemd = { NOTIFY_SOCKET: "/run/user/1/systemd/notify" };

test("without NOTIFY_SOCKET nothing is run and no timer is armed", async () => {
  const { host, supervisor, told } = setUp({ WATCHDOG_USEC: "60000000" });
  supervisor.ready();
  supervisor.stopping();
  await settle();
  assert.equal(told(), []);
  assert.is(host.clock.armed, 0);
});

test("ready, a restart in the process and the end are told one after the other", async () => {
  const { host, supervisor, told } = setUp(systemd);
  supervisor.ready();
  supervisor.reloading();
  supervisor.ready();
  supervisor.stopping();
  await settle();
  const ready = `--pid=${host.processes.pid} READY=1`;
  assert.equal(told(), [ready, "RELOADING=1", ready, "STOPPING=1"]);
});

test("a sign of life comes twice as often as it is asked for, until the end", async () => {
  const { host, supervisor, told } = setUp({ ...systemd, WATCHDOG_USEC: "60000000", WATCHDOG_PID: "4242" });
  await host.clock.advance(30_000);
  await host.clock.advance(30_000);
  await settle();
  assert.equal(told(), ["WATCHDOG=1", "WATCHDOG=1"]);
  supervisor.close();
  await host.clock.advance(60_000);
  assert.is(told().length, 2);
});

test("there is none while the state folder does not answer", async () => {
  let answers = (): void => undefined;
  const alive = () => new Promise<void>((resolve) => (answers = resolve));
  const { host, told } = setUp({ ...systemd, WATCHDOG_USEC: "2000000" }, { alive });
  await host.clock.advance(5000);
  assert.equal(told(), []);
  answers();
  await settle();
  assert.equal(told(), ["WATCHDOG=1"]);
});

test("a watchdog over another process is not ours to answer", async () => {
  const { host, told } = setUp({ ...systemd, WATCHDOG_USEC: "2000000", WATCHDOG_PID: "1" });
  await host.clock.advance(5000);
  assert.equal(told(), []);
});

test("a machine without systemd-notify is told of once, and costs nothing more", async () => {
  const { host, supervisor, records, told } = setUp(systemd, { commands: {} });
  supervisor.ready();
  supervisor.stopping();
  await settle();
  assert.is(told().length, 1);
  assert.is(records.length, 1);
  assert.is(host.clock.armed, 0);
});

test.run();
