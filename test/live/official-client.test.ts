import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkEvent, checkHello, checkResult } from "../support/official.ts";
import { makeHome, startGateway, until } from "../support/gateway-process.ts";
import { connectOfficial, makeDevice, type Connected, type TokenShelf } from "../support/official-client.ts";
import { endLaunched } from "../support/launch.ts";

const token = "a-token-of-this-test";
const withToken = { gateway: { mode: "local", auth: { mode: "token", token } } };
const admin = { clientName: "cli" as const, mode: "cli" as const, scopes: ["operator.admin"] };

test("SC-019 the official client connects with the token and keeps the scopes it asks for", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const connected = await connectOfficial({
    url: gateway.url,
    token,
    clientName: "cli",
    mode: "cli",
    scopes: ["operator.read"],
  });
  assert.equal(connected.hello.auth.scopes, ["operator.read"]);
  checkHello(connected.hello);
  await connected.stop();
  await gateway.stop();
});

test("the official client connects with the password, in either field", async () => {
  const password = "a-password-of-this-test";
  const gateway = await startGateway({
    config: { gateway: { mode: "local", auth: { mode: "password", password } } },
    args: [],
  });
  const proofs: readonly { password?: string; token?: string }[] = [{ password }, { token: password }];
  for (const proof of proofs) {
    const connected = await connectOfficial({ url: gateway.url, ...proof, ...admin });
    assert.equal(connected.hello.auth.scopes, ["operator.admin"]);
    await connected.stop();
  }
  await gateway.stop();
});

test("the official client connects to a loopback gateway that asks for nothing", async () => {
  const gateway = await startGateway();
  const connected = await connectOfficial({ url: gateway.url, scopes: ["operator.admin"] });
  assert.equal(connected.hello.auth.scopes, ["operator.admin"]);
  await connected.stop();
  await gateway.stop();
});

test("a device is paired at its first connect and comes back with its own token, over a restart and kill -9", async () => {
  const home = makeHome();
  const gateway = await startGateway({ home, config: withToken, args: [] });
  const device = makeDevice();
  const shelf: TokenShelf = new Map();
  const client = { clientName: "openclaw-tui" as const, mode: "ui" as const, scopes: ["operator.admin"] };
  const first = await connectOfficial({ url: gateway.url, token, ...client, device, shelf });
  assert.is(shelf.get("operator")?.token.length, 43);
  await first.stop();
  await gateway.stop("SIGKILL");

  const again = await startGateway({ home, port: gateway.port, args: [] });
  const second = await connectOfficial({ url: gateway.url, ...client, device, shelf });
  assert.equal(second.hello.auth.scopes, ["operator.admin"]);
  await second.stop();
  await again.stop();
});

test("thirty clients that come at once, as after a restart, are all let in", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const all = await Promise.all(
    Array.from({ length: 30 }, () => connectOfficial({ url: gateway.url, token, ...admin })),
  );
  for (const connected of all) await connected.stop();
  await gateway.stop();
});

test("threat C: a wrong token is refused, with the code that tells the client to stop trying", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const refusal = await connectOfficial({ url: gateway.url, token: "wrong", ...admin }).then(
    () => "connected",
    (error: unknown) => String(error),
  );
  assert.match(refusal, "gateway token mismatch");
  await gateway.stop();
});

test("threat E: revoking a device's token closes its live socket at once", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const device = makeDevice();
  const owner = await connectOfficial({ url: gateway.url, token, ...admin });
  const guest = await connectOfficial({
    url: gateway.url,
    token,
    clientName: "openclaw-tui",
    mode: "ui",
    scopes: ["operator.read"],
    device,
  });
  await owner.client.request("device.token.revoke", { deviceId: device.deviceId, role: "operator" });
  assert.equal(await guest.closed, { code: 4001, reason: "device removed" });
  guest.client.stop();
  await owner.stop();
  await gateway.stop();
});

test("every advertised method answers the official client with what the published schema allows", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const connected = await connectOfficial({ url: gateway.url, token, ...admin });
  const refused: string[] = [];
  const restarts = "gateway.restart.request";
  const methods = connected.hello.features?.methods ?? [];
  assert.ok(methods.includes(restarts));
  // Last of all: it ends every connection.
  for (const method of [...methods.filter((name) => name !== restarts), restarts]) {
    try {
      checkResult(method, await connected.client.request(method, paramsFor(method)));
    } catch (error) {
      if (!isExpected(method, String(error))) refused.push(`${method}: ${String(error)}`);
    }
  }
  assert.equal(refused, []);
  await checkEvents(connected);
  await connected.stop();
  await gateway.stop();
});

test("the configuration is read and changed, guarded by its hash", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const owner = await connectOfficial({ url: gateway.url, token, ...admin });
  const ask = asker(owner);
  const before = await ask("config.get", {});
  const baseHash = before["hash"];
  const patched = await ask("config.patch", { raw: '{ui: {assistant: {name: "Ada"}}}', baseHash });
  assert.is.not(patched["hash"], baseHash);
  const stale = await owner.client.request("config.set", { raw: "{}", baseHash }).then(
    () => "accepted",
    (error: unknown) => String(error),
  );
  assert.match(stale, "config changed since last load");
  const raw = JSON.stringify({ gateway: { mode: "local", auth: { mode: "token", token: "__OPENCLAW_REDACTED__" } } });
  const set = await ask("config.set", { raw, baseHash: patched["hash"] });
  await ask("config.apply", { raw, baseHash: set["hash"] });
  await until("config.changed event", () => owner.events.find(({ event }) => event === "config.changed"));
  await owner.stop();
  await gateway.stop();
});

test("a device that may not come in silently waits, is approved, renamed, rotated and removed", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const owner = await connectOfficial({ url: gateway.url, token, ...admin });
  const ask = asker(owner);
  const device = makeDevice();
  const guest = {
    url: gateway.url,
    token,
    clientName: "cli" as const,
    mode: "cli" as const,
    scopes: ["operator.read"],
    device,
  };
  const knock = () => connectOfficial({ ...guest, origin: "http://localhost:3000" });
  assert.match(await knock().then(() => "in", String), "device pairing required");
  const { pending } = (await ask("device.pair.list", {})) as { pending: { requestId: string }[] };
  await ask("device.pair.approve", { requestId: pending[0]?.requestId });
  const connected = await knock();
  assert.equal(connected.hello.auth.scopes, ["operator.read"]);
  await ask("device.pair.rename", { deviceId: device.deviceId, label: "Ada's browser" });
  await ask("device.token.rotate", { deviceId: device.deviceId, role: "operator" });
  assert.equal(await connected.closed, { code: 4001, reason: "device removed" });
  connected.client.stop();
  await ask("device.pair.remove", { deviceId: device.deviceId });
  assert.match(await knock().then(() => "in", String), "device pairing required");
  const { pending: again } = (await ask("device.pair.list", {})) as { pending: { requestId: string }[] };
  await ask("device.pair.reject", { requestId: again[0]?.requestId });
  for (const frame of owner.events) checkEvent(frame.event, frame.payload);
  await owner.stop();
  await gateway.stop();
});

test("SC-023 a node connects, has its surface approved, and is listed, described, renamed and removed", async () => {
  const gateway = await startGateway({ config: withToken, args: [] });
  const owner = await connectOfficial({ url: gateway.url, token, ...admin });
  const ask = asker(owner);
  const device = makeDevice();
  const nodeId = device.deviceId;
  const surface = { caps: ["system"], commands: ["system.run", "system.notify"] };
  const who = { clientName: "node-host" as const, mode: "node" as const, role: "node", scopes: [], ...surface };
  const node = await connectOfficial({ url: gateway.url, token, ...who, device });
  const { pending } = (await ask("node.pair.list", {})) as { pending: { requestId: string; nodeId: string }[] };
  assert.is(pending[0]?.nodeId, nodeId);
  await ask("node.pair.approve", { requestId: pending[0]?.requestId });
  const { nodes } = (await ask("node.list", {})) as { nodes: { commands: string[]; connected: boolean }[] };
  assert.equal([nodes[0]?.connected, nodes[0]?.commands.toSorted()], [true, ["system.notify", "system.run"]]);
  await ask("node.describe", { nodeId });
  await ask("node.rename", { nodeId, displayName: "Workshop" });
  await ask("node.pair.remove", { nodeId });
  for (const frame of owner.events) checkEvent(frame.event, frame.payload);
  await node.stop();
  await owner.stop();
  await gateway.stop();
});

test("a stopping gateway tells its clients, and closes with 1012", async () => {
  const gateway = await startGateway();
  const connected = await connectOfficial({ url: gateway.url, scopes: ["operator.read"] });
  assert.is(await gateway.stop(), 0);
  assert.equal(await connected.closed, { code: 1012, reason: "service restart" });
  assert.equal(connected.events.at(-1)?.payload, { reason: "gateway stopping" });
  connected.client.stop();
});

/** Calls a method and holds its result to the published schema. */
function asker({ client }: Connected) {
  return async (method: string, params: unknown): Promise<Record<string, unknown>> => {
    const result = await client.request(method, params);
    checkResult(method, result);
    return result;
  };
}

/** The least that each method needs; those not named need nothing. */
function paramsFor(method: string): unknown {
  return needs[method] ?? {};
}

const needs: Readonly<Record<string, unknown>> = {
  "system-event": { text: "hello" },
  "set-heartbeats": { enabled: false },
  "config.schema.lookup": { path: "gateway.port" },
  "sessions.messages.subscribe": { key: "main" },
  "sessions.messages.unsubscribe": { key: "main" },
  "logs.tail": { limit: 5 },
  "sessions.resolve": { key: "main" },
  "sessions.abort": { key: "main" },
};

/** Methods that need something which is not there answer so; methods of nodes refuse operators. */
function isExpected(method: string, error: string): boolean {
  const missing =
    /requires an authenticated user|No session found|unknown (requestId|deviceId|nodeId)|must have required property|id is missing|base hash required|denied/.test(
      error,
    );
  return missing || (error.includes("unauthorized role") && /^(node\.|skills\.bins)/.test(method));
}

async function checkEvents(connected: Connected): Promise<void> {
  await until("presence event", () => connected.events.find(({ event }) => event === "presence"));
  for (const frame of connected.events) checkEvent(frame.event, frame.payload);
}

test.after(endLaunched);
test.run();
