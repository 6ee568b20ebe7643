import { test } from "uvu";
import * as assert from "uvu/assert";
import { mergeBeacons, readBeacon, type Beacon } from "../../src/discovery/read-beacon.ts";
import type { Found } from "../../src/discovery/resolve.ts";

const found: Found = {
  type: "_openclaw-gw._tcp",
  domain: "local.",
  instance: "studio (OpenClaw)",
  target: "studio.local",
  port: 18_789,
  addresses: ["127.0.0.1", "fe80::1", "192.168.1.7", "fd00::7"],
  txt: { role: "gateway", transport: "gateway", gatewayPort: "18789", displayName: "Studio Mac" },
};

function read(over: Partial<Found>): Beacon {
  const beacon = readBeacon({ ...found, ...over });
  if (!beacon) throw new Error("no beacon");
  return beacon;
}

test("6.3 a beacon has the fields of the example", () => {
  const txt = {
    ...found.txt,
    lanHost: "studio.local",
    tailnetDns: "studio.tail1234.ts.net",
    cliPath: "/usr/local/bin/clawdbot",
    sshPort: "2222",
    gatewayTls: "1",
    gatewayTlsSha256: "AB:12",
  };
  assert.equal(read({ txt }), {
    instanceName: "studio (OpenClaw)",
    displayName: "Studio Mac",
    host: "studio.local",
    port: 18_789,
    txt,
    lanHost: "studio.local",
    tailnetDns: "studio.tail1234.ts.net",
    cliPath: "/usr/local/bin/clawdbot",
    gatewayPort: 18_789,
    sshPort: 2222,
    gatewayTls: true,
    gatewayTlsFingerprintSha256: "ab12",
    role: "gateway",
    transport: "gateway",
    domain: "local.",
    wsUrl: "wss://192.168.1.7:18789",
  });
});

test("threat J spoofed TXT chooses neither the host nor the port of the URL", () => {
  const txt = { tailnetDns: "evil.example", lanHost: "evil.example", gatewayPort: "1", host: "evil.example" };
  assert.is(read({ txt }).wsUrl, "ws://192.168.1.7:18789");
  assert.is(
    read({ txt, domain: "openclaw.internal.", target: "vm.openclaw.internal" }).wsUrl,
    "ws://vm.openclaw.internal:18789",
  );
});

test("threat J names with a path, a user, a port or an address in them are no hosts", () => {
  for (const name of [
    "evil.example/x",
    "a@evil.example",
    "evil.example:1",
    "10.0.0.1",
    "a b",
    "a\u001b[2J",
    "-a.b",
    "",
  ])
    assert.is(read({ txt: { lanHost: name } }).lanHost, undefined, name);
  assert.is(read({ target: "user@evil.example", addresses: [] }).wsUrl, undefined);
});

test("what could steer a terminal does not come through, and nothing is longer than DNS allows", () => {
  const { instanceName, displayName, txt } = read({
    instance: `a\u001b[31m\u202eb${"x".repeat(500)}`,
    txt: { displayName: `\u0007Mac\r\n✗ fake`, "ke\ny": "1", long: "y".repeat(5000) },
  });
  assert.is(instanceName.length, 63);
  assert.not.match(instanceName, /[\p{Cc}\u202e]/u);
  assert.is(displayName, "Mac ✗ fake");
  assert.equal(Object.keys(txt), ["displayName", "long"]);
  assert.is(txt["long"]?.length, 255);
});

test("a TXT record of thousands of keys is cut", () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, "v"]));
  assert.is(Object.keys(read({ txt: many }).txt).length, 32);
});

test("ports that are none are not taken over", () => {
  const { sshPort, gatewayPort } = read({ txt: { sshPort: "70000", gatewayPort: "18789; rm" } });
  assert.equal([sshPort, gatewayPort], [undefined, undefined]);
  assert.is(readBeacon({ ...found, port: 0 }), undefined);
});

test("the URL has an address that can be dialled: no link-local one, loopback only when there is no other", () => {
  const url = (...addresses: string[]) => read({ addresses }).wsUrl;
  assert.is(url("fe80::1", "fd00::7"), "ws://[fd00::7]:18789");
  assert.is(url("127.0.0.1", "10.0.0.2"), "ws://10.0.0.2:18789");
  assert.is(url("127.0.0.1"), "ws://127.0.0.1:18789");
  assert.is(url("fe80::1", "224.0.0.1", "not an address"), "ws://studio.local:18789");
});

test("6.3 a gateway that is found by two types, twice and in two domains is one", () => {
  const zone = {
    domain: "openclaw.internal.",
    instance: "studio-gateway",
    target: "studio.openclaw.internal",
    txt: { displayName: "studio (OpenClaw)" },
  };
  const beacons = [read({}), read({ type: "_clawdbot-gw._tcp" }), read(zone), read({ port: 18_790 })];
  const merged = mergeBeacons(beacons);
  assert.equal(
    merged.map(({ domain, port }) => [domain, port]),
    [
      ["local.", 18_790],
      ["openclaw.internal.", 18_789],
    ],
  );
});

test("a flood of beacons is cut", () => {
  const flood = Array.from({ length: 1000 }, (_, at) => read({ instance: `g${at}` }));
  assert.is(mergeBeacons(flood).length, 256);
});

test.run();
