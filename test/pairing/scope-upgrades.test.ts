import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Caller } from "../../src/protocol/caller.ts";
import { admin, type Bench, caller, connect, elsewhere, openBench, refusal } from "../support/pairing.ts";

const client = { id: "openclaw-control-ui", version: "1", platform: "linux", mode: "webchat" };
const minute = 60_000;
const { signal } = new AbortController();

/** A page with a device that may read, as the gateway knows it. */
async function page(bench: Bench, name = "p"): Promise<Caller> {
  await bench.devices.admit(connect(name, { client }));
  return caller(["operator.read"], { deviceId: connect(name).deviceId, client });
}

test("what the owner approves comes to who waits, with the new token", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const asking = await page(bench);
  const { requestId } = await upgrades.request(asking, ["operator.read", "operator.write"]);
  const [request] = devices.list().pending;
  assert.equal([request?.requestId, request?.isRepair, request?.scopes.length], [requestId, true, 2]);
  const wait = upgrades.wait(asking, requestId, signal);
  await devices.approve(requestId, admin);
  const upgrade = await wait;
  assert.ok(upgrade.status === "approved");
  assert.equal(upgrade.scopes, ["operator.read", "operator.write"]);
  const { deviceId = "" } = asking;
  assert.is((await devices.verifyToken(deviceId, "operator", upgrade.deviceToken, ["operator.write"])).result, "ok");
});

test("an answer that came before anybody waited is kept for who comes for it", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const asking = await page(bench);
  const { requestId } = await upgrades.request(asking, ["operator.write"]);
  await devices.approve(requestId, admin);
  assert.is((await upgrades.wait(asking, requestId, signal)).status, "approved");
});

test("a rejection, and another request of the same device, end the wait", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const asking = await page(bench);
  const first = await upgrades.request(asking, ["operator.write"]);
  assert.equal(await upgrades.request(asking, ["operator.write"]), first, "the same again is the same request");
  const wait = upgrades.wait(asking, first.requestId, signal);
  const second = await upgrades.request(asking, ["operator.admin"]);
  assert.equal(await wait, { status: "rejected", requestId: first.requestId });
  const other = upgrades.wait(asking, second.requestId, signal);
  await devices.reject(second.requestId);
  assert.is((await other).status, "rejected");
});

test("a request that nobody answers expires, and one that is not known has", async () => {
  const bench = await openBench();
  const asking = await page(bench);
  const { requestId } = await bench.devices.upgrades.request(asking, ["operator.write"]);
  const wait = bench.devices.upgrades.wait(asking, requestId, signal);
  await bench.clock.advance(5 * minute);
  assert.equal(await wait, { status: "expired", requestId });
  assert.is((await bench.devices.upgrades.wait(asking, "nobody", signal)).status, "expired");
  assert.is(bench.clock.armed, 0);
});

test("a wait goes on after a restart, and ends with the connection", async () => {
  const bench = await openBench();
  const asking = await page(bench);
  const { requestId } = await bench.devices.upgrades.request(asking, ["operator.write"]);
  const { upgrades, ...devices } = (await openBench(bench.store, bench.clock)).devices;
  const connection = new AbortController();
  const cut = upgrades.wait(asking, requestId, connection.signal);
  const kept = upgrades.wait(asking, requestId, signal);
  connection.abort();
  assert.is(await refusal(cut), "the connection closed");
  await devices.approve(requestId, admin);
  assert.is((await kept).status, "approved");
});

test("threat D another device learns nothing of the decision", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const [asking, other] = [await page(bench), await page(bench, "q")];
  const { requestId } = await upgrades.request(asking, ["operator.write"]);
  assert.is((await upgrades.wait(other, requestId, signal)).status, "expired");
  await devices.approve(requestId, admin);
  assert.equal(await upgrades.wait(other, requestId, signal), { status: "expired", requestId });
});

test("threat D who approves gives no more than he holds, and who asks approves nothing", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const asking = await page(bench);
  const { requestId } = await upgrades.request(asking, ["operator.admin"]);
  assert.is(await refusal(devices.approve(requestId, asking)), "device pairing approval denied");
  assert.is(await refusal(devices.approve(requestId, caller(["operator.pairing"]))), "device pairing approval denied");
});

test("only a paired page asks, and only for scopes that there are", async () => {
  const bench = await openBench();
  const { upgrades, ...devices } = bench.devices;
  const asking = await page(bench);
  const { deviceId = "" } = asking;
  const text = "more scopes are given to a paired page only: open the Control UI over HTTPS or from localhost";
  const strangers = [
    caller(["operator.read"], { client }),
    caller(["operator.read"], { deviceId }),
    caller([], { deviceId, client, role: "node" }),
    caller(["operator.read"], { deviceId: connect("x", elsewhere).deviceId, client }),
  ];
  for (const stranger of strangers) {
    assert.is(await refusal(upgrades.request(stranger, ["operator.write"])), text);
    assert.is(await refusal(upgrades.wait(stranger, "r", signal)), text);
  }
  assert.is(await refusal(upgrades.request(asking, ["operator.root"])), "unknown scope: operator.root");
  await devices.revoke(deviceId, "operator", admin);
  assert.is(await refusal(upgrades.request(asking, ["operator.write"])), text);
});

test.run();
