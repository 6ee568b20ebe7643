import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { zoneText, type ZoneFacts } from "../../src/discovery/zone.ts";
import { writeZone, zonePath } from "../../src/discovery/zone-file.ts";
import { scriptedHost } from "../support/host.ts";

const now = Date.UTC(2026, 10, 21, 12);
const dayMs = 86_400_000;
const facts: ZoneFacts = {
  product: "clawdbot",
  domain: "clawdbot.internal.",
  address: "100.101.102.103",
  gateway: {
    types: ["_clawdbot-gw._tcp"],
    hostname: "vm",
    port: 18_794,
    txt: [
      ["displayName", "vm (Clawdbot)"],
      ["role", "gateway"],
      ["transport", "gateway"],
      ["gatewayPort", "18794"],
    ],
  },
};

test("6.2 the zone is as captured", () => {
  const [comment = "", ...lines] = text(facts).split("\n");
  assert.match(comment, /^; clawdbot-content-hash: [0-9a-f]{8}$/);
  assert.is(
    lines.join("\n"),
    `$ORIGIN clawdbot.internal.
$TTL 60
@ IN SOA ns1 hostmaster 2026112101 7200 3600 1209600 60
@ IN NS ns1
ns1 IN A 100.101.102.103
vm IN A 100.101.102.103
_clawdbot-gw._tcp IN PTR vm-gateway._clawdbot-gw._tcp
vm-gateway._clawdbot-gw._tcp IN SRV 0 0 18794 vm
vm-gateway._clawdbot-gw._tcp IN TXT "displayName=vm (Clawdbot)" "role=gateway" "transport=gateway" "gatewayPort=18794"
`,
  );
});

test("6.2 a zone that says the same already is left as it is, on another day too", () => {
  assert.is(zoneText(facts, { previous: text(facts), now: now + 3 * dayMs }), undefined);
});

test("6.2 the serial only grows: twice a day, the day after, and when the clock went back", () => {
  const first = text(facts);
  const port = (value: number): ZoneFacts => ({ ...facts, gateway: { ...facts.gateway!, port: value } });
  const second = text(port(1), first);
  assert.equal([serial(first), serial(second)], [2026112101, 2026112102]);
  assert.is(serial(text(port(2), second, now - 30 * dayMs)), 2026112103);
  assert.is(serial(text(port(2), second, now + dayMs)), 2026112201);
});

test("6.2 a serial that somebody set beyond 32 bits is not followed", () => {
  const broken = text(facts).replace("2026112101", "4294967295");
  assert.is(serial(text(facts, broken)), 2026112101);
});

test("6.2 an IPv6 address of the tailnet adds AAAA records", () => {
  const zone = text({ ...facts, address6: "fd7a:115c:a1e0::1" });
  assert.match(zone, "\nvm IN AAAA fd7a:115c:a1e0::1\n");
});

test("6.2 quotes, backslashes, line ends and letters beyond ASCII are escaped, 255 bytes at most", () => {
  const txt = [["displayName", `a"b\\c\nö${"x".repeat(300)}`]] as const;
  const zone = text({ ...facts, gateway: { ...facts.gateway!, txt } });
  assert.ok(zone.includes(String.raw`TXT "displayName=a\"b\\c\010\195\182xxx`));
  assert.is(zone.split("\n").filter((line) => line.includes(" TXT ")).length, 1);
});

test("6.2 named-checkzone takes every zone", () => {
  if (spawnSync("named-checkzone", ["-v"]).error) {
    process.stdout.write("skipped: needs named-checkzone (apt-get install bind9-utils)\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "clawlet-zone-"));
  const hard = { ...facts.gateway!, types: ["_clawdbot-gw._tcp", "_openclaw-gw._tcp"], hostname: "h".repeat(63) };
  const zones = [
    facts,
    { ...facts, gateway: undefined, address6: "fd7a:115c:a1e0::1" },
    { ...facts, gateway: { ...hard, txt: [["displayName", `"; \\ $ORIGIN x\n@ ö${"y".repeat(300)}`]] as const } },
    { ...facts, gateway: { ...hard, hostname: "ns1" } },
  ];
  for (const [at, zone] of zones.entries()) {
    const file = join(folder, `${at}.db`);
    writeFileSync(file, text(zone));
    const { status, stdout } = spawnSync("named-checkzone", ["clawdbot.internal", file], { encoding: "utf8" });
    assert.is(status, 0, `${stdout}\n${text(zone)}`);
    assert.match(stdout, "loaded serial 2026112101");
  }
  rmSync(folder, { recursive: true });
});

test("6.2 the file is readable for a DNS server, and written once", async () => {
  const host = scriptedHost({ now });
  const path = zonePath("/home/me/.clawdbot", "clawdbot.internal.");
  assert.is(path, "/home/me/.clawdbot/dns/clawdbot.internal.db");
  assert.is(await writeZone(host, path, facts), "updated");
  assert.is((await host.files.stat(path))?.mode, 0o644);
  assert.is(await writeZone(host, path, facts), "unchanged");
});

function text(zone: ZoneFacts, previous?: string, at = now): string {
  const written = zoneText(zone, { previous, now: at });
  if (written === undefined) throw new Error("unchanged");
  return written;
}

function serial(zone: string): number {
  return Number(/hostmaster (\d+) /.exec(zone)?.[1]);
}

test.run();
