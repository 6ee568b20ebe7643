import { test } from "uvu";
import * as assert from "uvu/assert";
import { locate } from "../../src/gateway/locality.ts";
import { checkHost, checkOrigin } from "../../src/gateway/origin.ts";

const local = locate(new Headers(), "127.0.0.1", { proxies: [], tailscale: "off" });
const remote = locate(new Headers(), "192.168.1.20", { proxies: [], tailscale: "off" });
const rules = { allowed: ["https://chat.example"], names: ["mybox"] };

const allowed = (origin: string | undefined, host: string, from = local) => checkOrigin(origin, host, from, rules).ok;

test("a page of this gateway on loopback may connect, from any loopback origin", () => {
  for (const origin of [
    "http://127.0.0.1:18789",
    "http://localhost:3000",
    "http://[::1]:5173",
    "http://app.localhost",
  ]) {
    assert.ok(allowed(origin, "127.0.0.1:18789"), origin);
  }
});

test("threat B: foreign, null, look-alike and malformed origins are refused", () => {
  const foreign = [
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "https://chat.example.evil.example",
    "http://chat.example",
    "https://chat.example:8443",
    "https://user@chat.example",
    "file:///etc/passwd",
    "localhost",
  ];
  for (const origin of foreign) assert.not.ok(allowed(origin, "127.0.0.1:18789"), origin);
  assert.not.ok(allowed(undefined, "127.0.0.1:18789"));
});

test("threat B: a rebound name makes no same origin", () => {
  assert.not.ok(allowed("http://evil.example:18789", "evil.example:18789"));
});

test("a listed origin may connect from anywhere", () => {
  assert.ok(allowed("https://chat.example", "gw.example", remote));
});

test("over the network a page is same-origin only under an address or name of this machine", () => {
  assert.ok(allowed("http://192.168.1.5:18789", "192.168.1.5:18789", remote));
  assert.ok(allowed("http://mybox.local:18789", "mybox.local:18789", remote));
  assert.not.ok(allowed("http://localhost:18789", "192.168.1.5:18789", remote));
  assert.not.ok(allowed("http://192.168.1.6:18789", "192.168.1.5:18789", remote));
});

test("threat B: on loopback the Host header must name this machine", () => {
  for (const host of [
    "127.0.0.1:18789",
    "localhost:18789",
    "[::1]:18789",
    "mybox",
    "MYBOX.local:18789",
    "chat.example",
  ]) {
    assert.ok(checkHost(host, local, rules), host);
  }
  for (const host of ["evil.example:18789", "", "localhost.evil.example", "127.0.0.1@evil.example", "a b", undefined]) {
    assert.not.ok(checkHost(host, local, rules), String(host));
  }
});

test("further away anybody may call this machine by a name of theirs", () => {
  assert.ok(checkHost("gw.office.example", remote, rules));
});

test.run();
