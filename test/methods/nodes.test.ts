import { test } from "uvu";
import * as assert from "uvu/assert";
import { nodeHostMethods } from "../../src/methods/node-host.ts";
import { nodeMethods } from "../../src/methods/nodes.ts";
import { openDoor, validates } from "../support/door.ts";
import { caller, connect } from "../support/pairing.ts";

const { deviceId: nodeId } = connect("a");
const host = { id: "node-host", version: "2026.9.6", platform: "linux", mode: "node", deviceFamily: "Linux" };
const node = caller([], { role: "node", deviceId: nodeId, client: host });

test("node.list and node.describe show a node with what it may do", async () => {
  const { ask, clock } = await door();
  const { ts, nodes } = await ask("node.list");
  assert.equal([ts, nodes.length, nodes[0].approvalState], [clock.now(), 1, "pending-approval"]);
  assert.equal(await ask("node.describe", { nodeId }), { ts, ...nodes[0] });
  assert.is(await ask("node.describe", { nodeId: "x" }), "unknown nodeId");
});

test("node.pair.list, approve, rename and remove", async () => {
  const { ask } = await door();
  const { pending } = await ask("node.pair.list");
  const { requestId } = pending[0];
  const approved = await ask("node.pair.approve", { requestId });
  assert.equal([approved.requestId, approved.node.commands], [requestId, ["system.which"]]);
  assert.is((await ask("node.pair.list")).paired[0].nodeId, nodeId);
  const name = { nodeId, displayName: "Rack" };
  assert.equal(await ask("node.rename", name), name);
  assert.is((await ask("node.describe", { nodeId })).displayName, "Rack");
  assert.equal(await ask("node.pair.remove", { nodeId }), { nodeId });
  assert.is((await ask("node.list")).nodes[0].approvalState, "unapproved");
});

test("node.pair.reject turns the surface away", async () => {
  const { ask } = await door();
  const { requestId } = (await ask("node.pair.list")).pending[0];
  assert.equal(await ask("node.pair.reject", { requestId }), { requestId, nodeId });
  assert.is(await ask("node.pair.approve", { requestId }), "unknown requestId");
});

test("host stats are kept and told to everyone who may read", async () => {
  const { ask, sent, clock } = await door();
  const stats = { cpuCount: 2, loadAverage: [4.61, 3.98, 2.52], memoryTotalBytes: 10, memoryFreeBytes: 5 };
  const answer = await ask("node.event", { event: "node.host.stats", payloadJSON: JSON.stringify(stats) }, node);
  assert.equal(answer, { ok: true, event: "node.host.stats", handled: true, reason: "updated" });
  validates("NodeEventResult", answer);
  const hostStats = { ...stats, updatedAtMs: clock.now() };
  assert.equal(sent, [{ event: "node.hostStats", payload: { nodeId, hostStats } }]);
  assert.equal((await ask("node.list")).nodes[0].hostStats, hostStats);
});

test("events that say nothing, or that are not known, are answered and change nothing", async () => {
  const { ask, sent } = await door();
  const reason = async (params: object) => (await ask("node.event", params, node)).reason;
  assert.is(await reason({ event: "node.host.stats", payloadJSON: "{" }), "invalid_payload");
  assert.is(await reason({ event: "node.host.stats", payload: { cpuCount: -1 } }), "invalid_payload");
  assert.is(await reason({ event: "made.up" }), "unsupported_event");
  assert.is(await reason({ event: "node.presence.alive", payload: { trigger: "connect" } }), "persisted");
  assert.equal(sent, []);
});

test("what a node host sends at once is answered so that it does not try again", async () => {
  const { ask } = await door();
  const { requestId } = (await ask("node.pair.list")).pending[0];
  const inventory = { protocolFeatures: ["node-worker-supervisor-v6"], workerHost: { enabled: false } };
  assert.is(
    await ask("node.runnerInventory.update", inventory, node),
    `node capability surface is awaiting operator approval; run \`openclaw nodes approve ${requestId}\` ` +
      "(see `openclaw nodes pending`), then this node retries automatically",
  );
  await ask("node.pair.approve", { requestId });
  assert.equal(await ask("node.runnerInventory.update", inventory, node), { nodeId });
  assert.equal(await ask("node.skills.update", { skills: [] }, node), { nodeId, skills: [] });
  assert.equal(await ask("node.pluginTools.update", { tools: [] }, node), { nodeId, tools: [] });
  assert.equal(await ask("node.pending.pull", {}, node), { nodeId, actions: [] });
  assert.equal(await ask("node.pending.ack", { ids: ["x"] }, node), { nodeId, ackedIds: ["x"], remainingCount: 0 });
  validates("NodePendingDrainResult", await ask("node.pending.drain", {}, node));
  validates("SkillsBinsResult", await ask("skills.bins", {}, node));
});

test("tools of a node's plugins are shown once it is approved", async () => {
  const { ask } = await door();
  const tools = [{ pluginId: "files", name: "search", description: "Finds files." }];
  await ask("node.pluginTools.update", { tools }, node);
  assert.equal((await ask("node.list")).nodes[0].nodePluginTools, []);
  await ask("node.pair.approve", { requestId: (await ask("node.pair.list")).pending[0].requestId });
  assert.equal((await ask("node.list")).nodes[0].nodePluginTools, tools);
});

test("threat F: node methods are for nodes alone, the others for operators with the scope alone", async () => {
  const { ask } = await door();
  for (const { name } of nodeHostMethods) assert.is(await ask(name, {}), "unauthorized role: operator");
  for (const { name, scope } of nodeMethods) {
    assert.is(await ask(name, {}, node), "unauthorized role: node");
    assert.is(await ask(name, {}, caller(["operator.questions"])), `missing scope: ${String(scope)}`);
  }
});

async function door() {
  const opened = await openDoor([...nodeMethods, ...nodeHostMethods]);
  await opened.devices.admit(connect("a", { role: "node", scopes: [], client: host }));
  await opened.nodes.connected({
    nodeId,
    client: host,
    remoteIp: "127.0.0.1",
    surface: { caps: ["system"], commands: ["system.which"] },
    connId: node.connId,
  });
  return opened;
}

test.run();
