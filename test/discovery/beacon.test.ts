import { test } from "uvu";
import * as assert from "uvu/assert";
import { beaconOf, hostLabel, serviceTypes, wideAreaTxt, type BeaconFacts } from "../../src/discovery/beacon.ts";
import { flavours } from "../../src/host/flavour.ts";

const facts: BeaconFacts = {
  flavour: flavours.clawdbot,
  displayName: "vm",
  hostname: "vm",
  port: 18_790,
  reachable: true,
  cliPath: "/opt/entry.js",
};

test("SC-214 SC-215 SC-216 minimal: role, port, name and transport in the order of the wire", () => {
  assert.equal(beaconOf(facts, "minimal"), {
    types: ["_clawdbot-gw._tcp", "_openclaw-gw._tcp"],
    instance: "vm (Clawdbot)",
    hostname: "vm",
    port: 18_790,
    txt: [
      ["role", "gateway"],
      ["gatewayPort", "18790"],
      ["lanHost", "vm.local"],
      ["displayName", "vm"],
      ["transport", "gateway"],
      ["gatewayDirectReachable", "1"],
    ],
  });
});

test("SC-217 SC-218 SC-220 full: the path, the SSH port and the tailnet name too", () => {
  const { txt } = beaconOf({ ...facts, reachable: false, tailnetDns: "vm.tail1234.ts.net" }, "full");
  assert.equal(txt, [
    ["role", "gateway"],
    ["gatewayPort", "18790"],
    ["lanHost", "vm.local"],
    ["displayName", "vm"],
    ["cliPath", "/opt/entry.js"],
    ["sshPort", "22"],
    ["transport", "gateway"],
    ["tailnetDns", "vm.tail1234.ts.net"],
  ]);
});

test("SC-219 a port with TLS is announced with the fingerprint of its certificate", () => {
  const { txt } = beaconOf({ ...facts, reachable: false, tlsFingerprint: "ab".repeat(32) }, "minimal");
  assert.equal(txt.slice(-2), [
    ["gatewayTls", "1"],
    ["gatewayTlsSha256", "ab".repeat(32)],
  ]);
});

test("a value that does not fit into a string of 255 bytes is left out, a name is cut to a label", () => {
  const long = { ...facts, displayName: "ü".repeat(50), cliPath: `/${"x".repeat(250)}` };
  const { instance, txt } = beaconOf(long, "full");
  assert.is(new TextEncoder().encode(instance).length <= 63, true);
  assert.ok(instance.endsWith(" (Clawdbot)"));
  assert.not.ok(txt.some(([key]) => key === "cliPath"));
});

test("host names become labels that resolvers take", () => {
  const labels = ["Studio.local", "My Mac's", "--x--", "日本", "a.b.c"].map((name) => hostLabel(name, "openclaw"));
  assert.equal(labels, ["Studio", "My-Mac-s", "x", "openclaw", "a"]);
});

test("SC-210 both service types are announced and looked for, the product's own first", () => {
  assert.equal(serviceTypes(flavours.openclaw), ["_openclaw-gw._tcp", "_clawdbot-gw._tcp"]);
});

test("the zone's TXT begins with the name as captured", () => {
  assert.equal(wideAreaTxt(facts), [
    ["displayName", "vm (Clawdbot)"],
    ["role", "gateway"],
    ["transport", "gateway"],
    ["gatewayPort", "18790"],
    ["cliPath", "/opt/entry.js"],
  ]);
});

test.run();
