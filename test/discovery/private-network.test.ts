import { test } from "uvu";
import * as assert from "uvu/assert";
import { inPrivateNetwork } from "../../src/discovery/private-network.ts";
import type { NetInterface } from "../../src/host/host.ts";

const rows = [
  ["a home with IPv4 and a global IPv6 address", ["192.168.1.7", "fe80::1", "2001:db8::7"], ["192.168.1.7", "fe80::1"]],
  ["each private range", ["10.0.0.1", "172.16.0.1", "172.31.255.1", "169.254.1.1"], "all"],
  ["a rented server", ["203.0.113.7", "fe80::1"], []],
  ["a public address beside a private one", ["203.0.113.7", "10.0.0.1"], []],
  ["outside of 172.16.0.0/12", ["172.32.0.1"], []],
  ["a tailnet", ["100.101.102.103", "fd7a:115c:a1e0::1", "fe80::1"], []],
  ["IPv6 only, at home", ["fe80::1", "fd12::1", "2001:db8::1"], ["fe80::1", "fd12::1"]],
  ["IPv6 only, rented", ["fe80::1", "2001:db8::1"], []],
  ["IPv6 only, a cable", ["fe80::1"], "all"],
] as const;

for (const [what, addresses, used] of rows)
  test(`announced on private networks only: ${what}`, () => {
    const all = addresses.map((address): NetInterface => ({
      name: "eth0",
      address,
      family: address.includes(":") ? 6 : 4,
      internal: false,
    }));
    assert.equal(
      all.filter((each) => inPrivateNetwork(each, all)).map(({ address }) => address),
      used === "all" ? [...addresses] : [...used],
    );
  });

test("loopback is no network", () => {
  const lo: NetInterface = { name: "lo", address: "127.0.0.1", family: 4, internal: true };
  assert.not.ok(inPrivateNetwork(lo, [lo]));
});

test.run();
