import { test } from "uvu";
import * as assert from "uvu/assert";
import { startAdvertiser } from "../../src/discovery/advertise.ts";
import { browse } from "../../src/discovery/browse.ts";
import { readTxt, type Found } from "../../src/discovery/resolve.ts";
import type { Advertisement } from "../../src/discovery/service.ts";
import type { DnsRecord } from "../../src/host/dns.ts";
import { createLogger } from "../../src/kit/log.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createWire, plug } from "../support/scripted-wire.ts";

const type = "_openclaw-gw._tcp";
const tcp = `${type}.local`;
const vm: Advertisement = {
  types: [type],
  instance: "St. Mary's",
  hostname: "vm",
  port: 18_789,
  txt: [["role", "gateway"]],
};
const found: Found = {
  type,
  domain: "local.",
  instance: "St. Mary's",
  target: "vm.local",
  port: 18_789,
  addresses: ["192.0.2.1"],
  txt: { role: "gateway" },
};

function network() {
  const clock = createFakeClock();
  const wire = createWire(clock);
  return {
    clock,
    wire,
    near: plug(clock, { lan0: wire }, ["192.0.2.1"]),
    far: plug(clock, { lan0: wire }, ["192.0.2.2"]),
  };
}

const options = { types: [type], timeoutMs: 2000, random: () => 0 };
const quiet = { log: createLogger(() => 0, []), interfaces: () => true, random: () => 0 };

function srv(name: string, target: string, more: { ttl?: number; port?: number } = {}): DnsRecord {
  const data = { priority: 0, weight: 0, port: more.port ?? 18_789, target };
  return { name, type: "SRV", ttl: more.ttl ?? 120, flush: true, data };
}

function described(name: string, port = 18_789, address = "192.0.2.7"): readonly DnsRecord[] {
  return [
    { name: tcp, type: "PTR", ttl: 4500, flush: false, data: `${name}.${tcp}` },
    srv(`${name}.${tcp}`, `${name}.local`, { port }),
    { name: `${name}.${tcp}`, type: "TXT", ttl: 4500, flush: true, data: [new TextEncoder().encode("role=gateway")] },
    { name: `${name}.local`, type: "A", ttl: 120, flush: true, data: address },
  ];
}

test("finds what another host announces, with all that it says, and tells of it as soon as it knows", async () => {
  const { clock, near, far } = network();
  const advertiser = await startAdvertiser(near, vm, quiet);
  await clock.advance(60_000);
  const told: Found[] = [];
  const searching = browse(far, { ...options, found: (service) => void told.push(service) });
  await clock.advance(300);
  assert.equal(told, [found]);
  await clock.advance(1700);
  assert.equal(await searching, [found]);
  assert.is(told.length, 1);
  await advertiser.close();
  assert.is(clock.armed, 0);
});

test("a gateway of this machine is found too", async () => {
  const { clock, near } = network();
  await startAdvertiser(near, vm, quiet);
  await clock.advance(60_000);
  const searching = browse(near, options);
  await clock.advance(2000);
  assert.equal(await searching, [found]);
});

test("RFC 6762 5.2 7.1: it asks less and less often, and says what it knows already", async () => {
  const { clock, wire, near, far } = network();
  await startAdvertiser(near, vm, quiet);
  await clock.advance(60_000);
  wire.sent.splice(0);
  const searching = browse(far, { ...options, timeoutMs: 10_000 });
  await clock.advance(10_000);
  await searching;
  const asked = wire.sent.filter(({ from }) => from === "192.0.2.2");
  assert.equal(
    asked.map(({ at }) => at - 60_000),
    [20, 1020, 3020, 7020],
  );
  assert.equal(
    asked.map(({ message }) => message.answers.length),
    [0, 1, 1, 1],
  );
  assert.is(wire.sent.filter(({ message }) => message.isResponse).length, 1);
});

test("what an answer leaves out is asked for", async () => {
  const { clock, wire, far } = network();
  const searching = browse(far, options);
  await clock.advance(100);
  const [ptr, ...rest] = described("attic");
  await wire.say({ isResponse: true, answers: [ptr as DnsRecord] });
  await clock.advance(100);
  assert.equal(
    wire.sent.at(-1)?.message.questions.map((each) => `${each.name} ${each.type}`),
    [`attic.${tcp} SRV`, `attic.${tcp} TXT`],
  );
  await wire.say({ isResponse: true, answers: rest.slice(0, 2) });
  await clock.advance(100);
  assert.equal(
    wire.sent.at(-1)?.message.questions.map((each) => `${each.name} ${each.type}`),
    ["attic.local A", "attic.local AAAA"],
  );
  await wire.say({ isResponse: true, answers: rest.slice(2) });
  await clock.advance(2000);
  assert.equal(
    (await searching).map(({ instance, addresses }) => [instance, addresses]),
    [["attic", ["192.0.2.7"]]],
  );
});

async function afterHearing(...messages: readonly (readonly DnsRecord[])[]): Promise<readonly Found[]> {
  const { clock, wire, far } = network();
  const searching = browse(far, { ...options, timeoutMs: 10_000 });
  for (const answers of messages) {
    await clock.advance(1500);
    await wire.say({ isResponse: true, answers });
  }
  await clock.advance(10_000);
  return searching;
}

test("RFC 6762 10.1: what says goodbye is not found", async () => {
  const records = described("attic");
  const leaving = records.map((record) => ({ ...record, ttl: 0 }));
  assert.is((await afterHearing(records)).length, 1);
  assert.equal(await afterHearing(records, leaving), []);
});

test("RFC 6762 10.2: a record with the flush bit takes the place of the older ones", async () => {
  const services = await afterHearing(described("attic"), described("attic", 18_790, "192.0.2.8"));
  assert.equal(
    services.map(({ port, addresses }) => [port, addresses]),
    [[18_790, ["192.0.2.8"]]],
  );
});

test("a record whose time is over is not believed any more", async () => {
  const records = described("attic").map((record) => (record.type === "SRV" ? { ...record, ttl: 1 } : record));
  assert.equal(await afterHearing(records), []);
});

test("RFC 6762 11: who is not on the link, or does not speak from port 5353, is not believed", async () => {
  for (const from of [{ address: "198.51.100.7" }, { port: 40_000 }]) {
    const { clock, wire, far } = network();
    const searching = browse(far, options);
    await clock.advance(100);
    await wire.say({ isResponse: true, answers: described("attic") }, from);
    await clock.advance(2000);
    assert.equal(await searching, []);
  }
});

test("threat H: a flood of services is cut at 256 of a type, whatever else is said", async () => {
  const { clock, wire, far } = network();
  const searching = browse(far, { ...options, timeoutMs: 5000 });
  await clock.advance(100);
  for (let batch = 0; batch < 50; batch++) {
    const answers = Array.from({ length: 40 }, (_, at) => described(`h${batch * 40 + at}`)).flat();
    await wire.say({
      isResponse: true,
      answers: answers.slice(0, 60),
      additionals: answers.slice(60, 120),
    });
  }
  await clock.advance(5000);
  const services = await searching;
  assert.ok(services.length > 0 && services.length <= 256, `${services.length} services`);
});

test("a service heard on two interfaces is one, with the addresses of both", async () => {
  const clock = createFakeClock();
  const [lan, wifi] = [createWire(clock), createWire(clock)];
  const node = plug(clock, { lan0: lan, wifi0: wifi }, ["192.0.2.2"]);
  node.interfaces = [
    ...node.interfaces,
    { name: "wifi0", address: "198.51.100.2", family: 4, internal: false, prefix: 24 },
  ];
  const searching = browse(node, options);
  await clock.advance(100);
  await lan.say({ isResponse: true, answers: described("attic") });
  await wifi.say(
    { isResponse: true, answers: described("attic", 18_789, "198.51.100.7") },
    { address: "198.51.100.7" },
  );
  await clock.advance(2000);
  assert.equal(
    (await searching).map(({ addresses }) => addresses),
    [["192.0.2.7", "198.51.100.7"]],
  );
});

test("a signal ends the search early, with what was found", async () => {
  const { clock, wire, far } = network();
  const stop = new AbortController();
  const searching = browse(far, { ...options, timeoutMs: 60_000, signal: stop.signal });
  await clock.advance(100);
  await wire.say({ isResponse: true, answers: described("attic") });
  stop.abort();
  assert.is((await searching).length, 1);
  assert.is(clock.armed, 0);
});

test("one interface that cannot be joined is left out; when none can, that is an error", async () => {
  const { clock, far } = network();
  far.interfaces = [...far.interfaces, { name: "vpn0", address: "10.8.0.2", family: 4, internal: false }];
  const searching = browse(far, options);
  await clock.advance(2000);
  assert.equal(await searching, []);
  far.broken.add("lan0");
  const failure = await browse(far, options).catch((error: unknown) => error);
  assert.match(String(failure), "cannot join");
});

test("RFC 6763 6.4: of a key the first counts, one without a value is empty, one without a name is nothing", () => {
  const strings = ["Role=gateway", "role=other", "flag", "=x", "a=b=c", "__proto__=x"].map((text) =>
    new TextEncoder().encode(text),
  );
  const txt = readTxt(strings);
  assert.equal(Object.entries(txt), [
    ["Role", "gateway"],
    ["flag", ""],
    ["a", "b=c"],
    ["__proto__", "x"],
  ]);
});

test.run();
