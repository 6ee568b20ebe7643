import { test } from "uvu";
import * as assert from "uvu/assert";
import { limiterKey, locate, normaliseAddress, type Trust } from "../../src/gateway/locality.ts";

type Forwarded = Readonly<Record<string, string>>;

/** Where a request with these headers comes from when 127.0.0.1 sends it. */
function through(
  headers: Forwarded,
  proxies: readonly string[] = ["127.0.0.1"],
  tailscale: Trust["tailscale"] = "off",
) {
  return locate(new Headers(headers), "127.0.0.1", { proxies, tailscale });
}

const direct = (peer: string) => locate(new Headers(), peer, { proxies: [], tailscale: "off" });

test("threat I: an IPv4-mapped address is its IPv4 address, in every spelling", () => {
  for (const spelling of [
    "::ffff:192.0.2.7",
    "::FFFF:192.0.2.7",
    "0:0:0:0:0:ffff:192.0.2.7",
    "[::ffff:192.0.2.7]",
    "[::ffff:192.0.2.7]:4711",
    "::ffff:c000:207",
    "0000:0000:0000:0000:0000:ffff:c000:0207",
    "::ffff:192.0.2.7%eth0",
    "192.0.2.7:4711",
    " 192.0.2.7 ",
  ]) {
    assert.is(normaliseAddress(spelling), "192.0.2.7", spelling);
    assert.is(limiterKey(direct(spelling).address), "192.0.2.7", spelling);
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
  assert.is(limiterKey("2001:db8::2:0:0:0:5"), limiterKey("2001:db8:0:2::9"));
  assert.is.not(limiterKey("2001:db8:1:2::5"), limiterKey("2001:db8:1:3::5"));
});

test("threat I: every loopback address is one attacker", () => {
  for (const address of ["127.0.0.1", "::1", "127.9.9.9", "::ffff:127.0.0.1"])
    assert.is(limiterKey(normaliseAddress(address)), "loopback", address);
});

test("threat I: behind a proxy an attacker keeps one key, whatever he writes before his address", () => {
  for (const forged of ["", "127.0.0.1, ", "198.51.100.1, ", "unknown, , [::1], ", "10.0.0.1, ".repeat(500)])
    assert.is(through({ "x-forwarded-for": `${forged}203.0.113.9` }).address, "203.0.113.9", forged);
  for (const forged of ["", 'for="[::1]", ', "for=unknown;by=10.0.0.1, ", 'for="a,for=198.51.100.1", '])
    assert.is(through({ forwarded: `${forged}for=203.0.113.9;proto=https` }).address, "203.0.113.9", forged);
});

test("a direct loopback peer is local", () => {
  assert.equal(direct("::ffff:127.0.0.1"), { address: "127.0.0.1", local: true, via: undefined, forged: false });
  assert.is(direct("192.168.1.20").local, false);
});

test("threat J: any forwarding header from an untrusted peer is forged, and the peer no longer local", () => {
  for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]) {
    const from = through({ [name]: "127.0.0.1" }, []);
    assert.ok(from.forged && !from.local, name);
  }
});

test("threat J: behind a trusted proxy the client is who the proxy saw, and never local", () => {
  assert.equal(through({ "x-forwarded-for": "203.0.113.9" }), {
    address: "203.0.113.9",
    local: false,
    via: "proxy",
    forged: false,
  });
  for (const loopback of ["127.0.0.1", "::1", "127.0.0.9"])
    for (const name of ["x-forwarded-for", "x-real-ip"]) assert.not.ok(through({ [name]: loopback }).local, loopback);
});

test("threat J: what a client puts in front of the chain is not believed", () => {
  assert.is(through({ "x-forwarded-for": "127.0.0.1, 203.0.113.9" }).address, "203.0.113.9");
});

test("several trusted proxies in a row pass the client on", () => {
  const proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
  for (const chain of [
    "198.51.100.1, 203.0.113.9, 10.0.0.5",
    "198.51.100.1, 203.0.113.9:4711, 10.0.0.5:80, [fd00::7]:80",
    "203.0.113.9, fd00::8, ::ffff:10.0.0.5",
  ])
    assert.is(through({ "x-forwarded-for": chain }, proxies).address, "203.0.113.9", chain);
});

test("a trusted IPv6 network is a network", () => {
  const from = (peer: string) =>
    locate(new Headers({ "x-forwarded-for": "203.0.113.9" }), peer, { proxies: ["fd00::/8"], tailscale: "off" });
  assert.is(from("fd12::1").address, "203.0.113.9");
  assert.ok(from("fe80::1").forged);
});

test("RFC 7239: a Forwarded header names the client, with port, brackets and quotes", () => {
  for (const [header, client] of [
    ["for=203.0.113.9", "203.0.113.9"],
    ['For="203.0.113.9:4711";proto=https;by=10.0.0.1', "203.0.113.9"],
    ['proto=https; for="[2001:db8::9]:4711"', "2001:db8::9"],
    ['for="[2001:db8::9]", for=127.0.0.1', "2001:db8::9"],
    ['for="\\203.0.113.9"', "203.0.113.9"],
  ] as const)
    assert.is(through({ forwarded: header }).address, client, header);
});

test("threat J: a header that names nobody leaves the proxy's own address", () => {
  for (const header of ["for=unknown", "for=_hidden", 'for="', "nonsense", "=", 'for="203.0.113.9'])
    assert.equal(
      [through({ forwarded: header }).address, through({ forwarded: header }).via],
      ["127.0.0.1", "proxy"],
      header,
    );
});

test("X-Real-IP names the client where nothing else does", () => {
  assert.is(through({ "x-real-ip": "203.0.113.9" }).address, "203.0.113.9");
});

test("threat J: headers that name two clients are forged, since a proxy lets pass what it does not write", () => {
  for (const headers of [
    { "x-forwarded-for": "203.0.113.9", "x-real-ip": "198.51.100.1" },
    { "x-forwarded-for": "203.0.113.9", forwarded: "for=198.51.100.1" },
  ])
    assert.ok(through(headers).forged, JSON.stringify(headers));
  const agreed = { "x-forwarded-for": "203.0.113.9", "x-real-ip": "::ffff:203.0.113.9", forwarded: "for=203.0.113.9" };
  assert.is(through(agreed).address, "203.0.113.9");
  assert.is(through({ "x-forwarded-for": "203.0.113.9, 127.0.0.1", "x-real-ip": "127.0.0.1" }).address, "203.0.113.9");
});

test("a client inside a trusted network is the one that the nearest proxy saw", () => {
  assert.is(through({ "x-forwarded-for": "10.0.0.1, 10.0.0.77" }, ["127.0.0.1", "10.0.0.0/8"]).address, "10.0.0.77");
});

const serve = { "x-forwarded-for": "100.101.102.103", "x-forwarded-proto": "https", "x-forwarded-host": "box.ts.net" };

test("SC-103 what Tailscale Serve forwards comes from the tailnet address, and is not local", () => {
  assert.equal(through(serve, [], "serve"), {
    address: "100.101.102.103",
    local: false,
    via: "tailscale",
    forged: false,
  });
  assert.is(through({ ...serve, "x-forwarded-for": "fd7a:115c:a1e0::67" }, [], "serve").via, "tailscale");
});

test("threat J: what does not look like Tailscale Serve is no proxy of ours", () => {
  for (const name of Object.keys(serve)) {
    const { [name as keyof typeof serve]: _, ...rest } = serve;
    assert.ok(through(rest, [], "serve").forged, `without ${name}`);
  }
  for (const address of ["203.0.113.9", "127.0.0.1", "100.101.102.103, 100.101.102.104", "unknown", ""])
    assert.ok(through({ ...serve, "x-forwarded-for": address }, [], "serve").forged, address);
  assert.ok(through(serve, [], "off").forged);
  for (const peer of ["192.168.1.20", "100.101.102.103", "fd7a:115c:a1e0::67"])
    assert.ok(locate(new Headers(serve), peer, { proxies: [], tailscale: "serve" }).forged, peer);
});

test("what Tailscale Funnel forwards comes from the internet", () => {
  assert.equal(through({ ...serve, "x-forwarded-for": "203.0.113.9" }, [], "funnel"), {
    address: "203.0.113.9",
    local: false,
    via: "tailscale",
    forged: false,
  });
});

test.run();
