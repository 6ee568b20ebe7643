import { test } from "uvu";
import * as assert from "uvu/assert";
import { createAnnouncing } from "../../src/gateway/announcing.ts";
import { flavours } from "../../src/host/flavour.ts";
import { createLogger } from "../../src/kit/log.ts";
import { scriptedConfig } from "../support/app.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";
import { createWire, interfaceAt, type Wire } from "../support/scripted-wire.ts";

// Loaded as the gateway does, before it does: the test's clock does not wait while a file is read.
await import("../../src/discovery/advertise.ts");
await import("../../src/tailscale/tailscale.ts");

const state = "/home/me/.openclaw";

test("a gateway of the LAN says where it is announced, and is found until it ends", async () => {
  const { announcing, clock, lines, heard } = setUp();
  announcing.refresh();
  await clock.advance(3000);
  assert.equal(lines, ['✓ announcing "vm (OpenClaw)" on eth0']);
  assert.ok(heard().includes("PTR 4500 vm (OpenClaw)._openclaw-gw._tcp.local"));
  assert.ok(heard().includes("PTR 4500 vm (OpenClaw)._clawdbot-gw._tcp.local"));
  const before = heard().length;
  const closed = announcing.close();
  await clock.advance(300);
  await closed;
  assert.ok(heard().slice(before).includes("PTR 0 vm (OpenClaw)._openclaw-gw._tcp.local"));
});

test("after a restart what has changed is announced, and nothing is said twice", async () => {
  const { announcing, clock, lines, heard, gateway } = setUp();
  announcing.refresh();
  await clock.advance(3000);
  gateway.port = 19_001;
  announcing.refresh();
  await clock.advance(3000);
  assert.is(lines.length, 1);
  assert.ok(heard().some((line) => line.startsWith("SRV 120 19001")));
});

test("6.1 lanHost follows a host name that somebody else has", async () => {
  const { announcing, clock, heard, wire } = setUp();
  announcing.refresh();
  await clock.advance(100);
  for (let turn = 0; turn < 10; turn++) {
    const data = { name: "vm.local", type: "A", ttl: 120, flush: true, data: "192.168.1.99" } as const;
    await wire.say({ isResponse: true, authoritative: true, answers: [data] }, { address: "192.168.1.99" });
    await clock.advance(100);
  }
  await clock.advance(5000);
  const txt = heard().findLast((line) => line.startsWith("TXT"));
  assert.match(txt ?? "", "lanHost=vm-2.local");
});

test("RFC 6762 9: a name that was given because of a conflict is the first one after a restart", async () => {
  const first = setUp();
  first.announcing.refresh();
  await first.clock.advance(1000);
  const srv = { priority: 0, weight: 0, port: 1, target: "other.local" };
  const theirs = {
    name: "vm (OpenClaw)._openclaw-gw._tcp.local",
    type: "SRV",
    ttl: 120,
    flush: true,
    data: srv,
  } as const;
  for (let turn = 0; turn < 3; turn++) {
    await first.wire.say({ isResponse: true, answers: [theirs] }, { address: "192.168.1.99" });
    await first.clock.advance(500);
  }
  const text = await first.host.files.read(`${state}/announced.json`);
  const second = setUp();
  await second.host.files.makeFolder(state);
  await second.host.files.write(`${state}/announced.json`, text ?? "");
  second.announcing.refresh();
  await second.clock.advance(3000);
  assert.equal(second.lines, ['✓ announcing "vm (OpenClaw) (2)" on eth0']);
});

test("a gateway that stands by or is in safe mode announces nothing and writes no zone", async () => {
  const { announcing, clock, lines, wire, host } = setUp({ silent: true, discovery: { wideArea: { enabled: true } } });
  announcing.refresh();
  await clock.advance(3000);
  assert.equal([lines, wire.sent.length], [[], 0]);
  assert.equal(await host.files.list(`${state}/dns`), []);
  await announcing.close();
});

test("an end does not wait for an interface that does not answer", async () => {
  const { announcing, clock } = setUp({ multicast: () => new Promise<never>(() => undefined) });
  announcing.refresh();
  await clock.advance(0);
  let ended = false;
  void announcing.close().then(() => (ended = true));
  await clock.advance(299);
  assert.not.ok(ended);
  await clock.advance(1);
  assert.ok(ended);
});

test("a network that cannot be joined is a warning", async () => {
  const { announcing, clock, lines } = setUp({ multicast: () => Promise.reject(new Error("no route")) });
  announcing.refresh();
  await clock.advance(100);
  assert.ok(lines.includes("mDNS is not working on an interface"));
});

test("6.2 with a tailnet address the zone is written, and left when it says the same", async () => {
  const tailnet = [interfaceAt("192.168.1.7", "eth0"), interfaceAt("100.101.102.103", "tailscale0")];
  const { announcing, clock, lines, host } = setUp({ interfaces: tailnet, discovery: { wideArea: { enabled: true } } });
  announcing.refresh();
  await clock.advance(1000);
  announcing.refresh();
  await clock.advance(1000);
  const path = `${state}/dns/openclaw.internal.db`;
  assert.equal(lines.slice(1), [
    `wide-area DNS-SD updated (openclaw.internal. → ${path})`,
    `wide-area DNS-SD unchanged (openclaw.internal. → ${path})`,
  ]);
  assert.match((await host.files.read(path)) ?? "", "vm-gateway._openclaw-gw._tcp IN SRV 0 0 18789 vm\n");
});

test("6.2 without a tailnet address the zone is left alone, with a warning", async () => {
  const { announcing, clock, lines } = setUp({ discovery: { wideArea: { enabled: true } } });
  announcing.refresh();
  await clock.advance(1000);
  assert.ok(
    lines.includes(
      "discovery.wideArea.enabled is true, but no Tailscale IPv4 address was found; skipping unicast DNS-SD zone update",
    ),
  );
});

interface SetUp extends Pick<ScriptedOptions, "multicast" | "interfaces"> {
  readonly silent?: boolean;
  readonly discovery?: unknown;
}

function setUp({
  silent = false,
  discovery = {},
  multicast,
  interfaces = [interfaceAt("192.168.1.7", "eth0")],
}: SetUp = {}) {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const host = scriptedHost({
    hostname: "vm.example",
    clock,
    interfaces,
    multicast: multicast ?? (async (at, events) => wire.attach(at, events)),
  });
  const lines: string[] = [];
  const gateway = { port: 18_789, addresses: ["0.0.0.0"], tls: undefined };
  const announcing = createAnnouncing({
    host,
    flavour: flavours.openclaw,
    paths: { state },
    config: scriptedConfig({ discovery }),
    log: createLogger(() => clock.now(), [({ message }) => void lines.push(message)]),
    gateway,
    silent: () => silent,
  });
  return { announcing, clock, wire, host, lines, gateway, heard: () => answersOn(wire) };
}

function answersOn(wire: Wire): readonly string[] {
  return wire.sent.flatMap(({ message }) =>
    message.answers.map((record) => {
      if (record.type === "SRV") return `SRV ${record.ttl} ${record.data.port}`;
      if (record.type === "TXT") return `TXT ${record.data.map((each) => new TextDecoder().decode(each)).join(" ")}`;
      return `${record.type} ${record.ttl} ${record.type === "PTR" ? record.data : ""}`;
    }),
  );
}

test.run();
