import { test } from "uvu";
import * as assert from "uvu/assert";
import { forceFreePortAndWait, type FreedPort } from "../../src/host/free-port.ts";
import type { PortOwner } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";

const node: PortOwner = { pid: 9876, command: "node" };

test("SC-077 SC-243 a free port needs nothing", async () => {
  const host = scriptedHost();
  assert.equal(await forceFreePortAndWait(host, 18789), { killed: [], waitedMs: 0, escalated: false });
  assert.equal(host.processes.kills, []);
});

test("SC-070 SC-073 a polite owner is asked once and not waited for", async () => {
  const host = holding(node, { ...node, address: "[::1]:18789" });
  assert.equal(await forceFreePortAndWait(host, 18789), { killed: [node], waitedMs: 0, escalated: false });
  assert.equal(host.processes.kills, [{ pid: 9876, signal: "SIGTERM" }]);
});

test("SC-071 SC-073 an owner that takes 250 ms is waited for and not killed", async () => {
  const host = holding(node);
  host.processes.stubborn.add(9876);
  host.clock.after(250, () => void host.processes.ports.delete(18789));
  assert.equal(await freed(host), { killed: [node], waitedMs: 300, escalated: false });
  assert.equal(host.processes.kills.length, 1);
});

test("SC-074 an owner that ignores SIGTERM for 700 ms gets SIGKILL", async () => {
  const host = holding(node);
  host.processes.stubborn.add(9876);
  assert.equal(await freed(host), { killed: [node], waitedMs: 800, escalated: true });
  assert.equal(
    host.processes.kills.map(({ signal }) => signal),
    ["SIGTERM", "SIGKILL"],
  );
});

test("SC-075 after two seconds it gives up and names who is left", async () => {
  const host = holding(node);
  host.processes.stubborn.add(9876);
  const back: PortOwner = { pid: 9900, command: "node", user: "me" };
  host.clock.every(50, () => void host.processes.ports.set(18789, [back]));
  const failure = await failed(host);
  assert.is(failure.code, "conflict");
  assert.match(failure.message, /port 18789 .* 2000 ms .*pid 9900 \(node, user me\)/);
  assert.not(host.processes.kills.some(({ pid }) => pid === 9900));
});

for (const [who, pid] of [
  ["this process", 4242],
  ["a process it runs under", 77],
] as const)
  test(`${who} is never killed, and neither are the others then`, async () => {
    const host = holding(node, { pid, command: "npm" });
    host.processes.parents.push(77);
    const failure = await failed(host);
    assert.match(failure.message, `pid ${pid} (npm)`);
    assert.equal(host.processes.kills, []);
  });

test("an owner that this user may not stop is named", async () => {
  const host = holding({ pid: 9876, command: "nginx", user: "root" });
  host.processes.kill = () => {
    throw new Error("EPERM");
  };
  const failure = await failed(host);
  assert.match(failure.message, "pid 9876 (nginx, user root), which this user may not stop");
});

test("an owner that ended in between is no error", async () => {
  const host = holding(node);
  host.processes.kill = (pid) => {
    host.processes.living.delete(pid);
    host.processes.ports.clear();
    throw new Error("ESRCH");
  };
  assert.is((await forceFreePortAndWait(host, 18789)).killed.length, 1);
});

function holding(...owners: PortOwner[]): ScriptedHost {
  const host = scriptedHost();
  for (const { pid } of owners) host.processes.living.add(pid);
  host.processes.ports.set(18789, owners);
  return host;
}

async function freed(host: ScriptedHost): Promise<FreedPort> {
  const work = forceFreePortAndWait(host, 18789);
  await host.clock.advance(3000);
  return work;
}

async function failed(host: ScriptedHost): Promise<Failure> {
  const work = forceFreePortAndWait(host, 18789).then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
  await host.clock.advance(3000);
  const error = await work;
  if (!(error instanceof Failure)) throw error;
  return error;
}

test.run();
