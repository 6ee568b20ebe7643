import { test } from "uvu";
import * as assert from "uvu/assert";
import { loopbackAddresses, nameable } from "../../src/gateway/addresses.ts";
import { inTailnet, lanAddresses, reachableAddresses, tailnetAddresses } from "../../src/host/addresses.ts";
import type { NetInterface } from "../../src/host/host.ts";

const on = (name: string, ...addresses: readonly string[]): NetInterface[] =>
  addresses.map((address) => ({
    name,
    address,
    family: address.includes(":") ? 6 : 4,
    internal: name === "lo",
  }));

const machine = [
  ...on("lo", "127.0.0.1", "::1"),
  ...on("eth0", "2001:db8::5", "192.168.1.100", "fe80::5"),
  ...on("eth1", "10.0.0.5", "fd12:3456::5"),
  ...on("eth2", "169.254.3.4", "fe80::6"),
  ...on("tailscale0", "100.101.102.103", "fd7a:115c:a1e0::67", "fe80::7"),
];

test("SC-045 the local network's addresses are those that others can dial, IPv4 first", () => {
  assert.equal(lanAddresses(machine), ["192.168.1.100", "10.0.0.5", "2001:db8::5", "fd12:3456::5"]);
});

test("SC-045 lan names Tailscale's addresses too, which the wildcards cover", () => {
  const known = reachableAddresses(machine);
  assert.equal(nameable(["0.0.0.0"], known), ["192.168.1.100", "10.0.0.5", "100.101.102.103"]);
  assert.equal(nameable(["0.0.0.0", "::"], known), [
    "192.168.1.100",
    "10.0.0.5",
    "100.101.102.103",
    "2001:db8::5",
    "fd12:3456::5",
    "fd7a:115c:a1e0::67",
  ]);
});

test("SC-045 :: alone stands for IPv4 as well", () => {
  assert.equal(nameable(["::"], ["10.0.0.5", "fd00::5"]), ["10.0.0.5", "fd00::5"]);
});

test("SC-045 without any address to name, the wildcard is named", () => {
  assert.equal(nameable(["0.0.0.0"], []), ["0.0.0.0"]);
});

test("SC-045 an address beside its wildcard is named once", () => {
  assert.equal(nameable(["::", "127.0.0.1"], ["fd00::5", "fd00::5"]), ["fd00::5", "127.0.0.1"]);
});

test("an interface that is listed twice, as while it changes, counts once", () => {
  assert.equal(lanAddresses([...on("eth0", "10.0.0.5"), ...on("eth0", "10.0.0.5"), ...on("br0", "10.0.0.5")]), [
    "10.0.0.5",
  ]);
});

test("a machine without IPv6 has no IPv6 addresses", () => {
  const old = [...on("lo", "127.0.0.1"), ...on("eth0", "10.0.0.5")];
  assert.equal([loopbackAddresses(old), lanAddresses(old)], [["127.0.0.1"], ["10.0.0.5"]]);
});

test("SC-042 Tailscale's addresses are in 100.64.0.0/10 and fd7a:115c:a1e0::/48", () => {
  assert.equal(tailnetAddresses(machine), ["100.101.102.103", "fd7a:115c:a1e0::67"]);
  for (const address of ["100.64.0.0", "100.127.255.255", "fd7a:115c:a1e0:ffff::1"]) assert.ok(inTailnet(address));
  for (const address of ["100.63.255.255", "100.128.0.1", "fd7a:115c:a1e1::1", "nobody"])
    assert.not.ok(inTailnet(address));
});

test("SC-042 a provider's shared address is not taken for Tailscale's where there is one of Tailscale's", () => {
  const provider = on("wwan0", "100.70.1.1");
  assert.equal(tailnetAddresses([...provider, ...on("tailscale0", "100.101.1.1")]), ["100.101.1.1"]);
  assert.equal(tailnetAddresses([...provider, ...on("utun4", "100.101.1.1", "fd7a:115c:a1e0::1")]), [
    "100.101.1.1",
    "fd7a:115c:a1e0::1",
  ]);
  assert.equal(tailnetAddresses(on("utun4", "100.101.1.1")), ["100.101.1.1"]);
});

test.run();
