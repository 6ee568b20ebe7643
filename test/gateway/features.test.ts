import { test } from "uvu";
import * as assert from "uvu/assert";
import type { SafeMode } from "../../src/gateway/starts.ts";
import { openWithoutPort, type NoPort } from "../support/no-port.ts";

await import("../../src/channels/synology-chat.ts");

const token = "the-token-of-the-gateway";
const hookToken = "the-token-of-other-programs-0123456789";
const synology = { token: "from-synology", incomingUrl: "http://127.0.0.1:9/in", dmPolicy: "open", allowFrom: ["*"] };
const config = {
  gateway: { mode: "local", auth: { token }, publicOrigin: "https://claw.example.org" },
  hooks: { enabled: true, token: hookToken },
  channels: { "synology-chat": synology },
};

async function opened(safeMode?: SafeMode): Promise<NoPort> {
  const at = await openWithoutPort({ config, ...(safeMode ? { safeMode } : {}) });
  for (let turn = 0; turn < 50; turn++) await at.host.clock.advance(0);
  return at;
}

test("SC-027 one gateway serves channels, nodes, sessions and hooks, and says so to who connects", async () => {
  const at = await opened();
  const { client } = await at.upgrade();
  client?.send({
    type: "req",
    id: "c",
    method: "connect",
    params: {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: "cli", version: "1.0", platform: "linux", mode: "cli" },
      scopes: ["operator.read"],
      auth: { token },
    },
  });
  const hello = await client?.answer("c");
  const { methods } = hello.payload.features as { readonly methods: readonly string[] };
  for (const name of ["channels.status", "node.list", "sessions.list", "cron.list", "wake"])
    assert.ok(methods.includes(name), name);
  assert.equal(hello.payload.snapshot.health.channelOrder, ["synology-chat"]);
  const init = { method: "POST", body: JSON.stringify({ text: "something happened", mode: "next-heartbeat" }) };
  const headers = { "content-type": "application/json" };
  const bare = await at.request("/hooks/wake", { ...init, headers });
  const known = await at.request("/hooks/wake", {
    ...init,
    headers: { ...headers, authorization: `Bearer ${hookToken}` },
  });
  assert.equal([bare.status, known.status], [401, 200]);
});

test("threat B a webhook on loopback is for who names this gateway, or the public name it was given", async () => {
  const at = await opened();
  const write = async (host: string, form: Readonly<Record<string, string>> = {}): Promise<Response> =>
    at.request("/webhook/synology", { method: "POST", headers: { host }, body: new URLSearchParams(form) });
  const rebound = await write("evil.example");
  assert.is(rebound.status, 403);
  assert.match(await rebound.text(), "gateway.publicOrigin");
  assert.is((await write("127.0.0.1:18789")).status, 401);
  assert.is((await write("claw.example.org")).status, 401);
  const upgrade = await at.request("/webhook/synology", { headers: { upgrade: "websocket", connection: "upgrade" } });
  assert.is.not(upgrade.status, 200);
});

test("threat I who guesses a webhook's secret is locked out there, and nowhere else", async () => {
  const at = await opened();
  const guess = async (peer: string, path = "/webhook/synology"): Promise<number> =>
    (await at.request(path, { method: "POST", body: new URLSearchParams({ token: "guess" }) }, peer)).status;
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) statuses.push(await guess("203.0.113.7"));
  assert.is(statuses[0], 401);
  assert.is(statuses.at(-1), 429);
  assert.is(await guess("203.0.113.8"), 401);
  assert.is((await at.request("/health", {}, "203.0.113.7")).status, 200);
});

test("in safe mode no network is opened, and nothing listens for one", async () => {
  const at = await opened({ reason: "five starts failed", failures: 5, since: 0 });
  const response = await at.request("/webhook/synology", { method: "POST", body: new URLSearchParams() });
  assert.is(response.status, 404);
});

test.run();
