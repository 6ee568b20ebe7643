import { test } from "uvu";
import * as assert from "uvu/assert";
import { limiterKey, locate, normaliseAddress } from "../../src/gateway/locality.ts";

const forwardedBy = (address: string, trusted: readonly string[] = [], name = "x-forwarded-for") =>
  locate(new Headers({ [name]: address }), "127.0.0.1", trusted);

test("threat I: an IPv4-mapped address is its IPv4 address, in every spelling", () => {
  for (const spelling of [
    "::ffff:192.0.2.7",
    "::FFFF:192.0.2.7",
    "0:0:0:0:0:ffff:192.0.2.7",
    "[::ffff:192.0.2.7]",
    "::ffff:c000:207",
  ]) {
    assert.is(normaliseAddress(spelling), "192.0.2.7", spelling);
  }
});

test("threat I: zones and brackets do not make another address", () => {
  assert.is(normaliseAddress("fe80::1%eth0"), "fe80::1");
  assert.is(normaliseAddress("[::1]"), "::1");
  assert.is(normaliseAddress("0:0:0:0:0:0:0:1"), "::1");
});

test("threat I: one IPv6 subscriber counts as one, whatever it does with its /64", () => {
  assert.is(limiterKey("2001:db8:1:2::5"), limiterKey("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  assert.is(limiterKey("2001:0db8:0001:0002::5"), limiterKey("2001:db8:1:2::9"));
  assert.is.not(limiterKey("2001:db8:1:2::5"), limiterKey("2001:db8:1:3::5"));
});

test("threat I: every loopback address is one attacker", () => {
  assert.is(limiterKey("127.0.0.1"), limiterKey("::1"));
  assert.is(limiterKey("127.0.0.1"), limiterKey("127.9.9.9"));
});

test("a direct loopback peer is local", () => {
  assert.equal(locate(new Headers(), "::ffff:127.0.0.1", []), {
    address: "127.0.0.1",
    local: true,
    proxied: false,
    forged: false,
  });
});

test("threat J: any forwarding header from an untrusted peer is forged, and the peer no longer local", () => {
  for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]) {
    const from = forwardedBy("127.0.0.1", [], name);
    assert.ok(from.forged && !from.local, name);
  }
});

test("threat J: behind a trusted proxy the client is who the proxy saw, and never local", () => {
  const from = forwardedBy("203.0.113.9", ["127.0.0.1"]);
  assert.equal(from, { address: "203.0.113.9", local: false, proxied: true, forged: false });
  assert.is(forwardedBy("127.0.0.1", ["127.0.0.0/8"]).local, false);
});

test("threat J: what a client puts in front of the chain is not believed", () => {
  assert.is(forwardedBy("127.0.0.1, 203.0.113.9", ["127.0.0.1"]).address, "203.0.113.9");
  assert.is(forwardedBy("198.51.100.1, 203.0.113.9, 10.0.0.5", ["127.0.0.1", "10.0.0.0/8"]).address, "203.0.113.9");
});

test.run();
