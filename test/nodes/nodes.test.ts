import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogger } from "../../src/kit/log.ts";
import { loadNodes } from "../../src/nodes/nodes.ts";
import type { NodeSurface } from "../../src/nodes/registry.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createMemoryFiles } from "../support/memory-files.ts";
import { admin, type Bench, caller, connect, openBench, refusal } from "../support/pairing.ts";

const phone = { id: "openclaw-ios", version: "1", platform: "ios 18.1", mode: "node", deviceFamily: "iPhone" };
const { deviceId: nodeId } = connect("a");
const writer = caller(["operator.pairing", "operator.write"]);

test("a first connect leaves a request, and nothing is offered until it is approved", async () => {
  const { nodes, join, events } = await bench();
  await join({ caps: ["camera"], commands: ["camera.list", "camera.snap"] });
  const [request] = nodes.pairing().pending;
  assert.equal(events, [{ name: "requested", payload: request }]);
  assert.equal(request?.commands, ["camera.list"]);
  assert.equal(request?.requiredApproveScopes, ["operator.pairing", "operator.write"]);
  const row = nodes.get(nodeId);
  assert.equal([row?.caps, row?.commands, row?.approvalState], [[], [], "pending-approval"]);
  assert.equal([row?.connected, row?.paired, row?.pendingRequestId], [true, true, request?.requestId]);
  assert.not(nodes.isApproved(nodeId));
});

test("approved, it offers what was approved, also after a restart and while it is away", async () => {
  const store = createMemoryStore();
  const first = await bench(store);
  await first.join({ caps: ["camera"], commands: ["camera.list"], permissions: { "camera.capture": true } });
  const { node } = await first.nodes.approve(first.nodes.pairing().pending[0]?.requestId ?? "", writer);
  assert.equal(Object.keys(node).includes("requestId"), false);
  assert.is(first.nodes.get(nodeId)?.approvalState, "approved");
  const { nodes } = await bench(store);
  assert.ok(nodes.isApproved(nodeId));
  const row = nodes.get(nodeId);
  assert.equal([row?.commands, row?.connected, row?.version], [["camera.list"], false, "1"]);
});

test("connecting with the same or less asks nothing; with more it asks, and the approved part stays", async () => {
  const { nodes, join, events } = await bench();
  await join({ caps: ["camera"], commands: ["camera.list", "device.info"] });
  await nodes.approve(nodes.pairing().pending[0]?.requestId ?? "", writer);
  await join({ caps: ["camera"], commands: ["camera.list"] });
  assert.equal(nodes.pairing().pending, []);
  assert.equal(nodes.get(nodeId)?.commands, ["camera.list"]);
  const before = events.length;
  await join({ caps: ["camera"], commands: ["camera.list", "location.get"] });
  await join({ caps: ["camera"], commands: ["location.get", "camera.list"] });
  assert.is(events.length, before + 1);
  assert.equal(nodes.get(nodeId)?.commands, ["camera.list"]);
  assert.equal(nodes.get(nodeId)?.pendingDeclaredCommands, ["camera.list", "location.get"]);
});

test("threat D: a surface that changes after it was shown cannot be approved under the old request", async () => {
  const { nodes, join } = await bench();
  await join({ caps: [], commands: ["device.info"] });
  const shown = nodes.pairing().pending[0]?.requestId ?? "";
  await join({ caps: [], commands: ["device.info", "location.get"] });
  assert.is(await refusal(nodes.approve(shown, admin)), "unknown requestId");
});

test("threat D: who approves holds what the commands need", async () => {
  const { nodes, join } = await bench();
  await join({ caps: [], commands: ["system.run"] }, { ...phone, platform: "linux" });
  const requestId = nodes.pairing().pending[0]?.requestId ?? "";
  assert.is(await refusal(nodes.approve(requestId, caller(["operator.pairing"]))), "missing scope: operator.write");
  assert.is(await refusal(nodes.approve(requestId, writer)), "missing scope: operator.admin");
  assert.is(await refusal(nodes.approve(requestId, caller(["operator.write"]))), "missing scope: operator.pairing");
  await nodes.approve(requestId, admin);
  assert.is(await refusal(nodes.approve(requestId, admin)), "unknown requestId");
});

test("threat E: an approval ends with the device, and does not come back with it", async () => {
  const { nodes, join, devices, clock } = await bench();
  await join({ caps: [], commands: ["device.info"] });
  await nodes.approve(nodes.pairing().pending[0]?.requestId ?? "", admin);
  await devices.remove(nodeId);
  assert.not(nodes.isApproved(nodeId));
  assert.equal(nodes.list(), []);
  await clock.advance(1);
  await devices.admit(connect("a", { role: "node", scopes: [], client: phone }));
  await join({ caps: [], commands: ["device.info"] });
  assert.not(nodes.isApproved(nodeId));
  assert.is(nodes.pairing().pending.length, 1);
});

test("threat E: a kill between the device's removal and the node's does not leave the approval behind", async () => {
  const store = createMemoryStore();
  const first = await bench(store);
  await first.join({ caps: [], commands: ["device.info"] });
  await first.nodes.approve(first.nodes.pairing().pending[0]?.requestId ?? "", admin);
  const approvals = await store.read("nodes/paired.json");
  await first.devices.remove(nodeId);
  await first.clock.advance(1);
  await first.devices.admit(connect("a", { role: "node", scopes: [], client: phone }));
  await store.change("nodes/paired.json", () => approvals);
  const { nodes } = await bench(store);
  assert.not(nodes.isApproved(nodeId));
});

test("removed, a node offers nothing and everybody hears of it", async () => {
  const { nodes, join, events, clock } = await bench();
  await join({ caps: [], commands: ["device.info"] });
  await nodes.approve(nodes.pairing().pending[0]?.requestId ?? "", admin);
  assert.equal(await nodes.remove(nodeId), { nodeId });
  assert.equal(events.at(-1), {
    name: "resolved",
    payload: { requestId: "", nodeId, decision: "removed", ts: clock.now() },
  });
  assert.equal(nodes.get(nodeId)?.commands, []);
  assert.is(await refusal(nodes.remove(nodeId)), "unknown nodeId");
});

test("a second connection takes over; the end of the first does not take the node away", async () => {
  const { nodes, join } = await bench();
  await join({ caps: [], commands: [] }, phone, "one");
  await join({ caps: [], commands: [] }, phone, "two");
  nodes.disconnected(nodeId, "one");
  assert.is(nodes.get(nodeId)?.connected, true);
  nodes.disconnected(nodeId, "two");
  assert.is(nodes.get(nodeId)?.connected, false);
  assert.is(nodes.get(nodeId)?.lastSeenReason, "disconnect");
});

test("a name given to a node outlives its own", async () => {
  const { nodes, join } = await bench();
  await join({ caps: [], commands: [] }, { ...phone, displayName: "iPhone" });
  assert.is(nodes.get(nodeId)?.displayName, "iPhone");
  await nodes.rename(nodeId, "Kitchen");
  await join({ caps: [], commands: [] }, { ...phone, displayName: "iPhone" });
  assert.is(nodes.get(nodeId)?.displayName, "Kitchen");
  assert.is(await refusal(nodes.rename("x", "y")), "unknown nodeId");
});

test("an operator's device is no node", async () => {
  const { nodes, devices } = await bench();
  await devices.admit(connect("b"));
  assert.equal(
    nodes.list().map((row) => row.nodeId),
    [nodeId],
  );
});

test("threat H: a node that declares without end is cut", async () => {
  const files = createMemoryFiles();
  const { nodes, join } = await bench(createFolderStore(files, "/state"));
  const caps = Array.from({ length: 5_000 }, (_, index) => `cap-${index}`);
  await join({ caps: [...caps, "x".repeat(100_000)], commands: caps });
  const [request] = nodes.pairing().pending;
  assert.is(request?.caps.length, 128);
  assert.equal(request?.commands, []);
});

async function bench(store: Store = createMemoryStore()) {
  const base: Bench = await openBench(store);
  const log = createLogger(() => base.clock.now(), []);
  if (!base.devices.get(nodeId)) await base.devices.admit(connect("a", { role: "node", scopes: [], client: phone }));
  const nodes = await loadNodes(store, base.devices, base.clock, log);
  const events: { name: string; payload: unknown }[] = [];
  for (const name of ["requested", "resolved"] as const)
    nodes.on(name, (payload) => void events.push({ name, payload }));
  const join = (surface: NodeSurface, client: typeof phone & { displayName?: string } = phone, connId = "conn-1") =>
    nodes.connected({ nodeId, client, remoteIp: "192.0.2.1", surface, connId });
  return { ...base, nodes, events, join };
}

test.run();
