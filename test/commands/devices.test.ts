import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway, Refusal } from "../client/fake-gateway.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

const list = {
  pending: [
    {
      requestId: "r1",
      deviceId: "d2",
      displayName: "Phone\u001b[31m",
      role: "operator",
      scopes: ["operator.read"],
      remoteIp: "10.0.0.9",
      ts: startOfTime - 120_000,
    },
  ],
  paired: [
    {
      deviceId: "d1",
      label: "Laptop",
      roles: ["operator"],
      scopes: ["operator.admin"],
      lastSeenAtMs: startOfTime - 7_200_000,
    },
  ],
};

test("devices list shows who asks and who is paired", async () => {
  const gateway = fakeGateway({ methods: { "device.pair.list": () => list } });
  const { code, stdout } = await run(["devices", "list"], { files: home, dial: gateway.dial });
  assert.is(
    stdout,
    [
      "Pending (1)",
      "Request  Device      Role      Scopes         From      Asked",
      "r1       Phone?[31m  operator  operator.read  10.0.0.9  2m ago",
      "",
      "Paired (1)",
      "Device  Name    Roles     Scopes          Seen",
      "d1      Laptop  operator  operator.admin  2h ago",
      "",
    ].join("\n"),
  );
  assert.is(code, 0);
  assert.equal(gateway.connections[0]?.connect?.["scopes"], ["operator.pairing"]);
});

test("devices list --json is the gateway's answer", async () => {
  const dial = fakeGateway({ methods: { "device.pair.list": () => list } }).dial;
  assert.equal(JSON.parse((await run(["devices", "list", "--json"], { files: home, dial })).stdout), list);
});

const verbs: readonly (readonly [line: string, method: string, params: object, said: string])[] = [
  ["approve r1", "device.pair.approve", { requestId: "r1" }, "✓ Approved r1.\n"],
  ["reject r1", "device.pair.reject", { requestId: "r1" }, "✓ Rejected r1.\n"],
  ["remove d1", "device.pair.remove", { deviceId: "d1" }, "✓ Removed d1.\n"],
  ["rename d1 Desk", "device.pair.rename", { deviceId: "d1", label: "Desk" }, "✓ Renamed it to Desk.\n"],
  [
    "revoke d1 --role node",
    "device.token.revoke",
    { deviceId: "d1", role: "node" },
    "✓ Revoked the node token of d1.\n",
  ],
  [
    "revoke --device d1 --role operator",
    "device.token.revoke",
    { deviceId: "d1", role: "operator" },
    "✓ Revoked the operator token of d1.\n",
  ],
  [
    "rotate --device d1 --scope operator.read --role operator --scope operator.write",
    "device.token.rotate",
    { deviceId: "d1", role: "operator", scopes: ["operator.read", "operator.write"] },
    "✓ Rotated the operator token of d1.\n",
  ],
  [
    "rotate d1 --scopes operator.read,operator.write",
    "device.token.rotate",
    { deviceId: "d1", role: "operator", scopes: ["operator.read", "operator.write"] },
    "✓ Rotated the operator token of d1.\n",
  ],
];
for (const [line, method, params, said] of verbs) {
  test(`devices ${line} calls ${method}`, async () => {
    const gateway = fakeGateway({ methods: { [method]: () => ({}) } });
    const { code, stdout } = await run(["devices", ...line.split(" ")], { files: home, dial: gateway.dial });
    assert.equal([code, stdout, gateway.calls], [0, said, [{ method, params }]]);
  });
}

for (const line of ["approve", "approve --latest", "approve r1 --latest"]) {
  test(`devices ${line} shows the newest request and lets nobody in`, async () => {
    const gateway = fakeGateway({ methods: { "device.pair.list": () => list } });
    const { code, stdout } = await run(["devices", ...line.split(" ")], { files: home, dial: gateway.dial });
    assert.is(code, 1);
    assert.match(stdout, "Let it in: clawdbot devices approve r1\n");
    assert.equal(
      gateway.calls.map(({ method }) => method),
      ["device.pair.list"],
    );
  });
}

test("devices rotate without a device is a mistake", async () => {
  const { code, stderr } = await run(["devices", "rotate"], { files: home, dial: fakeGateway().dial });
  assert.equal([code, stderr.split("\n")[0]], [2, "no device given: see clawdbot devices list"]);
});

test("devices approve says when nobody waits", async () => {
  const dial = fakeGateway({ methods: { "device.pair.list": () => ({ pending: [], paired: [] }) } }).dial;
  const { code, stdout } = await run(["devices", "approve"], { files: home, dial });
  assert.equal([code, stdout], [0, "Nobody waits to be paired.\n"]);
});

test("devices clear forgets everybody, but only with --yes", async () => {
  const answers = {
    "device.pair.list": () => list,
    "device.pair.remove": () => ({}),
    "device.pair.reject": () => ({}),
  };
  const gateway = fakeGateway({ methods: answers });
  const asked = await run(["devices", "clear"], { files: home, dial: gateway.dial });
  assert.equal([asked.code, gateway.calls], [2, []]);
  const { code, stdout } = await run(["devices", "clear", "--yes", "--pending"], { files: home, dial: gateway.dial });
  assert.equal([code, stdout], [0, "✓ Removed 1 device, turned away 1.\n"]);
  assert.equal(gateway.calls.slice(1), [
    { method: "device.pair.reject", params: { requestId: "r1" } },
    { method: "device.pair.remove", params: { deviceId: "d1" } },
  ]);
});

test("devices clear does not mind that somebody else was faster", async () => {
  const unknown = new Refusal({ code: "INVALID_REQUEST", message: "unknown deviceId" });
  const gateway = fakeGateway({ methods: { "device.pair.list": () => list, "device.pair.remove": () => unknown } });
  assert.is((await run(["devices", "clear", "--yes"], { files: home, dial: gateway.dial })).code, 0);
});

test("an unknown request is named, with where to look", async () => {
  const unknown = new Refusal({ code: "INVALID_REQUEST", message: "unknown requestId" });
  const dial = fakeGateway({ methods: { "device.pair.approve": () => unknown } }).dial;
  const { code, stderr } = await run(["devices", "approve", "zz"], { files: home, dial });
  assert.equal([code, stderr], [1, "unknown requestId: zz\nSee: clawdbot devices list\n"]);
});

test.run();
