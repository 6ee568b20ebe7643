import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Admission, SetupAccess } from "../../src/pairing/devices.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles } from "../support/memory-files.ts";
import { admin, type Bench, caller, connect, elsewhere, openBench, refusal } from "../support/pairing.ts";

const minute = 60_000;
const full = [
  "operator.admin",
  "operator.approvals",
  "operator.questions",
  "operator.read",
  "operator.talk.secrets",
  "operator.write",
];

function phone(device = "a", more: Partial<Admission> = {}): Admission {
  return connect(device, { ...elsewhere, role: "node", scopes: [], secret: "absent", ...more });
}

/** What a code let the device have, a role with its scopes each; `refused` when nothing. */
async function redeem({ devices }: Bench, token: string, admission = phone()): Promise<string> {
  const redeemed = await devices.codes.redeem(token, admission);
  return redeemed?.issued.map(({ role, scopes }) => `${role}(${scopes.join(",")})`).join(" ") ?? "refused";
}

for (const [access, given] of [
  ["full", `operator(${full.join(",")}) node()`],
  ["limited", `operator(${full.slice(1).join(",")}) node()`],
  ["node", "node()"],
] as const satisfies readonly (readonly [SetupAccess, string])[]) {
  test(`a ${access} code gives a node ${given}`, async () => {
    const bench = await openBench();
    const { token } = await bench.devices.codes.create(access, admin);
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.is(await redeem(bench, token), given);
    assert.is(bench.devices.list().paired[0]?.approvedVia, "bootstrap");
  });
}

test("threat D an operator gets what it asks for and the code gives, and no node's role", async () => {
  const bench = await openBench();
  const { codes } = bench.devices;
  const asks = { role: "operator", scopes: ["operator.admin", "operator.pairing", "operator.read"] } as const;
  const one = await codes.create("limited", admin);
  assert.is(await redeem(bench, one.token, phone("a", asks)), "operator(operator.read)");
  const other = await codes.create("full", admin);
  assert.is(await redeem(bench, other.token, phone("b", { role: "operator", scopes: [] })), "operator()");
});

test("threat D a code for nodes lets no operator in, and is not used up by the attempt", async () => {
  const bench = await openBench();
  const { token } = await bench.devices.codes.create("node", admin);
  assert.is(await redeem(bench, token, phone("a", { role: "operator", scopes: ["operator.read"] })), "refused");
  assert.is(await redeem(bench, token), "node()");
});

test("threat D a code is used once: not by another device, nor again by the same one", async () => {
  const bench = await openBench();
  const { token } = await bench.devices.codes.create("full", admin);
  await redeem(bench, token);
  assert.equal([await redeem(bench, token, phone("b")), await redeem(bench, token)], ["refused", "refused"]);
  assert.is(bench.devices.list().paired.length, 1);
});

test("threat D of ten devices that bring one code at once, one comes in", async () => {
  const bench = await openBench();
  const { token } = await bench.devices.codes.create("node", admin);
  const seen = await Promise.all("abcdefghij".split("").map((name) => redeem(bench, token, phone(name))));
  assert.equal(seen.toSorted(), ["node()", ...Array.from({ length: 9 }, () => "refused")]);
  assert.is(bench.devices.list().paired.length, 1);
});

test("threat D a code is over after ten minutes, whatever is done to the clock", async () => {
  const bench = await openBench();
  const { clock } = bench;
  const made = async () => (await bench.devices.codes.create("node", admin)).token;
  const [late, back, slow] = [await made(), await made(), await made()];
  await clock.advance(10 * minute - 1);
  clock.jump(-9 * minute);
  assert.is(await redeem(bench, slow, phone("z")), "node()", "it is still its time");
  await clock.advance(1);
  assert.is(await redeem(bench, late), "refused", "ten minutes went by, though the clock shows one");
  clock.jump(-10 * minute);
  assert.is(await redeem(bench, back), "refused", "made in what is now the future");
});

test("a code survives a restart, with the time that it has left, and stays used", async () => {
  const [store, clock] = [createMemoryStore(), createFakeClock()];
  const first = await openBench(store, clock);
  const [open, used] = [
    await first.devices.codes.create("node", admin),
    await first.devices.codes.create("node", admin),
  ];
  await redeem(first, used.token, phone("b"));
  const second = await openBench(store, clock);
  assert.is(await redeem(second, used.token, phone("c")), "refused");
  assert.is(await redeem(second, open.token), "node()");
  assert.is(await redeem(await openBench(store, clock), open.token, phone("c")), "refused");
});

test("threat G the code itself is nowhere on the disk, in the log or in an event", async () => {
  const files = createMemoryFiles();
  const bench = await openBench(createFolderStore(files, "/state"));
  const { token, setupId } = await bench.devices.codes.create("full", admin);
  await redeem(bench, token);
  await bench.devices.codes.answered(setupId, true);
  const said = JSON.stringify([files.snapshot(), bench.logged, bench.events]);
  assert.match(said, setupId);
  assert.not.match(said, token);
});

test("threat D only an administrator makes codes, and a code ends with the rights of the device that made it", async () => {
  const bench = await openBench();
  const { devices } = bench;
  assert.match(await refusal(devices.codes.create("node", caller(["operator.pairing"]))), "operator.admin");
  await devices.admit(connect("m", { scopes: ["operator.admin"] }));
  const maker = caller(["operator.admin"], { deviceId: connect("m").deviceId });
  const [kept, lost] = [await devices.codes.create("node", maker), await devices.codes.create("node", maker)];
  assert.is(await redeem(bench, kept.token), "node()");
  await devices.revoke(connect("m").deviceId, "operator", admin);
  assert.is(await redeem(bench, lost.token, phone("b")), "refused");
});

test("threat D a code replaces what a known device holds, and the old token's connections end", async () => {
  const bench = await openBench();
  const { devices, events } = bench;
  const before = await devices.admit(connect("a", { scopes: ["operator.admin"] }));
  const { token } = await devices.codes.create("limited", admin);
  await redeem(bench, token, phone("a", { connId: "new" }));
  const [device] = devices.list().paired;
  assert.equal(device?.scopes, full.slice(1));
  assert.ok(before.outcome === "paired");
  assert.is((await devices.verifyToken(phone().deviceId, "operator", before.token, [])).result, "mismatch");
  const revoked = events.filter(({ name }) => name === "revoked").map(({ payload }) => payload);
  assert.equal(revoked, [{ deviceId: phone().deviceId, role: "operator", except: "new" }]);
});

test("a device that waited for the owner waits no more", async () => {
  const bench = await openBench();
  await bench.devices.admit(phone());
  const { token } = await bench.devices.codes.create("node", admin);
  await redeem(bench, token);
  assert.is(bench.devices.list().pending.length, 0);
});

test("sixteen codes are open at most, and the next is refused until one is used or over", async () => {
  const bench = await openBench();
  const { codes } = bench.devices;
  const tokens = [];
  for (let count = 0; count < 16; count++) tokens.push((await codes.create("node", admin)).token);
  assert.match(await refusal(codes.create("node", admin)), "16 setup codes are open");
  await redeem(bench, tokens[0] ?? "");
  await codes.create("node", admin);
  await bench.clock.advance(10 * minute);
  await codes.create("node", admin);
});

test("what became of a code can be asked for: delivered, uncertain, or nothing yet", async () => {
  const [store, clock] = [createMemoryStore(), createFakeClock()];
  const bench = await openBench(store, clock);
  const { codes } = bench.devices;
  const [one, two, three] = [
    await codes.create("full", admin),
    await codes.create("node", admin),
    await codes.create("node", admin),
  ];
  assert.equal(codes.status(one.setupId), {});
  await redeem(bench, one.token, phone("a", { client: { ...phone().client, displayName: "Phone" } }));
  assert.equal(codes.status(one.setupId), {}, "it is being answered");
  await codes.answered(one.setupId, true);
  const about = {
    setupId: one.setupId,
    deviceId: phone().deviceId,
    deviceName: "Phone",
    access: "full",
    ts: clock.now(),
  };
  assert.equal(codes.status(one.setupId), { completion: about });
  await redeem(bench, two.token, phone("b"));
  await codes.answered(two.setupId, false);
  assert.is(codes.status(two.setupId).deliveryUncertain?.deviceId, phone("b").deviceId);
  const told = bench.events.filter(({ name }) => name.startsWith("setup."));
  assert.equal(
    told.map(({ name }) => name),
    ["setup.completed", "setup.deliveryUncertain"],
  );
  // The process ends between the code's use and the answer.
  await redeem(bench, three.token, phone("c"));
  const again = (await openBench(store, clock)).devices.codes;
  assert.equal(again.status(one.setupId), { completion: about });
  assert.is(again.status(three.setupId).deliveryUncertain?.deviceId, phone("c").deviceId);
  assert.equal(again.status("nobody"), {});
});

test("threat D kill -9 at any write of a redemption: the code lets one device in at most", async () => {
  for (let at = 1; ; at++) {
    const files = createMemoryFiles();
    const open = (clock = createFakeClock()) => openBench(createFolderStore(files, "/state"), clock);
    const bench = await open();
    const { token } = await bench.devices.codes.create("node", admin);
    files.crashAfter(at);
    const outcome = await redeem(bench, token).catch(() => "killed");
    files.recover();
    const next = await open(bench.clock);
    const later = await redeem(next, token, phone("b"));
    const { paired } = next.devices.list();
    assert.ok(paired.length <= 1, `${paired.length} devices after a crash at write ${at}`);
    if (paired.some(({ deviceId }) => deviceId === phone("a").deviceId)) assert.is(later, "refused");
    if (outcome !== "killed") break;
  }
});

test("threat D a disk that is full costs no second device, and says so", async () => {
  const files = createMemoryFiles();
  const bench = await openBench(createFolderStore(files, "/state"));
  const { token } = await bench.devices.codes.create("node", admin);
  files.before = (operation, path) => {
    if (operation === "write" && path.endsWith("paired.json")) throw new Error("no space left on device");
  };
  assert.match(await refusal(bench.devices.codes.redeem(token, phone())), "no space left");
  files.before = undefined;
  assert.is(await redeem(bench, token, phone("b")), "refused");
});

test("512 devices are paired at most: the next is refused by every way in, and none is dropped", async () => {
  const bench = await openBench();
  const { devices } = bench;
  const name = (count: number): string => `d${count}x`;
  const document = Object.fromEntries(
    await Promise.all(
      Array.from({ length: 512 }, async (_, count) => {
        const { deviceId, publicKey } = connect(name(count));
        const times = { createdAtMs: 1, approvedAtMs: 1 };
        const about = { platform: "linux", clientId: "cli", clientMode: "cli", role: "operator", roles: ["operator"] };
        return [deviceId, { deviceId, publicKey, ...about, scopes: [], ...times, tokens: {} }] as const;
      }),
    ),
  );
  await bench.store.change("devices/paired.json", () => JSON.stringify(document));
  await devices.reload();
  const full = "512 devices are paired: remove one that is not used any more first";
  assert.is(await refusal(devices.admit(connect("new"))), full);
  const { token } = await devices.codes.create("node", admin);
  assert.is(await refusal(devices.codes.redeem(token, phone("new"))), full);
  const asked = await devices.admit(connect("new", elsewhere));
  assert.ok(asked.outcome === "pending");
  assert.is(await refusal(devices.approve(asked.request.requestId, admin)), full);
  await devices.remove(connect(name(0)).deviceId);
  assert.is(await redeem(bench, token, phone("new")), "node()", "the refusal did not use the code up");
  assert.is(devices.list().paired.length, 512);
});

test.run();
