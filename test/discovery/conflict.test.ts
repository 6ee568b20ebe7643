import { test } from "uvu";
import * as assert from "uvu/assert";
import { startAdvertiser, type Advertiser } from "../../src/discovery/advertise.ts";
import { unnumbered, type Names, type Numbers } from "../../src/discovery/names.ts";
import type { Advertisement } from "../../src/discovery/service.ts";
import type { DnsRecord } from "../../src/host/dns.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createWire, plug, type Wire } from "../support/scripted-wire.ts";

const type = "_openclaw-gw._tcp";
const vm: Advertisement = { types: [type], instance: "vm", hostname: "vm", port: 18_789, txt: [["role", "gateway"]] };
const instance = `vm.${type}.local`;

interface Member {
  readonly advertiser: Advertiser;
  readonly records: LogRecord[];
  readonly renamed: Names[];
}

function network(): {
  readonly clock: FakeClock;
  readonly wire: Wire;
  readonly join: (address: string | readonly string[], what?: Advertisement, numbers?: Numbers) => Promise<Member>;
} {
  const clock = createFakeClock();
  const wire = createWire(clock);
  return {
    clock,
    wire,
    async join(address, what = vm, numbers = unnumbered) {
      const records: LogRecord[] = [];
      const renamed: Names[] = [];
      const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
      const node = plug(clock, { lan0: wire }, [address].flat());
      const options = {
        log,
        interfaces: () => true,
        numbers,
        renamed: (names: Names) => void renamed.push(names),
        random: () => 0,
      };
      return { advertiser: await startAdvertiser(node, what, options), records, renamed };
    },
  };
}

function srv(name: string, port: number): DnsRecord {
  return { name, type: "SRV", ttl: 120, flush: true, data: { priority: 0, weight: 0, port, target: "other.local" } };
}

test("RFC 6762 9: who comes second takes other names, tells of it, and who was first keeps its own", async () => {
  const { clock, join } = network();
  const first = await join("192.0.2.1");
  await clock.advance(5000);
  const second = await join("192.0.2.2", { ...vm, port: 18_790 });
  await clock.advance(5000);
  assert.equal(first.advertiser.names, { instance: "vm", hostname: "vm" });
  assert.equal(second.advertiser.names, { instance: "vm (2)", hostname: "vm-2" });
  assert.equal(second.renamed.at(-1), { instance: "vm (2)", hostname: "vm-2" });
  assert.equal(
    second.records.map(({ message, fields }) => [message, fields["newName"] ?? fields["newHostname"]]),
    [
      ["gateway name conflict resolved", "vm (2)"],
      ["gateway hostname conflict resolved", "vm-2"],
    ],
  );
  assert.equal(first.records, []);
});

test("a third takes the next number", async () => {
  const { clock, join } = network();
  const members: Member[] = [];
  for (const host of [1, 2, 3]) {
    members.push(await join(`192.0.2.${host}`, { ...vm, port: 18_788 + host }));
    await clock.advance(5000);
  }
  assert.equal(
    members.map(({ advertiser }) => advertiser.names.instance),
    ["vm", "vm (2)", "vm (3)"],
  );
});

test("two gateways of one machine share its host name, and have names of their own as services", async () => {
  const { clock, join } = network();
  await join("192.0.2.1");
  await clock.advance(5000);
  const second = await join("192.0.2.1", { ...vm, port: 18_790 });
  await clock.advance(5000);
  assert.equal(second.advertiser.names, { instance: "vm (2)", hostname: "vm" });
});

for (const [winner, order] of [
  ["whoever comes first", ["192.0.2.9", "192.0.2.1"]],
  ["whoever comes last", ["192.0.2.1", "192.0.2.9"]],
] as const) {
  test(`RFC 6762 8.2: of two that probe at once the one with the later records wins, ${winner}`, async () => {
    const { clock, join } = network();
    const members = await Promise.all(
      order.map((address) => join(address, { ...vm, port: address === "192.0.2.9" ? 9000 : 8000 })),
    );
    await clock.advance(10_000);
    const later = order.indexOf("192.0.2.9");
    assert.equal(members[later]?.advertiser.names, { instance: "vm", hostname: "vm" });
    assert.equal(members[1 - later]?.advertiser.names, { instance: "vm (2)", hostname: "vm-2" });
  });
}

test("RFC 6762 8.2: who loses waits a second before it asks again, and keeps its name if nobody took it", async () => {
  const { clock, wire, join } = network();
  const { advertiser } = await join("192.0.2.1");
  await clock.advance(100);
  wire.sent.splice(0);
  const rival = srv(instance, 60_000);
  await wire.say({ questions: [{ name: instance, type: "ANY", unicastResponse: false }], authorities: [rival] });
  await clock.advance(5000);
  const probes = wire.sent.filter(({ message, from }) => from === "192.0.2.1" && message.authorities.length > 0);
  assert.equal(
    probes.map(({ at }) => at),
    [1100, 1350, 1600],
  );
  assert.is(advertiser.names.instance, "vm");
});

test("RFC 6762 6: an established name is defended against a probe at once", async () => {
  const { clock, wire, join } = network();
  await join("192.0.2.1");
  await clock.advance(60_000);
  wire.sent.splice(0);
  const rival = srv(instance, 60_000);
  const probe = { questions: [{ name: instance, type: "ANY", unicastResponse: false }], authorities: [rival] } as const;
  await wire.say(probe);
  await clock.advance(250);
  await wire.say(probe);
  const answers = wire.sent.filter(({ message }) => message.isResponse);
  assert.equal(
    answers.map(({ at }) => at),
    [60_000, 60_250],
  );
  assert.equal(
    answers[0]?.message.answers.map((record) => record.type),
    ["SRV", "TXT"],
  );
});

test("RFC 6762 9: who has a name and hears another use it probes, and keeps it when that one is silent", async () => {
  const { clock, wire, join } = network();
  const { advertiser, records } = await join("192.0.2.1");
  await clock.advance(60_000);
  wire.sent.splice(0);
  await wire.say({ isResponse: true, answers: [srv(instance, 60_000)] });
  await clock.advance(3000);
  assert.is(wire.sent.filter(({ message }) => message.authorities.length > 0).length, 3);
  assert.is(wire.sent.filter(({ message, from }) => message.isResponse && from === "192.0.2.1").length, 2);
  assert.is(advertiser.names.instance, "vm");
  assert.equal(records, []);
});

test("another host's address of either family under our host name is a conflict; one of this machine is none", async () => {
  const { clock, wire, join } = network();
  const { advertiser } = await join("192.0.2.1");
  await clock.advance(100);
  await wire.say({
    isResponse: true,
    answers: [{ name: "vm.local", type: "A", ttl: 120, flush: true, data: "192.0.2.1" }],
  });
  assert.is(advertiser.names.hostname, "vm");
  await wire.say({
    isResponse: true,
    answers: [{ name: "VM.local", type: "AAAA", ttl: 120, flush: true, data: "fd00::9" }],
  });
  assert.equal(advertiser.names, { instance: "vm", hostname: "vm-2" });
});

test("what we said before an update is no conflict when it comes back late", async () => {
  const { clock, wire, join } = network();
  const { advertiser } = await join("192.0.2.1");
  await clock.advance(60_000);
  advertiser.update({ ...vm, port: 18_790 });
  wire.sent.splice(0);
  const old: DnsRecord = {
    ...srv(instance, 18_789),
    type: "SRV",
    data: { priority: 0, weight: 0, port: 18_789, target: "vm.local" },
  };
  await wire.say({ isResponse: true, answers: [old] }, { address: "192.0.2.1" });
  await clock.advance(3000);
  assert.is(wire.sent.filter(({ message }) => message.authorities.length > 0).length, 0);
});

test("RFC 6762 8.1: after 15 conflicts in ten seconds every further try waits for five", async () => {
  const { clock, wire, join } = network();
  const { advertiser } = await join("192.0.2.1");
  for (let turn = 0; turn < 15; turn++) {
    await clock.advance(100);
    await wire.say({ isResponse: true, answers: [srv(`${advertiser.names.instance}.${type}.local`, 60_000)] });
  }
  wire.sent.splice(0);
  assert.is(advertiser.names.instance, "vm (16)");
  await clock.advance(4999);
  assert.equal(wire.sent, []);
  await clock.advance(1);
  assert.is(wire.sent.length, 1);
});

test("whoever claims names that have not been asked for yet drives nobody on to the next ones", async () => {
  const { clock, wire, join } = network();
  const { advertiser, records } = await join("192.0.2.1");
  for (let turn = 0; turn < 15; turn++) {
    await clock.advance(100);
    await wire.say({ isResponse: true, answers: [srv(`${advertiser.names.instance}.${type}.local`, 60_000)] });
  }
  const lines = records.length;
  for (let number = 16; number < 200; number++)
    await wire.say({ isResponse: true, answers: [srv(`vm (${number}).${type}.local`, 60_000)] });
  assert.is(advertiser.names.instance, "vm (16)");
  assert.is(records.length, lines);
});

test("RFC 6762 9: the numbers of the last time are tried first", async () => {
  const { clock, join, wire } = network();
  const { advertiser } = await join("192.0.2.1", vm, { instance: 2, hostname: 3 });
  await clock.advance(5000);
  assert.equal(advertiser.names, { instance: "vm (2)", hostname: "vm-3" });
  assert.is(wire.sent[0]?.message.questions[0]?.name, `vm (2).${type}.local`);
});

test("RFC 6762 10.1: of a name that is lost on one family nothing is taken back on the other, of the rest all is", async () => {
  const { clock, wire, join } = network();
  const older = "_clawdbot-gw._tcp";
  const { advertiser } = await join(["192.0.2.1", "fd00::1"], { ...vm, types: [type, older] });
  await clock.advance(60_000);
  wire.sent.splice(0);
  await wire.say({ isResponse: true, answers: [srv(instance, 60_000)] });
  await clock.advance(100);
  await wire.say({ isResponse: true, answers: [srv(instance, 60_000)] });
  assert.is(advertiser.names.instance, "vm (2)");
  const goodbyes = (from: string) =>
    wire.sent
      .filter((each) => each.from === from)
      .flatMap(({ message }) => message.answers.filter(({ ttl }) => ttl === 0))
      .map(({ name, type: kind }) => `${name} ${kind}`);
  const gone = [`${older}.local PTR`, `vm.${older}.local SRV`, `vm.${older}.local TXT`];
  assert.equal(goodbyes("192.0.2.1"), gone);
  assert.equal(goodbyes("fd00::1"), gone);
});

test("names stay numbered over an update, and start anew with a new name", async () => {
  const { clock, join } = network();
  await join("192.0.2.1");
  await clock.advance(5000);
  const { advertiser } = await join("192.0.2.2", { ...vm, port: 18_790 });
  await clock.advance(5000);
  advertiser.update({ ...vm, port: 18_791 });
  assert.equal(advertiser.names, { instance: "vm (2)", hostname: "vm-2" });
  advertiser.update({ ...vm, instance: "attic", port: 18_791 });
  assert.equal(advertiser.names, { instance: "attic", hostname: "vm-2" });
});

test.run();
