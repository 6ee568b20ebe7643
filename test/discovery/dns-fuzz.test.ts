import { test } from "uvu";
import * as assert from "uvu/assert";
import { startAdvertiser } from "../../src/discovery/advertise.ts";
import { browse } from "../../src/discovery/browse.ts";
import { decodeMessage } from "../../src/host/dns-decode.ts";
import { encodeMessage } from "../../src/host/dns-encode.ts";
import type { DnsMessage, DnsRecord } from "../../src/host/dns.ts";
import { createLogger, type LogRecord } from "../../src/kit/log.ts";
import { attacks, damaged, seeded } from "../support/dns-noise.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createWire, plug } from "../support/scripted-wire.ts";

const type = "_openclaw-gw._tcp";
const vm = { types: [type], instance: "vm", hostname: "vm", port: 18_789, txt: [] };

for (const [name, bytes] of Object.entries(attacks())) {
  const readable = /300 questions|65,000 zeros/.test(name);
  test(`threat H: ${name} is ${readable ? "read or dropped" : "dropped"} without an error`, () => {
    const message = decodeMessage(bytes);
    if (!readable) assert.is(message, undefined);
    assert.ok((message?.questions.length ?? 0) <= 300);
  });
}

test("threat H: of 20,000 damaged messages none throws, and what is read can be written again", () => {
  const random = seeded(7);
  let read = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const message = decodeMessage(damaged(random));
    if (!message) continue;
    read++;
    assert.ok(encodeMessage(message).length > 0);
  }
  assert.ok(read > 100 && read < 20_000, `${read} were read`);
});

test("threat H: damaged messages neither break nor fill an advertiser and a browser, which go on working", async () => {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const records: LogRecord[] = [];
  const log = createLogger(() => clock.now(), [(record) => void records.push(record)]);
  const near = plug(clock, { lan0: wire }, ["192.0.2.1"]);
  const advertiser = await startAdvertiser(near, vm, { log, interfaces: () => true, random: () => 0 });
  const searching = browse(plug(clock, { lan0: wire }, ["192.0.2.2"]), { types: [type], timeoutMs: 200_000 });
  const random = seeded(11);
  await clock.advance(3000);
  for (let turn = 0; turn < 20; turn++) {
    for (let packet = 0; packet < 25; packet++) {
      const message = decodeMessage(damaged(random));
      if (message) void wire.say(message, random() < 0.1 ? { port: 40_000 } : {});
    }
    await clock.advance(20);
  }
  await clock.advance(20_000);
  wire.sent.splice(0);
  await wire.say({ questions: [{ name: `${advertiser.names.hostname}.local`, type: "A", unicastResponse: false }] });
  await clock.advance(2000);
  assert.ok(wire.sent.some(({ message, from }) => message.isResponse && from === "192.0.2.1"));
  assert.ok(records.length < 200, `${records.length} lines of log`);
  await advertiser.close();
  await clock.advance(200_000);
  assert.ok((await searching).length <= 256);
  assert.is(clock.armed, 0);
});

test("threat H: a packet of hundreds of addresses for our host name costs one look at the interfaces", async () => {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const { net } = plug(clock, { lan0: wire }, ["192.0.2.1"]);
  let looks = 0;
  const interfaces = () => {
    looks++;
    return net.interfaces();
  };
  const log = createLogger(() => 0, []);
  const advertiser = await startAdvertiser({ net: { ...net, interfaces }, clock }, vm, { log, interfaces: () => true });
  await clock.advance(62_000);
  looks = 0;
  const answers = Array.from({ length: 250 }, (): DnsRecord => {
    return { name: "vm.local", type: "A", ttl: 120, flush: true, data: "192.0.2.1" };
  });
  for (let packet = 0; packet < 20; packet++) await wire.say({ isResponse: true, answers });
  assert.is(looks, 1);
  await advertiser.close();
});

test("threat H: a flood of questions is answered once a second", async () => {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const log = createLogger(() => 0, []);
  const advertiser = await startAdvertiser(plug(clock, { lan0: wire }, ["192.0.2.1"]), vm, {
    log,
    interfaces: () => true,
  });
  await clock.advance(60_000);
  wire.sent.splice(0);
  const questions: DnsMessage["questions"] = Array.from({ length: 100 }, () => ({
    name: `${type}.local`,
    type: "ANY",
    unicastResponse: false,
  }));
  for (let turn = 0; turn < 20; turn++) {
    for (let packet = 0; packet < 10; packet++) await wire.say({ questions, truncated: packet % 2 === 0 });
    await clock.advance(100);
  }
  const answers = wire.sent.filter(({ message }) => message.isResponse);
  const said = answers.flatMap(({ message }) => message.answers.filter((each: DnsRecord) => each.type === "PTR"));
  assert.ok(said.length <= 3, `${said.length} answers in two seconds`);
  await advertiser.close();
});

test.run();
