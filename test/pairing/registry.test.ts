import { test } from "uvu";
import * as assert from "uvu/assert";
import { createFolderStore } from "../../src/store/folder.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createStandbyStore } from "../../src/store/standby.ts";
import { createMemoryFiles, Crash } from "../support/memory-files.ts";
import { admin, caller, connect, elsewhere, openBench, paired, pending, refusal } from "../support/pairing.ts";

const pairing = caller(["operator.pairing"]);

test("a device of this machine is paired silently, and gets the same token ever after", async () => {
  const { devices, events } = await openBench();
  const first = paired(await devices.admit(connect("a")));
  assert.match(first.token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(first.scopes, ["operator.read"]);
  assert.equal(
    events.map(({ name }) => name),
    ["resolved", "changed"],
  );
  assert.is(paired(await devices.admit(connect("a"))).token, first.token);
  assert.is(events.length, 2);
  assert.is(devices.list().paired[0]?.approvedVia, "silent");
});

test("pairing and tokens survive the process", async () => {
  const store = createMemoryStore();
  const { token } = paired(await (await openBench(store)).devices.admit(connect("a")));
  const { devices } = await openBench(store);
  assert.is(paired(await devices.admit(connect("a"))).token, token);
  const answer = await devices.verifyToken(connect("a").deviceId, "operator", token, ["operator.read"]);
  assert.equal(answer, { result: "ok", scopes: ["operator.read"] });
});

test("a known device connects without a write", async () => {
  const files = createMemoryFiles();
  const { devices, clock, store } = await openBench(createFolderStore(files, "/state"));
  const { token } = paired(await devices.admit(connect("a")));
  const before = files.operations;
  await clock.advance(5_000);
  await devices.admit(connect("a"));
  await devices.verifyToken(connect("a").deviceId, "operator", token, []);
  devices.seen(connect("a").deviceId, "disconnect");
  assert.is(files.operations, before);
  assert.is(devices.list().paired[0]?.lastSeenAtMs, clock.now());
  assert.is(devices.list().paired[0]?.lastSeenReason, "disconnect");
  await devices.close();
  const again = await openBench(store, clock);
  assert.is(again.devices.list().paired[0]?.lastSeenReason, "disconnect");
  assert.is(again.devices.list().paired[0]?.tokens[0]?.lastUsedAtMs, clock.now());
});

test("token values are never listed", async () => {
  const { devices } = await openBench();
  const { token } = paired(await devices.admit(connect("a")));
  await devices.admit(connect("b", elsewhere));
  assert.not.match(JSON.stringify(devices.list()), token);
  assert.not.match(JSON.stringify(devices.get(connect("a").deviceId)), token);
});

test("threat C: scopes that are not known are never granted", async () => {
  const { devices } = await openBench();
  const answer = await devices.admit(connect("a", { scopes: ["operator.read", "operator.root", "*", "admin"] }));
  assert.equal(paired(answer).scopes, ["operator.read"]);
  assert.equal(devices.list().paired[0]?.scopes, ["operator.read"]);
});

test("more scopes rotate the token, and less scopes are granted under the same", async () => {
  const { devices } = await openBench();
  const first = paired(await devices.admit(connect("a")));
  const wider = paired(await devices.admit(connect("a", { scopes: ["operator.admin"] })));
  assert.is.not(wider.token, first.token);
  const less = paired(await devices.admit(connect("a", { scopes: ["operator.pairing"] })));
  assert.equal(less, { ...wider, scopes: ["operator.pairing"] });
  const old = await devices.verifyToken(connect("a").deviceId, "operator", first.token, []);
  assert.is(old.result, "mismatch");
});

test("a device token does for the scopes it holds, for its role and its device alone", async () => {
  const { devices } = await openBench();
  const { token } = paired(await devices.admit(connect("a", { scopes: ["operator.write"] })));
  await devices.admit(connect("b"));
  const ask = async (id: string, role: "operator" | "node", given: string, scopes: readonly string[]) =>
    (await devices.verifyToken(connect(id).deviceId, role, given, scopes)).result;
  assert.is(await ask("a", "operator", token, ["operator.read"]), "ok");
  assert.is(await ask("a", "operator", token, ["operator.admin"]), "scopes");
  assert.is(await ask("a", "node", token, []), "mismatch");
  assert.is(await ask("b", "operator", token, []), "mismatch");
  assert.is(await ask("a", "operator", `${token}x`, []), "mismatch");
  assert.is(await ask("a", "operator", "", []), "mismatch");
  assert.is(await ask("nobody", "operator", "", []), "mismatch");
});

test("from elsewhere a device waits; asking again changes nothing; approved, it is in", async () => {
  const { devices, events } = await openBench();
  const first = pending(await devices.admit(connect("a", elsewhere)));
  assert.is(first.reason, "not-paired");
  const again = pending(await devices.admit(connect("a", elsewhere)));
  assert.is(again.request.requestId, first.request.requestId);
  assert.is(events.filter(({ name }) => name === "requested").length, 1);
  const { device } = await devices.approve(first.request.requestId, admin);
  assert.is(device.approvedVia, "owner");
  assert.equal(devices.list().pending, []);
  assert.equal(paired(await devices.admit(connect("a", elsewhere))).scopes, ["operator.read"]);
});

test("a different request of the same device takes the place of the first", async () => {
  const { devices, events } = await openBench();
  const first = pending(await devices.admit(connect("a", elsewhere))).request;
  const second = pending(await devices.admit(connect("a", { ...elsewhere, scopes: ["operator.admin"] }))).request;
  assert.is.not(second.requestId, first.requestId);
  const rejected = events.find(({ name }) => name === "resolved")?.payload;
  assert.equal(rejected, {
    requestId: first.requestId,
    deviceId: first.deviceId,
    decision: "rejected",
    ts: second.ts,
  });
  assert.is(await refusal(devices.approve(first.requestId, admin)), "unknown requestId");
});

test("a request lives five minutes, and not longer when the clock is set back", async () => {
  const { devices, clock } = await openBench();
  const { requestId } = pending(await devices.admit(connect("a", elsewhere))).request;
  await clock.advance(5 * 60_000 - 1);
  assert.is(devices.list().pending.length, 1);
  await clock.advance(1);
  assert.equal(devices.list().pending, []);
  assert.is(await refusal(devices.approve(requestId, admin)), "unknown requestId");
  await devices.admit(connect("a", elsewhere));
  clock.jump(-3_600_000);
  assert.equal(devices.list().pending, []);
});

test("threat H: who asks too often pushes out his own requests, not another's", async () => {
  const { devices, clock } = await openBench();
  const owner = pending(await devices.admit(connect("owner", { ...elsewhere, remoteIp: "198.51.100.1" }))).request;
  for (let index = 0; index < 30; index++) {
    await clock.advance(1);
    await devices.admit(connect(`spam${index}x`, elsewhere));
  }
  const waiting = devices.list().pending;
  assert.is(waiting.length, 9);
  assert.ok(waiting.some(({ requestId }) => requestId === owner.requestId));
  for (let index = 0; index < 100; index++) {
    await clock.advance(1);
    await devices.admit(connect(`many${index}x`, { silent: false, remoteIp: `192.0.2.${index}` }));
  }
  assert.is(devices.list().pending.length, 64);
});

test("threat H: what a stranger says of himself is cut to a sane length", async () => {
  const { devices, store } = await openBench();
  const client = {
    id: "cli",
    version: "1",
    platform: "x".repeat(50_000),
    mode: "cli",
    displayName: "y".repeat(50_000),
  };
  await devices.admit(connect("a", { ...elsewhere, client }));
  assert.ok(((await store.read("devices/pending.json")) ?? "").length < 2_000);
});

test("threat D: an approver gives nothing that he does not hold", async () => {
  const { devices } = await openBench();
  const ask = async (scopes: readonly string[], role: "operator" | "node" = "operator") =>
    pending(await devices.admit(connect("a", { ...elsewhere, scopes, role }))).request.requestId;
  const denied = "device pairing approval denied";
  assert.is(await refusal(devices.approve(await ask(["operator.admin"]), pairing)), denied);
  assert.is(await refusal(devices.approve(await ask(["operator.read"]), pairing)), denied);
  assert.is(await refusal(devices.approve(await ask([], "node"), pairing)), denied);
  assert.is(await refusal(devices.approve(await ask([]), caller(["operator.write"]))), denied);
  assert.equal(devices.list().paired, []);
  await devices.approve(await ask(["operator.read"]), caller(["operator.pairing", "operator.write"]));
  assert.equal(devices.list().paired[0]?.scopes, ["operator.read"]);
});

test("threat D: re-approving a device that holds more needs an approver who holds as much", async () => {
  const { devices } = await openBench();
  await devices.admit(connect("a", { scopes: ["operator.admin"] }));
  const macos = { id: "cli", version: "1", platform: "macos", mode: "cli" };
  const { request, reason } = pending(await devices.admit(connect("a", { client: macos, scopes: [] })));
  assert.is(reason, "metadata-upgrade");
  assert.is(await refusal(devices.approve(request.requestId, pairing)), "device pairing approval denied");
  await devices.approve(request.requestId, admin);
  assert.is(paired(await devices.admit(connect("a", { client: macos }))).outcome, "paired");
});

test("threat D: pairing again with no scopes grants none, and gives back none that were revoked", async () => {
  const { devices } = await openBench();
  const { deviceId } = connect("a");
  await devices.admit(connect("a", { scopes: ["operator.admin"] }));
  await devices.revoke(deviceId, "operator", admin);
  const { request, reason } = pending(await devices.admit(connect("a", { scopes: [] })));
  assert.is(reason, "role-upgrade");
  const { device } = await devices.approve(request.requestId, pairing);
  assert.equal(device.scopes, []);
  assert.equal(
    pending(await devices.admit(connect("a", { ...elsewhere, scopes: ["operator.admin"] }))).approvedScopes,
    [],
  );
});

test("threat D: a request is approved or rejected once, whoever asks at the same time", async () => {
  for (let order = 0; order < 4; order++) {
    const { devices, events } = await openBench();
    const { requestId } = pending(await devices.admit(connect("a", elsewhere))).request;
    const attempts = [
      () => devices.approve(requestId, admin),
      () => devices.reject(requestId),
      () => devices.approve(requestId, admin),
      () => devices.reject(requestId),
    ];
    const rotated = [...attempts.slice(order), ...attempts.slice(0, order)];
    const results = await Promise.allSettled(rotated.map((attempt) => attempt()));
    assert.is(results.filter(({ status }) => status === "fulfilled").length, 1);
    assert.is(events.filter(({ name }) => name === "resolved").length, 1);
    assert.is(devices.list().paired.length, order % 2 === 0 ? 1 : 0);
  }
});

test("threat D: rotating never widens, and never touches a device that holds more than the caller", async () => {
  const { devices } = await openBench();
  const { deviceId } = connect("a");
  await devices.admit(connect("a", { scopes: ["operator.write", "operator.pairing"] }));
  const rotate = (scopes: readonly string[] | undefined, by = admin) =>
    devices.rotate(deviceId, "operator", scopes, by);
  const denied = "device token rotation denied";
  assert.is(await refusal(rotate(["operator.admin"])), denied);
  assert.is(await refusal(rotate(["operator.everything"])), denied);
  assert.is(await refusal(rotate(undefined, pairing)), denied);
  assert.is(await refusal(rotate([], pairing)), denied);
  assert.is(await refusal(devices.rotate("x", "operator", undefined, admin)), denied);
  assert.is(await refusal(devices.rotate(deviceId, "node", undefined, admin)), denied);
  assert.equal((await rotate(["operator.read"])).scopes, ["operator.read"]);
  assert.equal((await rotate(["operator.write"])).scopes, ["operator.write"]);
  await devices.revoke(deviceId, "operator", admin);
  assert.is(await refusal(rotate(undefined)), denied);
});

test("threat D: a caller with the pairing scope alone cannot remove, rename or revoke a device that holds more", async () => {
  const { devices } = await openBench();
  const { deviceId } = connect("a");
  await devices.admit(connect("a", { scopes: ["operator.read"] }));
  assert.is(await refusal(devices.revoke(deviceId, "operator", pairing)), "device token revocation denied");
  assert.is(await refusal(devices.remove(deviceId, pairing)), "device pairing removal denied");
  assert.is(await refusal(devices.rename(deviceId, "mine", pairing)), "device rename denied");
  assert.is(devices.list().paired.length, 1);
  assert.is(await refusal(devices.remove("unknown", admin)), "unknown deviceId");
});

test("threat E: revoke, rotate and remove say at once whose connections must close", async () => {
  const { devices, events } = await openBench();
  const { deviceId } = connect("a");
  const { token } = paired(await devices.admit(connect("a")));
  const revoked = () => events.filter(({ name }) => name === "revoked").map(({ payload }) => payload);
  const rotated = await devices.rotate(deviceId, "operator", undefined, admin);
  assert.equal(revoked(), [{ deviceId, role: "operator" }]);
  assert.is((await devices.verifyToken(deviceId, "operator", token, [])).result, "mismatch");
  await devices.revoke(deviceId, "operator", admin);
  assert.is((await devices.verifyToken(deviceId, "operator", rotated.token, [])).result, "mismatch");
  await devices.remove(deviceId);
  assert.equal(revoked().slice(1), [{ deviceId, role: "operator" }, { deviceId }]);
  assert.equal(devices.list().paired, []);
});

test("a device that rotates its own token keeps the connection that is told the new one", async () => {
  const { devices, events } = await openBench();
  const { deviceId } = connect("a");
  await devices.admit(connect("a", { scopes: ["operator.pairing"] }));
  const self = caller(["operator.pairing"], { deviceId, connId: "mine" });
  const { token } = await devices.rotate(deviceId, "operator", undefined, self);
  assert.equal(events.find(({ name }) => name === "revoked")?.payload, { deviceId, role: "operator", except: "mine" });
  assert.is((await devices.verifyToken(deviceId, "operator", token, [])).result, "ok");
});

test("threat E: a token revoked while it is being compared does not pass", async () => {
  const { devices } = await openBench();
  const { deviceId } = connect("a");
  const { token } = paired(await devices.admit(connect("a")));
  const [answer] = await Promise.all([
    devices.verifyToken(deviceId, "operator", token, []),
    devices.revoke(deviceId, "operator", admin),
  ]);
  assert.is(answer.result, "mismatch");
});

test("a removed device takes its open request with it", async () => {
  const { devices } = await openBench();
  await devices.admit(connect("a"));
  const { requestId } = pending(
    await devices.admit(connect("a", { ...elsewhere, scopes: ["operator.admin"] })),
  ).request;
  await devices.remove(connect("a").deviceId);
  assert.is(await refusal(devices.approve(requestId, admin)), "unknown requestId");
});

test("threat D: kill -9 between any two writes of an approval never leaves a request to be used twice", async () => {
  for (let point = 1; point < 8; point++) {
    const files = createMemoryFiles();
    const first = await openBench(createFolderStore(files, "/state"));
    const { requestId } = pending(await first.devices.admit(connect("a", elsewhere))).request;
    files.crashAfter(point);
    const error = await first.devices.approve(requestId, admin).catch((thrown: unknown) => thrown);
    files.recover();
    const { devices } = await openBench(createFolderStore(files, "/state"));
    const { paired, pending: waiting } = devices.list();
    assert.ok(paired.length + waiting.length <= 1, `killed at ${point}`);
    if (!(error instanceof Crash)) return assert.is(paired.length, 1);
  }
});

test("a write that fails changes nothing, on the disk or in memory", async () => {
  const files = createMemoryFiles();
  const { devices } = await openBench(createFolderStore(files, "/state"));
  const { token } = paired(await devices.admit(connect("a")));
  files.before = (operation) => {
    if (operation === "write") throw new Error("ENOSPC: no space left");
  };
  assert.match(await refusal(devices.revoke(connect("a").deviceId, "operator", admin)), /ENOSPC/);
  assert.match(await refusal(devices.admit(connect("b"))), /ENOSPC/);
  files.before = undefined;
  assert.is(devices.list().paired.length, 1);
  assert.is((await devices.verifyToken(connect("a").deviceId, "operator", token, [])).result, "ok");
});

test("a document that is not JSON is kept aside, and the gateway starts without it", async () => {
  const store = createMemoryStore({ "devices/paired.json": "{ torn" });
  const { devices, logged } = await openBench(store);
  assert.equal(devices.list().paired, []);
  assert.ok(logged.some(({ level, message }) => level === "warn" && message.includes("devices/paired.json")));
  const aside = (await store.keys("devices/paired.json.damaged-"))[0] ?? "";
  assert.is(await store.read(aside), "{ torn");
  await openBench(store);
  assert.is((await store.keys("devices/paired.json.damaged-")).length, 1);
});

test("one damaged entry does not cost the others", async () => {
  const store = createMemoryStore();
  await (await openBench(store)).devices.admit(connect("a"));
  await store.change("devices/paired.json", (text) => JSON.stringify({ ...JSON.parse(text ?? ""), bad: { role: 7 } }));
  const { devices } = await openBench(store);
  assert.is(devices.list().paired.length, 1);
  assert.is((await store.keys("devices/paired.json.damaged-")).length, 1);
});

test("scopes that somebody wrote into the document by hand are granted only when they are known", async () => {
  const store = createMemoryStore();
  await (await openBench(store)).devices.admit(connect("a"));
  await store.change("devices/paired.json", (text) => (text ?? "").replaceAll("operator.read", "operator.root"));
  const { devices } = await openBench(store);
  assert.equal(devices.list().paired[0]?.scopes, []);
});

test("standing by, it knows who is paired, lets them in, and leaves decisions to the owner", async () => {
  const inner = createMemoryStore();
  const owner = await openBench(inner);
  await owner.devices.admit(connect("a"));
  const { devices } = await openBench(createStandbyStore(inner, () => ({ pid: 7, port: 18789 })));
  assert.is(paired(await devices.admit(connect("a"))).outcome, "paired");
  assert.match(await refusal(devices.admit(connect("b"))), /stands by: pid 7 on port 18789/);
  await owner.devices.admit(connect("c"));
  await devices.reload();
  assert.is(devices.list().paired.length, 2);
  await devices.close();
});

test.run();
