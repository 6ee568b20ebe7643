import { test } from "uvu";
import * as assert from "uvu/assert";
import { connectFrame, openWithoutPort, type NoPort } from "../support/no-port.ts";

const token = "a-token-that-is-long-enough-for-anybody";
const bearer = { authorization: `Bearer ${token}` };

function open(diagnostics?: object): Promise<NoPort> {
  return openWithoutPort({
    config: { gateway: { mode: "local", auth: { token } }, ...(diagnostics ? { diagnostics } : {}) },
  });
}

async function measured(): Promise<NoPort> {
  return open({ metrics: { enabled: true } });
}

async function textOf(opened: NoPort): Promise<string> {
  const response = await opened.request("/metrics", { headers: bearer });
  assert.is(response.status, 200);
  return response.text();
}

function valueOf(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series} in:\n${text}`);
  return Number(line.slice(series.length + 1));
}

test("there is no /metrics unless the configuration says so, whoever asks", async () => {
  for (const diagnostics of [undefined, { enabled: false, metrics: { enabled: true } }]) {
    const opened = await open(diagnostics);
    assert.is((await opened.request("/metrics", { headers: bearer })).status, 404);
    assert.is((await opened.request("/metrics")).status, 404);
    await opened.gateway.close("test over");
  }
});

test("threat G metrics are for callers with the gateway's secret, on this machine too", async () => {
  const opened = await measured();
  for (const path of ["/metrics", "/api/diagnostics/prometheus"]) {
    assert.is((await opened.request(path)).status, 401);
    assert.is((await opened.request(path, { headers: { authorization: "Bearer wrong" } })).status, 401);
    assert.is((await opened.request(path, { headers: bearer }, "192.0.2.7")).status, 200);
    assert.is((await opened.request(path, { headers: bearer })).status, 200);
    assert.is((await opened.request(path, { method: "POST", headers: bearer })).status, 405);
  }
  await opened.gateway.close("test over");
});

test("the text is Prometheus's own, or OpenMetrics where that is preferred; HEAD has none", async () => {
  const opened = await measured();
  const plain = await opened.request("/metrics", { headers: bearer });
  assert.is(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.is(plain.headers.get("cache-control"), "no-store");
  const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
  const open = await opened.request("/metrics", { headers: { ...bearer, accept } });
  assert.is(open.headers.get("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.ok((await open.text()).endsWith("\n# EOF\n"));
  const head = await opened.request("/metrics", { method: "HEAD", headers: bearer });
  assert.is(await head.text(), "");
  await opened.gateway.close("test over");
});

async function connect(opened: NoPort) {
  const { client } = await opened.upgrade();
  if (!client) throw new Error("refused");
  client.send(connectFrame({ scopes: ["operator.admin"], auth: { token } }));
  assert.ok((await client.answer("c")).ok);
  return client;
}

test("calls are counted by method and outcome, connections by role, refusals by reason", async () => {
  const opened = await measured();
  const client = await connect(opened);
  client.send({ type: "req", id: "1", method: "health" });
  client.send({ type: "req", id: "2", method: "no.such.method" });
  client.send({ type: "req", id: "3", method: "sessions.patch", params: { key: 7 } });
  for (const id of ["1", "2", "3"]) await client.answer(id);
  const stranger = await opened.upgrade();
  stranger.client?.send(connectFrame({ auth: { token: "wrong" } }));
  await stranger.client?.answer("c");
  const text = await textOf(opened);
  assert.is(valueOf(text, 'openclaw_calls_total{method="health",outcome="ok"}'), 1);
  assert.is(valueOf(text, 'openclaw_calls_total{method="unknown",outcome="invalid-request"}'), 1);
  assert.is(valueOf(text, 'openclaw_calls_total{method="sessions.patch",outcome="invalid-request"}'), 1);
  assert.is(valueOf(text, 'openclaw_call_duration_seconds_count{method="health"}'), 1);
  assert.is(valueOf(text, 'openclaw_connections{role="operator",state="ready"}'), 1);
  assert.is(valueOf(text, 'openclaw_connections_closed_total{reason="refused"}'), 1);
  assert.match(text, /openclaw_connects_refused_total\{reason="[a-z_]+"\} 1\n/);
  assert.is(valueOf(text, 'openclaw_http_requests_total{path="websocket",code="101"}'), 2);
  await opened.gateway.close("test over");
});

test("a client that reads too slowly shows by its buffer, and by its end", async () => {
  const opened = await measured();
  const client = await connect(opened);
  client.backlog = 7_000_000;
  assert.is(valueOf(await textOf(opened), "openclaw_buffered_bytes"), 7_000_000);
  client.backlog = 1_000_000_000;
  client.send({ type: "req", id: "1", method: "health" });
  assert.is(client.closed?.reason, "slow consumer");
  assert.is(valueOf(await textOf(opened), 'openclaw_connections_closed_total{reason="slow_consumer"}'), 1);
  await opened.gateway.close("test over");
});

test("events, lockouts, writes and the loop are counted", async () => {
  const opened = await measured();
  await connect(opened);
  for (let attempt = 0; attempt < 12; attempt++)
    await opened.request("/metrics", { headers: { authorization: "Bearer wrong" } }, "192.0.2.7");
  await opened.host.clock.advance(61_000);
  const text = await textOf(opened);
  assert.ok(valueOf(text, 'openclaw_events_sent_total{event="tick"}') >= 1);
  assert.is(valueOf(text, "openclaw_auth_lockouts_total"), 1);
  assert.ok(valueOf(text, "openclaw_event_loop_delay_seconds_count") >= 60);
  assert.ok(valueOf(text, 'openclaw_store_flush_duration_seconds_count{kind="replace"}') >= 1);
  assert.is(valueOf(text, 'openclaw_turns{state="running"}'), 0);
  await opened.gateway.close("test over");
});

test("threat G nobody's address, token or invented name is in the text", async () => {
  const opened = await measured();
  const client = await connect(opened);
  client.send({ type: "req", id: "1", method: "canary-method", params: { sessionKey: "canary-session" } });
  await client.answer("1");
  await opened.request("/canary-path", {}, "192.0.2.77");
  const text = await textOf(opened);
  for (const canary of ["canary", "192.0.2", "127.0.0.1", token]) assert.not.match(text, canary);
  await opened.gateway.close("test over");
});

test.run();
