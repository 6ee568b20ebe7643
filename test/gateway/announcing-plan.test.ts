import { test } from "uvu";
import * as assert from "uvu/assert";
import { planAnnouncing, type AnnouncingFacts } from "../../src/gateway/announcing-plan.ts";
import { interfaceAt } from "../support/scripted-wire.ts";

const lan = ["0.0.0.0", "::"];
const loopback = ["127.0.0.1", "::1"];
const tailnet = ["100.101.102.103", "127.0.0.1"];

const rows: readonly (readonly [string, Mdns, readonly string[], string | undefined, string | undefined])[] = [
  ["unset, on the LAN: minimal", {}, lan, undefined, "minimal reachable"],
  ["unset, on loopback: nothing", {}, loopback, undefined, undefined],
  ["unset, on the tailnet, which has no multicast: nothing", {}, tailnet, undefined, undefined],
  ["SC-213 *_DISABLE_BONJOUR=1: nothing", {}, lan, "1", undefined],
  ["SC-213 *_DISABLE_BONJOUR=1 wins over the configuration", { mode: "full" }, lan, "1", undefined],
  ["*_DISABLE_BONJOUR=0 announces where it would not by itself", {}, loopback, "0", "minimal"],
  ["off stays off", { mode: "off" }, lan, "0", undefined],
  ["full by hand, on loopback: for SSH", { mode: "full" }, loopback, undefined, "full"],
  ["minimal by hand, on the LAN", { mode: "minimal" }, ["192.168.1.7"], undefined, "minimal reachable"],
];
type Mdns = Partial<AnnouncingFacts["mdns"]>;

for (const [what, mdns, addresses, disabled, expected] of rows)
  test(what, () => {
    const plan = planAnnouncing({ mdns: { publicNetworks: false, ...mdns }, disabled, addresses });
    assert.is(plan && `${plan.mode}${plan.reachable ? " reachable" : ""}`, expected);
  });

test("only addresses that are listened on are announced, on private networks unless told otherwise", () => {
  const all = [interfaceAt("192.168.1.7", "eth0"), interfaceAt("10.0.0.1", "eth1"), interfaceAt("203.0.113.7", "eth2")];
  const used = (addresses: readonly string[], publicNetworks: boolean) => {
    const plan = planAnnouncing({ mdns: { publicNetworks }, disabled: undefined, addresses });
    return all.filter((each) => plan?.uses(each, all)).map(({ name }) => name);
  };
  assert.equal(used(lan, false), ["eth0", "eth1"]);
  assert.equal(used(lan, true), ["eth0", "eth1", "eth2"]);
  assert.equal(used(["192.168.1.7", "127.0.0.1"], false), ["eth0"]);
  assert.equal(used(["203.0.113.7"], false), []);
  assert.equal(used(["203.0.113.7"], true), ["eth2"]);
});

test("where `::` takes IPv4 too, both are announced", () => {
  const all = [interfaceAt("192.168.1.7", "eth0"), interfaceAt("fd00::7", "eth0")];
  const used = (dualStack: boolean) => {
    const plan = planAnnouncing({ mdns: { publicNetworks: false }, disabled: undefined, addresses: ["::"], dualStack });
    return all.filter((each) => plan?.uses(each, all)).map(({ family }) => family);
  };
  assert.equal(used(true), [4, 6]);
  assert.equal(used(false), [6]);
});

test.run();
