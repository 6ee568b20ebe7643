import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWithoutPort } from "../support/no-port.ts";

test("probes answer GET and HEAD, and nothing else", async () => {
  const at = await openWithoutPort();
  for (const path of ["/health", "/healthz"]) {
    const response = await at.request(path);
    assert.equal([response.status, await response.json()], [200, { ok: true, status: "live" }]);
  }
  const head = await at.request("/health", { method: "HEAD" });
  assert.equal([head.status, await head.text()], [200, ""]);
  const post = await at.request("/health", { method: "POST" });
  assert.equal([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
});

test("readiness tells callers of this machine about the parts, and others only yes or no", async () => {
  const at = await openWithoutPort();
  const local = (await (await at.request("/readyz")).json()) as Record<string, unknown>;
  assert.equal([local["ready"], local["failing"], local["parts"]], [true, [], []]);
  const remote = await at.request("/ready", { headers: { host: "gw" } }, "192.168.1.20");
  assert.equal(await remote.json(), { ready: true });
});

test("what is not there is 404, whatever it looks like", async () => {
  const at = await openWithoutPort();
  for (const path of ["/nothing", "/..%2f..%2fetc/passwd", "/%00", "//evil.example/", "/health/x"]) {
    assert.is((await at.request(path)).status, 404, path);
  }
});

test("every answer forbids sniffing, framing and referrers", async () => {
  const at = await openWithoutPort();
  for (const path of ["/health", "/nothing"]) {
    const { headers } = await at.request(path);
    assert.is(headers.get("x-content-type-options"), "nosniff");
    assert.is(headers.get("x-frame-options"), "DENY");
    assert.is(headers.get("referrer-policy"), "no-referrer");
  }
});

test("threat B: an upgrade with a foreign Origin or a rebound Host is answered 403", async () => {
  const at = await openWithoutPort();
  for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { host: "evil.example:18789" }]) {
    const { client, response } = await at.upgrade(headers);
    assert.is(client, undefined);
    assert.is(response.status, 403, JSON.stringify(headers));
  }
  assert.is((await at.request("/ready", { headers: { host: "evil.example" } })).status, 403);
});

test("threat J: forwarding headers from nobody we trust are answered 403 and named", async () => {
  const at = await openWithoutPort();
  const { client, response } = await at.upgrade({ "x-forwarded-for": "127.0.0.1" });
  assert.is(client, undefined);
  assert.is(response.status, 403);
  assert.match(await response.text(), "proxy_attribution_required");
});

test.run();
