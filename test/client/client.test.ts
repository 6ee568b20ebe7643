import { test } from "uvu";
import * as assert from "uvu/assert";
import { connect, type ConnectOptions } from "../../src/client/client.ts";
import { Failure } from "../../src/kit/error.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { scriptedHost } from "../support/host.ts";
import { fakeGateway, Refusal, type FakeGateway } from "./fake-gateway.ts";

function reach(gateway: FakeGateway, more: Partial<ConnectOptions> = {}) {
  const host = scriptedHost({ dial: gateway.dial });
  const options = { url: "ws://127.0.0.1:18789", client: { id: "cli", mode: "cli" }, scopes: ["operator.read"] };
  return { host, opened: connect(host, { ...options, timeoutMs: 1000, ...more }) };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    return Failure.from(error);
  }
  throw new Error("did not fail");
}

test("connect answers the challenge with who it is, what it wants and its token", async () => {
  const gateway = fakeGateway();
  const client = await reach(gateway, { token: "tok" }).opened;
  const sent = gateway.connections[0]?.connect as JsonObject & { client: JsonObject };
  const { instanceId, version, ...about } = sent.client;
  assert.type(instanceId, "string");
  assert.type(version, "string");
  assert.equal(about, { id: "cli", mode: "cli", platform: "linux", deviceFamily: "Linux" });
  assert.equal([sent["minProtocol"], sent["maxProtocol"], sent["role"]], [4, 4, "operator"]);
  assert.equal([sent["scopes"], sent["auth"]], [["operator.read"], { token: "tok" }]);
  assert.is(sent["device"], undefined);
  assert.is(client.hello.payload["protocol"], 4);
});

test("with an identity the version 3 payload is signed over the challenge's nonce and time, not the password", async () => {
  const gateway = fakeGateway();
  const signed: string[] = [];
  const identity = { deviceId: "dev", publicKey: "pub", sign: async (text: string) => (signed.push(text), "sig") };
  await reach(gateway, { identity, password: "pw", deviceToken: "dt", scopes: ["b", "a"] }).opened;
  assert.equal(signed, ["v3|dev|cli|cli|operator|b,a|1795225078057|dt|n1|linux|linux"]);
  assert.equal(gateway.connections[0]?.connect?.["device"], {
    id: "dev",
    publicKey: "pub",
    signature: "sig",
    signedAt: 1_795_225_078_057,
    nonce: "n1",
  });
});

test("answers find their calls in any order", async () => {
  const gateway = fakeGateway({ methods: { slow: () => undefined, fast: () => ({ fast: true }) } });
  const client = await reach(gateway).opened;
  const slow = client.request("slow", {}, { timeoutMs: 500 });
  assert.equal(await client.request("fast", {}), { fast: true });
  client.close();
  assert.is((await failureOf(slow)).code, "aborted");
});

test("an error frame becomes a Failure with its details", async () => {
  const details = { code: "MISSING_SCOPE", missingScope: "operator.admin" };
  const error = { code: "FORBIDDEN", message: "missing scope: operator.admin", details, retryable: false };
  const client = await reach(fakeGateway({ methods: { x: () => new Refusal(error) } })).opened;
  const failure = await failureOf(client.request("x", {}));
  assert.equal([failure.code, failure.message, failure.details], ["forbidden", error.message, details]);
});

test("a refused connect gives the gateway's reason, not the close that follows", async () => {
  const error = { code: "NOT_PAIRED", message: "pairing required: device is not approved yet" };
  const failure = await failureOf(reach(fakeGateway({ connect: () => new Refusal(error) })).opened);
  assert.equal([failure.code, failure.message], ["not-paired", error.message]);
});

test("with expectFinal the accepted answer is passed over", async () => {
  const gateway = fakeGateway({
    methods: {
      agent: (_, gateway) => {
        queueMicrotask(() => gateway.send({ type: "res", ok: true, payload: { status: "ok" } }));
        return { status: "accepted" };
      },
    },
  });
  const client = await reach(gateway).opened;
  assert.equal(await client.request("agent", {}), { status: "accepted" });
  assert.equal(await client.request("agent", {}, { expectFinal: true }), { status: "ok" });
});

test("nobody there: the close is told as the real programs tell it", async () => {
  const host = scriptedHost();
  const options = { client: { id: "cli", mode: "cli" }, scopes: [], timeoutMs: 1000 };
  const failure = await failureOf(connect(host, { ...options, url: "ws://127.0.0.1:1" }));
  assert.is(failure.message, "gateway closed (1006 abnormal closure (no close frame)): connection refused");
  assert.ok(failure.retryable);
});

test("a connection that ends leaves no call waiting and no timer armed", async () => {
  const gateway = fakeGateway({ methods: { x: () => undefined } });
  const { host, opened } = reach(gateway);
  const client = await opened;
  const waiting = failureOf(client.request("x", {}));
  gateway.end(1012, "service restart");
  assert.is((await waiting).message, "gateway closed (1012 service restart): service restart");
  assert.is((await failureOf(client.request("x", {}))).details !== undefined, true);
  assert.is(host.clock.armed, 0);
});

test("a silent gateway is given up after the timeout, and so is a silent method", async () => {
  const silent = reach(fakeGateway({ silent: true }));
  const first = failureOf(silent.opened);
  await silent.host.clock.advance(1000);
  assert.match(
    (await first).message,
    /^gateway timeout after 1000ms waiting for a hello from ws:\/\/127\.0\.0\.1:18789$/,
  );
  const { host, opened } = reach(fakeGateway({ methods: { x: () => undefined } }));
  const client = await opened;
  const second = failureOf(client.request("x", {}, { timeoutMs: 50 }));
  await host.clock.advance(50);
  assert.equal([(await second).code, (await second).message], ["timeout", "gateway timeout after 50ms waiting for x"]);
});

test("an aborted signal ends connecting and calling", async () => {
  const abort = new AbortController();
  const connecting = failureOf(reach(fakeGateway({ silent: true }), { signal: abort.signal }).opened);
  abort.abort();
  assert.is((await connecting).code, "aborted");
  const client = await reach(fakeGateway({ methods: { x: () => undefined } })).opened;
  const later = new AbortController();
  const calling = failureOf(client.request("x", {}, { signal: later.signal }));
  later.abort();
  assert.is((await calling).code, "aborted");
  assert.is((await failureOf(client.request("x", {}, { signal: later.signal }))).code, "aborted");
});

test("threat: garbage, answers to nobody and a wrong hello do no harm", async () => {
  const gateway = fakeGateway({ methods: { x: () => ({ fine: true }) } });
  const client = await reach(gateway).opened;
  gateway.send({ type: "res", id: "nobody", ok: true });
  gateway.send({ type: "res" });
  gateway.send({ type: "event", event: 7 });
  assert.equal(await client.request("x", {}), { fine: true });
  const other = await failureOf(reach(fakeGateway({ connect: () => ({ type: "welcome" }) })).opened);
  assert.match(other.message, /not hello-ok: not a gateway\?$/);
});

test("events reach the listener", async () => {
  const heard: unknown[] = [];
  const gateway = fakeGateway({ methods: { x: () => ({}) } });
  const client = await reach(gateway, { onEvent: (event, payload) => void heard.push([event, payload]) }).opened;
  gateway.send({ type: "event", event: "tick", payload: { ts: 1 } });
  await client.request("x", {});
  assert.equal(heard, [["tick", { ts: 1 }]]);
});

test.run();
