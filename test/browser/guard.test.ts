import { test } from "uvu";
import * as assert from "uvu/assert";
import { createGuard, isPublic } from "../../src/browser/guard.ts";

const net = {
  async resolve(name: string, type: string) {
    if (name === "down.example") throw new Error("no server answers");
    const found: Record<string, string> = { "A site.example": "93.184.216.34", "A home.example": "192.168.1.1" };
    found["AAAA mapped.example"] = "::ffff:127.0.0.1";
    const address = found[`${type} ${name}`];
    return address === undefined ? [] : [address];
  },
} as unknown as Parameters<typeof createGuard>[0];

const closed = { allowPrivateNetwork: false, allowedHostnames: [] };

test("threat N a page may not lie on this machine or in a private network, however it is spelled", async () => {
  const guard = createGuard(net, closed);
  for (const host of (
    "localhost localhost. a.localhost 127.0.0.1 127.1 0x7f.1 2130706433 0.0.0.0 [::1] [::] 10.1.2.3 172.31.0.1 " +
    "192.168.0.1 169.254.169.254 100.100.1.1 [fd00::1] [fe80::1] [::ffff:10.0.0.1] [64:ff9b::7f00:1] printer nas.local " +
    "router.home.arpa metadata.internal home.example HOME.example. mapped.example"
  ).split(" "))
    assert.match((await guard.refusal(`http://${host}:8080/x`)) ?? "", "in a private network", host);
});

test("a page on the internet may be opened", async () => {
  const guard = createGuard(net, closed);
  for (const url of [
    "http://site.example/",
    "https://93.184.216.34/",
    "https://[2606:2800:220:1::1]/",
    "wss://site.example/s",
  ])
    assert.is(await guard.refusal(url), undefined, url);
  // A name that nobody knows leads nowhere.
  assert.is(await guard.refusal("http://down.example/"), undefined);
  assert.is(guard.refusalOf("http://site.example/", "93.184.216.34"), undefined);
});

test("addresses that are no pages are not opened", async () => {
  const guard = createGuard(net, { allowPrivateNetwork: true, allowedHostnames: [] });
  for (const url of [
    "file:///etc/passwd",
    "chrome://settings",
    "view-source:http://x/",
    "ftp://x/",
    "javascript:1",
    "what",
  ])
    assert.match((await guard.refusal(url)) ?? "", "addresses are not opened", url);
  for (const url of ["about:blank", "data:text/plain,x", "blob:http://x/1"])
    assert.is(await guard.refusal(url), undefined);
});

test("threat N a name that leads elsewhere the second time is found out by who answered", () => {
  const guard = createGuard(net, closed);
  assert.match(guard.refusalOf("http://site.example/", "127.0.0.1") ?? "", "site.example is this machine");
  assert.match(guard.refusalOf("http://site.example/", "[::1]") ?? "", "site.example is this machine");
});

test("what the owner allows may be opened, and nothing beside it", async () => {
  const guard = createGuard(net, { allowPrivateNetwork: false, allowedHostnames: ["NAS.local"] });
  assert.is(await guard.refusal("http://nas.local/"), undefined);
  assert.is(guard.refusalOf("http://nas.local/", "192.168.1.9"), undefined);
  assert.ok(await guard.refusal("http://other.local/"));
  const all = createGuard(net, { allowPrivateNetwork: true, allowedHostnames: [] });
  assert.is(await all.refusal("http://127.0.0.1/"), undefined);
});

test("only addresses of the internet are public", () => {
  for (const address of ["1.1.1.1", "93.184.216.34", "2606:4700::1111"]) assert.ok(isPublic(address), address);
  for (const address of ["", "x", "192.0.2.1", "224.0.0.1", "255.255.255.255", "2001:db8::1", "ff02::fb", "::7f00:1"])
    assert.not.ok(isPublic(address), address);
});

test.run();
