import { test } from "uvu";
import * as assert from "uvu/assert";
import { domainFor, parseDomain, wideAreaDomain } from "../../src/discovery/domain.ts";
import { browseWideArea } from "../../src/discovery/wide-area.ts";
import { flavours } from "../../src/host/flavour.ts";
import type { DnsAnswers, Net } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";

const domain = "openclaw.internal.";
const types = ["_openclaw-gw._tcp"];
const instance = "vm-gateway._openclaw-gw._tcp.openclaw.internal";
const zone: Zone = {
  "_openclaw-gw._tcp.openclaw.internal PTR": [instance],
  [`${instance} SRV`]: [{ priority: 0, weight: 0, port: 18_794, target: "vm.openclaw.internal" }],
  [`${instance} TXT`]: ["displayName=vm (OpenClaw)", "role=gateway", "a=b=c", "flag", "role=other"],
  "vm.openclaw.internal A": ["100.101.102.103"],
};

type Zone = Readonly<Record<string, readonly DnsAnswers[keyof DnsAnswers][]>>;

function serving(records: Zone, refused: readonly string[] = []): Pick<Net, "resolve"> {
  return {
    resolve: async (name, type) => {
      if (refused.includes(`${name} ${type}`)) throw new Failure("unavailable", "SERVFAIL");
      return (records[`${name} ${type}`] ?? []) as never; // the test's own records are of the type in the key
    },
  };
}

test("SC-212 a gateway is found in a domain through DNS servers", async () => {
  const found = await browseWideArea(serving(zone), { types, domain, timeoutMs: 2000 });
  assert.equal(found, [
    {
      type: "_openclaw-gw._tcp",
      domain,
      instance: "vm-gateway",
      target: "vm.openclaw.internal",
      port: 18_794,
      addresses: ["100.101.102.103"],
      txt: { displayName: "vm (OpenClaw)", role: "gateway", a: "b=c", flag: "" },
    },
  ]);
});

test("6.1 decimal escapes of names are decoded", async () => {
  const name = String.raw`Studio\032Mac\195\182._openclaw-gw._tcp.openclaw.internal`;
  const records = {
    "_openclaw-gw._tcp.openclaw.internal PTR": [name],
    [`${name} SRV`]: [{ priority: 0, weight: 0, port: 1, target: "vm.openclaw.internal" }],
  };
  const [found] = await browseWideArea(serving(records), { types, domain, timeoutMs: 2000 });
  assert.is(found?.instance, "Studio Macö");
});

test("an instance without a place, or in another zone, is left out", async () => {
  const records = {
    ...zone,
    "_openclaw-gw._tcp.openclaw.internal PTR": ["x._openclaw-gw._tcp.evil.example", `y.${instance}`],
  };
  assert.equal(await browseWideArea(serving(records), { types, domain, timeoutMs: 2000 }), []);
});

test("a record that a server does not give costs no other", async () => {
  const dns = serving(zone, [`${instance} TXT`, "vm.openclaw.internal AAAA"]);
  const [found] = await browseWideArea(dns, { types, domain, timeoutMs: 2000 });
  assert.equal([found?.port, found?.txt], [18_794, {}]);
});

test("a zone of thousands of instances is looked into as far as a network of people goes", async () => {
  let asked = 0;
  const many = Array.from({ length: 5000 }, (_, at) => `g${at}.${types[0]}.openclaw.internal`);
  const dns: Pick<Net, "resolve"> = {
    resolve: async (_name, type) => {
      asked++;
      return (type === "PTR" ? many : []) as never; // names
    },
  };
  await browseWideArea(dns, { types, domain, timeoutMs: 2000 });
  assert.is(asked, 1 + 2 * 64);
});

test("no server at all is a failure that says so", async () => {
  const dns = serving(zone, ["_openclaw-gw._tcp.openclaw.internal PTR"]);
  const failed = await browseWideArea(dns, { types, domain, timeoutMs: 2000 }).catch((error: unknown) =>
    Failure.from(error),
  );
  assert.is((failed as Failure).code, "unavailable");
});

test("SC-212 the domain: configuration, then *_WIDE_AREA_DOMAIN, then the product's own where it is switched on", () => {
  const env = { OPENCLAW_WIDE_AREA_DOMAIN: "Claw.Example" };
  const { openclaw, clawdbot } = flavours;
  assert.is(wideAreaDomain({ env: {} }, openclaw, {}), undefined);
  assert.is(wideAreaDomain({ env: {} }, openclaw, { enabled: true }), "openclaw.internal.");
  assert.is(wideAreaDomain({ env: {} }, clawdbot, { enabled: true }), "clawdbot.internal.");
  assert.is(wideAreaDomain({ env }, openclaw, {}), "claw.example.");
  assert.is(wideAreaDomain({ env }, openclaw, { enabled: false }), undefined);
  assert.is(wideAreaDomain({ env }, openclaw, { domain: "a.b" }), "a.b.");
  assert.is(domainFor({ env: {} }, openclaw, {}), "openclaw.internal.");
});

test("what is no domain is refused: it becomes the name of a file", () => {
  for (const text of [
    "../../etc/x",
    "a",
    "a..b",
    "x.local",
    "local.",
    "a/b.c",
    "-a.b",
    "1.2.3.4",
    `${"a".repeat(64)}.b`,
  ])
    assert.throws(() => parseDomain(text), /is not a domain for discovery/, text);
});

test.run();
