import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkHello } from "../support/official.ts";
import { limits } from "../../src/protocol/version.ts";
import { connectFrame, openWithoutPort, type FakeClient, type NoPort } from "../support/no-port.ts";

async function challenged(): Promise<{ at: NoPort; client: FakeClient }> {
  const at = await openWithoutPort();
  const { client } = await at.upgrade();
  if (!client) throw new Error("refused");
  return { at, client };
}

test("the challenge comes first, with a nonce of its own for each socket", async () => {
  const { at, client } = await challenged();
  const { client: other } = await at.upgrade();
  const [challenge] = client.frames;
  assert.is(challenge.event, "connect.challenge");
  assert.is(challenge.seq, undefined);
  assert.is.not(challenge.payload.nonce, other?.frames[0].payload.nonce);
});

const refused: readonly (readonly [what: string, text: string, code: number, reason: string])[] = [
  ["text that is not JSON", "{", 1000, ""],
  ["JSON that is no request", "[]", 1008, "invalid request frame"],
  ["an event", '{"type":"event","event":"x"}', 1008, "invalid request frame"],
  [
    "another method than connect",
    '{"type":"req","id":"1","method":"health"}',
    1008,
    "invalid handshake: first request must be connect",
  ],
  [
    "a connect without parameters",
    '{"type":"req","id":"1","method":"connect","params":{}}',
    1008,
    "invalid connect params: must have required property 'minProtocol'; must have required property 'maxProtocol'; must have required prop",
  ],
  ["an unknown role", JSON.stringify(connectFrame({ role: "root" })), 1008, "invalid role"],
  [
    "a dialect from the future",
    JSON.stringify(connectFrame({ minProtocol: 9, maxProtocol: 9 })),
    1002,
    "protocol mismatch",
  ],
];
for (const [what, text, code, reason] of refused) {
  test(`before hello, ${what} closes with ${code}`, async () => {
    const { at, client } = await challenged();
    client.sendText(text);
    await at.host.clock.advance(0);
    assert.is(client.closed?.code, code);
    assert.ok(client.closed?.reason.startsWith(reason.slice(0, 100)), client.closed?.reason);
  });
}

test("threat H: before hello 65,536 bytes are read and one more closes with 1009", async () => {
  const frame = (size: number) => {
    const text = JSON.stringify(connectFrame({ userAgent: "" }));
    return text.replace('"userAgent":""', `"userAgent":"${"x".repeat(size - text.length)}"`);
  };
  const first = await challenged();
  first.client.sendText(frame(65_536));
  assert.is((await first.client.answer("c")).ok, true);
  const second = await challenged();
  second.client.sendText(frame(65_537));
  assert.equal(second.client.closed, { code: 1009, reason: "" });
});

test("threat H: who says nothing is let go after the handshake deadline", async () => {
  const { at, client } = await challenged();
  await at.host.clock.advance(limits.handshakeMs - 1);
  assert.is(client.closed, undefined);
  await at.host.clock.advance(1);
  assert.equal(client.closed, { code: 1000, reason: "" });
});

test("threat H: the 33rd socket of an address that has not said hello is answered 503", async () => {
  const at = await openWithoutPort();
  for (let index = 0; index < 32; index++) assert.ok((await at.upgrade()).client);
  const { response, client } = await at.upgrade();
  assert.is(client, undefined);
  assert.is(response.status, 503);
  assert.match(await response.text(), "Too many unauthenticated sockets");
});

test("a place is free again when its socket says hello or goes", async () => {
  const at = await openWithoutPort();
  for (let index = 0; index < 40; index++) await at.connected(["operator.read"]);
  await at.host.clock.advance(limits.handshakeMs);
  assert.ok((await at.upgrade()).client);
});

test("requests sent along with connect are answered after hello, in order", async () => {
  const { client } = await challenged();
  client.send(connectFrame());
  for (let index = 0; index < 40; index++) client.send({ type: "req", id: `r${index}`, method: "health" });
  await client.answer("r39");
  const ids = client.frames.filter(({ type }) => type === "res").map(({ id }) => id);
  assert.equal(ids, ["c", ...Array.from({ length: 40 }, (_, index) => `r${index}`)]);
});

test("after hello a bad frame is answered and the connection goes on", async () => {
  const at = await openWithoutPort();
  const client = await at.connected(["operator.read"]);
  client.sendText("{");
  client.sendText('{"type":"req","id":"x","method":5}');
  assert.is((await client.answer("x")).error.message, "invalid request frame: at /method: must be string");
  client.send(connectFrame());
  client.send({ type: "req", id: "h", method: "health" });
  assert.is((await client.answer("h")).ok, true);
});

test("a second connect, an unknown method and wrong parameters say what is wrong", async () => {
  const at = await openWithoutPort();
  const client = await at.connected(["operator.admin"]);
  const ask = async (id: string, method: string, params: unknown = {}) => {
    client.send({ type: "req", id, method, params });
    return (await client.answer(id)).error.message;
  };
  assert.is(await ask("1", "connect"), "connect is only valid as the first request");
  assert.is(await ask("2", "no.such"), "unknown method: no.such");
  assert.is(await ask("3", "system-event"), "invalid system-event params: must have required property 'text'");
});

test("threat F: a scope that is missing is named, and the connection goes on", async () => {
  const at = await openWithoutPort();
  const client = await at.connected(["operator.read"]);
  for (let index = 0; index < 20; index++)
    client.send({ type: "req", id: `s${index}`, method: "config.set", params: { raw: "{}" } });
  assert.equal((await client.answer("s19")).error, {
    code: "FORBIDDEN",
    message: "missing scope: operator.admin",
    details: { code: "MISSING_SCOPE", missingScope: "operator.admin", requiredScopes: ["operator.admin"] },
  });
  assert.is(client.closed, undefined);
});

test("an operator who keeps calling a node's methods is cut off", async () => {
  const at = await openWithoutPort();
  const client = await at.connected(["operator.admin"]);
  for (let index = 0; index < 11; index++) client.send({ type: "req", id: `n${index}`, method: "skills.bins" });
  await client.answer("n10");
  assert.equal(client.closed, { code: 1008, reason: "repeated unauthorized calls" });
});

test("ticks come every thirty seconds and health every sixty, numbered per connection", async () => {
  const at = await openWithoutPort();
  const client = await at.connected([]);
  for (let turn = 0; turn < 6; turn++) {
    await at.host.clock.advance(20_000);
    client.pong();
  }
  assert.is(client.events("tick").length, 4);
  assert.is(client.events("health").length, 2);
  const numbers = client.frames.filter(({ seq }) => seq !== undefined).map(({ seq }) => seq);
  assert.equal(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test("who leaves a ping unanswered is gone by the next one", async () => {
  const at = await openWithoutPort();
  const client = await at.connected([]);
  await at.host.clock.advance(limits.pingMs);
  assert.is(client.pings, 1);
  client.pong();
  await at.host.clock.advance(limits.pingMs);
  assert.is(client.terminated, false);
  await at.host.clock.advance(limits.pingMs);
  assert.is(client.terminated, true);
});

test("events that need a scope use up no number of those who lack it", async () => {
  const at = await openWithoutPort();
  const [reader, blind] = [await at.connected(["operator.read"]), await at.connected([])];
  reader.send({ type: "req", id: "e", method: "system-event", params: { text: "hello" } });
  const admin = await at.connected(["operator.admin"]);
  admin.send({ type: "req", id: "e", method: "system-event", params: { text: "hello" } });
  await admin.answer("e");
  await at.host.clock.advance(limits.tickMs);
  assert.ok(reader.events("presence").length > 0);
  assert.is(blind.events("presence").length, 0);
  assert.is(blind.events("tick")[0].seq, 1);
});

test("threat H: a slow reader is not read on, loses what may be lost, and is cut in the end", async () => {
  const at = await openWithoutPort();
  const client = await at.connected(["operator.read"]);
  client.backlog = 5 * 1024 * 1024;
  client.send({ type: "req", id: "h", method: "health" });
  await client.answer("h");
  assert.is(client.paused, true);
  client.backlog = 0;
  client.drain();
  assert.is(client.paused, false);

  client.backlog = limits.maxBuffered * 0.75;
  await at.host.clock.advance(limits.pingMs);
  client.pong();
  await at.host.clock.advance(limits.tickMs - limits.pingMs);
  assert.is(client.events("tick").length, 0);
  client.backlog = 0;
  await at.host.clock.advance(20_000);
  client.pong();
  await at.host.clock.advance(10_000);
  assert.is(client.events("tick").length, 1);
  assert.ok(
    client.frames.every(({ seq }) => seq !== 1),
    "the gap tells that something was left out",
  );

  client.backlog = limits.maxBuffered + 1;
  client.send({ type: "req", id: "h2", method: "health" });
  assert.equal(client.closed, { code: 1008, reason: "slow consumer" });
});

test("threat E: a changed secret closes who came in by the old one, at once", async () => {
  const auth = (token: string) => ({ gateway: { mode: "local", auth: { mode: "token", token } } });
  const at = await openWithoutPort({ config: auth("one") });
  const { client } = await at.upgrade();
  client?.send(connectFrame({ auth: { token: "one" } }));
  assert.is((await client?.answer("c"))?.ok, true);
  at.config.become(auth("two"));
  assert.equal(client?.closed, { code: 4001, reason: "gateway auth changed" });
  const { client: late } = await at.upgrade();
  late?.send(connectFrame({ auth: { token: "one" } }));
  assert.is((await late?.answer("c"))?.ok, false);
});

test("threat E: a change that would open the gateway is not taken over while it runs", async () => {
  const at = await openWithoutPort({ config: { gateway: { mode: "local", auth: { mode: "token", token: "one" } } } });
  at.config.become({ gateway: { mode: "local", bind: "lan" } });
  const { client } = await at.upgrade();
  client?.send(connectFrame());
  assert.is((await client?.answer("c"))?.ok, false);
});

test("a closing gateway says so, closes with 1012, and listens no more", async () => {
  const at = await openWithoutPort();
  const client = await at.connected([]);
  await at.gateway.close("gateway stopping");
  assert.equal(client.events("shutdown")[0].payload, { reason: "gateway stopping" });
  assert.equal(client.closed, { code: 1012, reason: "service restart" });
  assert.ok(at.host.net.servers.every((server) => !server.open));
});

test("SC-242 a restart says when it expects to be back, and is", async () => {
  const at = await openWithoutPort();
  const client = await at.connected([]);
  await at.gateway.restart({ signal: new AbortController().signal, begun: () => undefined });
  assert.equal(client.events("shutdown")[0].payload, { reason: "gateway restarting", restartExpectedMs: 1000 });
  assert.ok(await at.connected(["operator.read"]));
});

test("in safe mode health says so with the reason, and the hello is what clients know", async () => {
  const safeMode = { reason: "no space left on device", failures: 5, since: 1 };
  const at = await openWithoutPort({ safeMode });
  const { client } = await at.upgrade();
  assert.ok(client);
  client.send(connectFrame());
  checkHello((await client.answer("c")).payload);
  client.send({ type: "req", id: "h", method: "health", params: {} });
  const { payload } = await client.answer("h");
  assert.equal([payload.ok, payload.safeMode], [false, safeMode]);
  assert.equal(payload.parts[0], { part: "safe-mode", state: "failed", reason: "no space left on device" });
});

test.run();
