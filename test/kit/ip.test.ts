import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  formatIp,
  inNetwork,
  ipBytes,
  ipText,
  networkOf,
  parseIp,
  parseNetwork,
  samePrefix,
} from "../../src/kit/ip.ts";

const spelled = (text: string): string | undefined => {
  const ip = parseIp(text);
  return ip && formatIp(ip);
};

const within = (address: string, network: string): boolean => {
  const ip = parseIp(address);
  return ip !== undefined && inNetwork(ip, network);
};

for (const [text, one] of [
  ["192.0.2.7", "192.0.2.7"],
  ["0.0.0.0", "0.0.0.0"],
  ["::", "::"],
  ["::1", "::1"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:c000:207", "192.0.2.7"],
  ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
  ["0000:0000:0000:0000:0000:ffff:192.000.2.7", undefined],
] as const)
  test(`the address ${text} is spelled ${one ?? "by nobody"}`, () => assert.is(spelled(text), one));

test("what is no address is none", () => {
  const wrong = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "010.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.4:80",
    "[::1]",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "::1]@evil[",
    "1.2.3.4::",
    "::g",
    "::1/64",
    " 127.0.0.1",
    "：：1",
    `${"0:".repeat(7)}${"0".repeat(100)}1`,
  ];
  assert.equal(
    wrong.filter((text) => parseIp(text) !== undefined),
    [],
  );
});

test("networks of both families hold what shares their first bits, and nothing of the other family", () => {
  assert.ok(within("10.255.0.1", "10.0.0.0/8"));
  assert.not.ok(within("11.0.0.1", "10.0.0.0/8"));
  assert.ok(within("fd12::5", "fd00::/8"));
  assert.not.ok(within("fe80::5", "fd00::/8"));
  assert.ok(within("::ffff:10.1.2.3", "10.0.0.0/8"));
  assert.ok(within("10.1.2.3", "::ffff:10.0.0.0/104"));
  assert.ok(within("10.1.2.3", "0.0.0.0/0"));
  assert.not.ok(within("::1", "0.0.0.0/0"));
  assert.ok(within("192.0.2.7", "192.0.2.7"));
  assert.not.ok(within("192.0.2.8", "192.0.2.7/32"));
  assert.ok(within("10.1.2.3", "10.9.9.9/8"), "host bits in a network are nobody's mistake to punish");
});

test("what is no network holds nothing", () => {
  for (const text of ["", "/8", "10.0.0.0/", "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10/8", "::ffff:10.0.0.0/8"]) {
    assert.is(parseNetwork(text), undefined, text);
    assert.not.ok(within("10.0.0.1", text), text);
  }
});

test("the network of an address begins with it and ends in zeros", () => {
  const ip = parseIp("2001:db8:1:2:3:4:5:6");
  assert.is(ip && formatIp(networkOf(ip, 64)), "2001:db8:1:2::");
});

test("bytes and text are two forms of one address", () => {
  for (const text of ["192.0.2.7", "2001:db8::7", "::", "::ffff:c000:207"])
    assert.is(ipText(ipBytes(text) ?? new Uint8Array()), text);
  assert.is(ipBytes("nobody"), undefined);
});

test("two addresses share a prefix or not", () => {
  assert.ok(samePrefix("192.168.1.5", "192.168.1.200", 24));
  assert.not.ok(samePrefix("192.168.1.5", "192.168.2.5", 24));
  assert.not.ok(samePrefix("192.168.1.5", "fe80::1", 1));
});

test.run();
