import { test } from "uvu";
import * as assert from "uvu/assert";
import { startAdvertiser, type Advertiser } from "../../src/discovery/advertise.ts";
import type { Advertisement } from "../../src/discovery/service.ts";
import type { DnsQuestion, DnsRecord, DnsType } from "../../src/host/dns.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createWire, interfaceAt, plug, type Node, type Sent, type Wire } from "../support/scripted-wire.ts";

const type = "_openclaw-gw._tcp";
const vm: Advertisement = {
  types: [type],
  instance: "vm (OpenClaw)",
  hostname: "vm",
  port: 18_789,
  txt: [
    ["role", "gateway"],
    ["gatewayPort", "18789"],
  ],
};
const instance = `vm (OpenClaw).${type}.local`;
const tcp = `${type}.local`;

interface Running {
  readonly clock: FakeClock;
  readonly wire: Wire;
  readonly node: Node;
  readonly advertiser: Advertiser;
  readonly records: LogRecord[];
  /** Everything that was sent since it was last asked. */
  readonly sent: () => readonly Sent[];
}

/** An advertiser whose random numbers are all zero. */
async function start(advertisement = vm, addresses: readonly string[] = ["192.0.2.1"]): Promise<Running> {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const node = plug(clock, { lan0: wire }, addresses);
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
  const advertiser = await startAdvertiser(node, advertisement, { log, interfaces: () => true, random: () => 0 });
  return { clock, wire, node, advertiser, records, sent: () => wire.sent.splice(0) };
}

/** One that has announced itself, a minute ago. */
async function established(advertisement = vm, addresses?: readonly string[]): Promise<Running> {
  const running = await start(advertisement, addresses);
  await running.clock.advance(60_000);
  running.sent();
  return running;
}

function question(name: string, kind: DnsType, unicastResponse = false): DnsQuestion {
  return { name, type: kind, unicastResponse };
}

function brief(records: readonly DnsRecord[]): readonly string[] {
  return records.map(({ name, type: kind, ttl, flush }) => `${name} ${kind} ${ttl}${flush ? " flush" : ""}`);
}

test("RFC 6762 8.1: three probes, 250 ms apart, with the records to be, ask for every name of its own", async () => {
  const { clock, sent, advertiser } = await start();
  await clock.advance(600);
  const probes = sent();
  assert.equal(
    probes.map(({ at }) => at),
    [0, 250, 500],
  );
  const [probe] = probes;
  assert.equal(
    probe?.message.questions.map((each) => `${each.name} ${each.type}`),
    [`${instance} ANY`, "vm.local ANY"],
  );
  assert.equal(brief(probe?.message.authorities ?? []), [
    `${instance} SRV 120`,
    `${instance} TXT 4500`,
    "vm.local A 120",
  ]);
  await advertiser.close();
});

test("RFC 6762 8.3: announced twice, a second apart, unique records with the flush bit", async () => {
  const { clock, sent, advertiser } = await start();
  await clock.advance(740);
  sent();
  await clock.advance(60_000);
  const announcements = sent();
  assert.equal(
    announcements.map(({ at }) => at),
    [750, 1750],
  );
  for (const { message } of announcements) {
    assert.ok(message.isResponse && message.authoritative);
    assert.equal(brief(message.answers), [
      `${tcp} PTR 4500`,
      `${instance} SRV 120 flush`,
      `${instance} TXT 4500 flush`,
      "_services._dns-sd._udp.local PTR 4500",
      `${instance} NSEC 4500 flush`,
      "vm.local A 120 flush",
      "vm.local NSEC 120 flush",
    ]);
  }
  await advertiser.close();
});

test("nothing is answered before the names are sure", async () => {
  const { clock, wire, sent, advertiser } = await start();
  await clock.advance(700);
  sent();
  await wire.say({ questions: [question(tcp, "PTR")] });
  assert.is(sent().filter(({ message }) => message.isResponse).length, 0);
  await advertiser.close();
});

test("a question for the type is answered after a pause, with all that is needed to connect", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ questions: [question(tcp, "PTR")] });
  await clock.advance(19);
  assert.is(sent().length, 1);
  await clock.advance(1);
  const [answer] = sent();
  assert.equal(brief(answer?.message.answers ?? []), [`${tcp} PTR 4500`]);
  assert.equal(
    answer?.message.additionals.map((each) => `${each.name} ${each.type}`),
    [`${instance} SRV`, "vm.local A", "vm.local NSEC", `${instance} TXT`, `${instance} NSEC`],
  );
  await advertiser.close();
});

test("a question for what is its own alone is answered at once, whatever the case of the letters", async () => {
  const { wire, sent, advertiser } = await established();
  await wire.say({ questions: [question("VM.Local", "A")] });
  const [, answer] = sent();
  assert.equal(brief(answer?.message.answers ?? []), ["vm.local A 120 flush"]);
  await advertiser.close();
});

test("RFC 6762 6.1: of a type that a name does not have it is said that there is none", async () => {
  const { wire, sent, advertiser } = await established();
  await wire.say({ questions: [question("vm.local", "AAAA")] });
  const [, answer] = sent();
  assert.equal(answer?.message.answers[0]?.data, { next: "vm.local", types: ["A"] });
  await advertiser.close();
});

test("RFC 6763 9: the list of service types has its own", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ questions: [question("_services._dns-sd._udp.local", "PTR")] });
  await clock.advance(20);
  assert.is(sent()[1]?.message.answers[0]?.data, tcp);
  await advertiser.close();
});

test("RFC 6762 7.1: what the asker knows for half of its time is not said, for less it is", async () => {
  const { clock, wire, sent, advertiser } = await established();
  const known: DnsRecord = { name: tcp, type: "PTR", ttl: 2250, flush: false, data: instance };
  await wire.say({ questions: [question(tcp, "PTR")], answers: [known] });
  await clock.advance(500);
  assert.is(sent().length, 1);
  await wire.say({ questions: [question(tcp, "PTR")], answers: [{ ...known, ttl: 2249 }] });
  await clock.advance(500);
  assert.is(sent().length, 2);
  await advertiser.close();
});

test("RFC 6762 7.2: an asker that has more to say is waited for", async () => {
  const { clock, wire, sent, advertiser } = await established();
  const known: DnsRecord = { name: tcp, type: "PTR", ttl: 4500, flush: false, data: instance };
  await wire.say({ questions: [question(tcp, "PTR")], truncated: true });
  await clock.advance(300);
  await wire.say({ answers: [known] });
  await clock.advance(1000);
  assert.is(sent().filter(({ message }) => message.isResponse).length, 0);
  await wire.say({ questions: [question(tcp, "PTR")], truncated: true });
  await clock.advance(400);
  assert.is(sent().filter(({ message }) => message.isResponse).length, 1);
  await advertiser.close();
});

test("RFC 6762 7.4: what another host has just said is not said again", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ questions: [question(tcp, "PTR")] });
  await wire.say({ isResponse: true, answers: [{ name: tcp, type: "PTR", ttl: 4500, flush: false, data: instance }] });
  await clock.advance(500);
  assert.is(sent().length, 2);
  await advertiser.close();
});

test("RFC 6762 6: nothing is said twice within a second; who asks then gets it at its end", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ questions: [question("vm.local", "A")] });
  for (let turn = 0; turn < 50; turn++) {
    await clock.advance(10);
    await wire.say({ questions: [question("vm.local", "A")] });
  }
  await clock.advance(5000);
  const answers = sent().filter(({ message }) => message.isResponse);
  assert.equal(
    answers.map(({ at }) => at),
    [60_000, 61_000],
  );
  await advertiser.close();
});

test("RFC 6762 5.4: who asks for unicast gets it, unless the others have not heard it for long", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ questions: [question("vm.local", "A", true)] });
  assert.is(sent()[1]?.to, undefined);
  await clock.advance(2000);
  await wire.say({ questions: [question("vm.local", "A", true)] });
  assert.equal(sent()[1]?.to, { address: "192.0.2.99", port: 5353 });
  await advertiser.close();
});

test("RFC 6762 6.7: a plain DNS client gets a plain DNS answer", async () => {
  const { wire, sent, advertiser } = await established();
  await wire.say({ id: 77, questions: [question("vm.local", "A")] }, { port: 40_000 });
  const [, answer] = sent();
  assert.equal(answer?.to, { address: "192.0.2.99", port: 40_000 });
  assert.is(answer?.message.id, 77);
  assert.equal(answer?.message.questions, [question("vm.local", "A")]);
  assert.equal(brief(answer?.message.answers ?? []), ["vm.local A 10"]);
  await advertiser.close();
});

test("RFC 6762 11: nobody beyond the link is answered or believed", async () => {
  const { clock, wire, sent, records, advertiser } = await established();
  const far = { address: "198.51.100.7" };
  await wire.say({ questions: [question("vm.local", "A")] }, far);
  await wire.say({ questions: [question("vm.local", "A")] }, { ...far, port: 40_000 });
  await wire.say(
    { isResponse: true, answers: [{ name: "vm.local", type: "A", ttl: 120, flush: true, data: "198.51.100.7" }] },
    far,
  );
  await clock.advance(5000);
  assert.is(sent().filter(({ from }) => from === "192.0.2.1").length, 0);
  assert.equal(records, []);
  await advertiser.close();
});

test("an answer from another port than 5353 is not believed", async () => {
  const { clock, wire, sent, advertiser } = await established();
  const answers: readonly DnsRecord[] = [{ name: "vm.local", type: "A", ttl: 120, flush: true, data: "192.0.2.66" }];
  await wire.say({ isResponse: true, answers }, { port: 40_000 });
  await clock.advance(5000);
  assert.is(sent().length, 1);
  await advertiser.close();
});

test("RFC 6762 10.1: closing says goodbye for the service; the host's addresses are not its own to take back", async () => {
  const { sent, advertiser } = await established();
  await advertiser.close();
  const [goodbye] = sent();
  assert.equal(brief(goodbye?.message.answers ?? []), [
    `${tcp} PTR 0`,
    `${instance} SRV 0 flush`,
    `${instance} TXT 0 flush`,
    "_services._dns-sd._udp.local PTR 0",
  ]);
  await advertiser.close();
  assert.is(sent().length, 0);
});

test("one that is closed while it probes has nothing to take back, and leaves no timer", async () => {
  const { clock, sent, advertiser } = await start();
  await clock.advance(100);
  sent();
  await advertiser.close();
  assert.equal(sent(), []);
  assert.is(clock.armed, 0);
});

test("RFC 6762 10.1: a goodbye that somebody says for a record of ours is taken back", async () => {
  const { clock, wire, sent, advertiser } = await established();
  await wire.say({ isResponse: true, answers: [{ name: tcp, type: "PTR", ttl: 0, flush: false, data: instance }] });
  await clock.advance(100);
  assert.equal(brief(sent()[1]?.message.answers ?? []), [`${tcp} PTR 4500`]);
  await advertiser.close();
});

test("RFC 6762 8.4: text that changes is announced anew, without a probe", async () => {
  const { clock, sent, advertiser } = await established();
  advertiser.update({ ...vm, txt: [["role", "gateway"]] });
  await clock.advance(5000);
  const [first, second] = sent();
  assert.equal(brief(first?.message.answers ?? []), [`${instance} TXT 4500 flush`]);
  assert.is((second?.at ?? 0) - (first?.at ?? 0), 1000);
  await advertiser.close();
});

test("an update that changes nothing says nothing", async () => {
  const { clock, sent, advertiser } = await established();
  advertiser.update({ ...vm });
  await clock.advance(60_000);
  assert.equal(sent(), []);
  await advertiser.close();
});

test("another instance name is probed for, and the old one taken back", async () => {
  const { clock, sent, advertiser } = await established();
  advertiser.update({ ...vm, instance: "attic" });
  await clock.advance(5000);
  const packets = sent();
  assert.ok(brief(packets[0]?.message.answers ?? []).includes(`${tcp} PTR 0`));
  assert.is(packets[1]?.message.questions[0]?.name, `attic.${type}.local`);
  assert.ok(brief(packets[4]?.message.answers ?? []).includes(`attic.${type}.local SRV 120 flush`));
  assert.is(advertiser.names.instance, "attic");
  await advertiser.close();
});

test("an instance may have dots, spaces and any letters, and is cut between characters at 63 bytes", async () => {
  const long = `St. Mary's ${"é".repeat(40)}`;
  const { wire, sent, advertiser } = await established({ ...vm, instance: long });
  await wire.say({ questions: [question(`St\\. Mary's ${"é".repeat(26)}.${tcp}`, "SRV")] });
  assert.is(sent()[1]?.message.answers.length, 1);
  assert.is(advertiser.names.instance, `St. Mary's ${"é".repeat(26)}`);
  await advertiser.close();
});

test("two types are announced with one instance, and texts that do not fit are left out", async () => {
  const txt: Advertisement["txt"] = [
    ["a", "x".repeat(300)],
    ["b", "1"],
  ];
  const { clock, sent, advertiser } = await start({ ...vm, types: [type, "_clawdbot-gw._tcp"], txt });
  await clock.advance(760);
  const answers = sent().at(-1)?.message.answers ?? [];
  assert.is(answers.filter((record) => record.type === "SRV").length, 2);
  const text = answers.find((record) => record.type === "TXT");
  assert.equal(text?.type === "TXT" && text.data.map((each) => new TextDecoder().decode(each)), ["b=1"]);
  await advertiser.close();
});

test("what is more than one packet holds goes out in several", async () => {
  const txt = Array.from({ length: 5 }, (_, at) => [`key${at}`, "x".repeat(220)] as const);
  const { clock, sent, advertiser } = await start({ ...vm, types: [type, "_clawdbot-gw._tcp"], txt });
  await clock.advance(760);
  assert.is(sent().filter(({ message }) => message.isResponse).length, 3);
  await advertiser.close();
});

test("an interface that comes is probed and announced, one that goes is dropped, without a word on the other", async () => {
  const { clock, node, sent, wire, advertiser } = await established();
  node.interfaces = [...node.interfaces, interfaceAt("fd00::1", "lan0")];
  await clock.advance(5000);
  await clock.advance(2000);
  const six = sent().filter(({ from }) => from === "fd00::1");
  assert.is(six.filter(({ message }) => message.questions.length > 0).length, 3);
  assert.ok(brief(six.at(-1)?.message.answers ?? []).includes("vm.local AAAA 120 flush"));
  node.interfaces = [interfaceAt("fd00::1", "lan0")];
  await clock.advance(7000);
  sent();
  await wire.say({ questions: [question("vm.local", "A")] });
  assert.is(sent().filter(({ from }) => from === "192.0.2.1").length, 0);
  await advertiser.close();
});

test("an address that is missing in one look and there in the next is probed and announced anew", async () => {
  const { clock, node, sent, advertiser } = await established();
  const all = node.interfaces;
  node.interfaces = [];
  await clock.advance(5000);
  sent();
  node.interfaces = all;
  await clock.advance(10_000);
  const packets = sent();
  assert.is(packets.filter(({ message }) => message.authorities.length > 0).length, 3);
  assert.is(packets.filter(({ message }) => message.isResponse).length, 2);
  await advertiser.close();
});

test("RFC 6762 8: after the machine slept the names are probed for and announced anew", async () => {
  const { clock, sent, advertiser } = await established();
  clock.jump(3_600_000);
  await clock.advance(10_000);
  const packets = sent();
  assert.is(packets.filter(({ message }) => message.authorities.length > 0).length, 3);
  assert.is(packets.filter(({ message }) => message.isResponse).length, 2);
  await clock.advance(60_000);
  assert.equal(sent(), []);
  await advertiser.close();
});

test("one that is closed while it asks anew for names that it had says goodbye for them", async () => {
  const { clock, sent, advertiser } = await established();
  clock.jump(3_600_000);
  await clock.advance(5100);
  sent();
  await advertiser.close();
  assert.ok(brief(sent()[0]?.message.answers ?? []).includes(`${tcp} PTR 0`));
});

test("threat H: a flood is told of when it begins, and when it has doubled", async () => {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const { net } = plug(clock, { lan0: wire }, ["192.0.2.1"]);
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
  const dropped = { malformed: 7, flooded: 0 };
  const multicast: typeof net.multicast = async (at, events) => ({ ...(await net.multicast(at, events)), dropped });
  const advertiser = await startAdvertiser({ net: { ...net, multicast }, clock }, vm, { log, interfaces: () => true });
  for (const flooded of [999, 1500, 1500, 2999, 3000]) {
    dropped.flooded = flooded;
    await clock.advance(5000);
  }
  assert.equal(
    records.map(({ fields }) => [fields["interface"], fields["flooded"], fields["malformed"]]),
    [
      ["lan0", 1500, 7],
      ["lan0", 3000, 7],
    ],
  );
  await advertiser.close();
});

test("an interface that cannot be joined is one warning, and is tried again", async () => {
  const { clock, node, records, sent, advertiser } = await established();
  node.broken.add("lan1");
  node.interfaces = [...node.interfaces, interfaceAt("198.51.100.1", "lan1")];
  await clock.advance(30_000);
  assert.equal(
    records.map(({ message, fields }) => [message, fields["interface"]]),
    [["mDNS is not working on an interface", "lan1"]],
  );
  assert.equal(sent(), []);
  await advertiser.close();
});

test("each interface announces only its own addresses, a link-local one only where there is no other", async () => {
  const { clock, sent, advertiser } = await start(vm, ["192.0.2.1", "fe80::1", "fd00::1"]);
  await clock.advance(760);
  const addresses = sent()
    .filter(({ message }) => message.isResponse)
    .map(({ message }) =>
      message.answers.flatMap((each) => (each.type === "A" || each.type === "AAAA" ? [each.data] : [])),
    );
  assert.equal(addresses, [
    ["192.0.2.1", "fd00::1"],
    ["192.0.2.1", "fd00::1"],
  ]);
  await advertiser.close();
});

test("without multicast the gateway lives on, and says so", async () => {
  const clock = createFakeClock();
  const records: LogRecord[] = [];
  const log = createLogger(() => 0, [(record) => void records.push(record)]);
  const net = { interfaces: () => [interfaceAt("192.0.2.1", "lan0")] };
  const advertiser = await startAdvertiser({ net, clock }, vm, { log, interfaces: () => true });
  assert.is(records.length, 1);
  await advertiser.close();
});

test.run();
