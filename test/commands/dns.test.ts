import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ScriptedOptions } from "../support/host.ts";
import { scriptedHost } from "../support/host.ts";
import { interfaceAt } from "../support/scripted-wire.ts";
import { main } from "../../src/main.ts";
import { home, run } from "./run.ts";

const tailnet = [interfaceAt("100.101.102.103", "tailscale0"), interfaceAt("fd7a:115c:a1e0::7", "tailscale0")];
const zone = "/home/me/.clawdbot/dns/clawdbot.internal.db";

test("6.2 dns setup shows domain, zone file and tailnet IP, the configuration, and what to do at Tailscale", async () => {
  const { code, stdout } = await run(["dns", "setup"], { files: home, interfaces: tailnet });
  assert.is(code, 0);
  assert.match(stdout, /Domain +clawdbot\.internal\./);
  assert.match(stdout, /Zone file +~\/\.clawdbot\/dns\/clawdbot\.internal\.db/);
  assert.match(stdout, /Tailnet IP +100\.101\.102\.103, fd7a:115c:a1e0::7/);
  assert.match(stdout, '"enabled": true');
  assert.match(stdout, `clawdbot.internal.:53 {\n  bind 100.101.102.103 fd7a:115c:a1e0::7\n  file ${zone} {`);
  assert.match(stdout, "Restrict to domain (split DNS): clawdbot.internal");
});

test("6.2 dns setup --json is one document", async () => {
  const { stdout } = await run(["dns", "setup", "--json", "--domain", "Claw.Example"], { files: home });
  const document = JSON.parse(stdout);
  assert.equal(
    [document.domain, document.zonePath, document.tailnetIPv4],
    ["claw.example.", "/home/me/.clawdbot/dns/claw.example.db", null],
  );
  assert.is(document.config.discovery.wideArea.domain, "claw.example.");
});

test("6.2 a domain that is none is wrong usage", async () => {
  const { code, stderr } = await run(["dns", "setup", "--domain", "../x"], { files: home });
  assert.is(code, 2);
  assert.match(stderr, "is not a domain for discovery");
});

test("6.2 --apply is for macOS and says so elsewhere", async () => {
  const { code, stderr } = await run(["dns", "setup", "--apply"], { files: home, interfaces: tailnet });
  assert.is(code, 1);
  assert.match(stderr, "which is for macOS");
});

test("6.2 --apply without a tailnet is to be tried again later", async () => {
  const { code, stderr } = await run(["dns", "setup", "--apply"], { files: home, os: "darwin" });
  assert.is(code, 75);
  assert.match(stderr, "tailscale up");
});

test("6.2 --apply without Homebrew says where to get it", async () => {
  const { code, stderr } = await run(["dns", "setup", "--apply"], { files: home, os: "darwin", interfaces: tailnet });
  assert.is(code, 1);
  assert.match(stderr, "Homebrew is not installed");
});

test("6.2 --apply installs CoreDNS, gives it the zone and starts it; doing it again changes nothing", async () => {
  const installed = { brew: { stdout: "/opt/homebrew\n" } };
  const fresh = { ...installed, "brew list --versions coredns": { code: 1 } };
  const corefile = "/opt/homebrew/etc/coredns/Corefile";
  const first = await apply({ commands: fresh, files: { ...home, [corefile]: ".:53 {\n}" } });
  assert.is(first.code, 0);
  assert.equal(
    first.host.processes.ran.map(({ command, args }) => [command, ...args].join(" ")),
    ["brew list --versions coredns", "brew install coredns", "brew --prefix"],
  );
  assert.is(await first.host.files.read(corefile), ".:53 {\n}\nimport /opt/homebrew/etc/coredns/conf.d/*.server\n");
  assert.match((await first.host.files.read(zone)) ?? "", "ns1 IN A 100.101.102.103");
  const [sudo] = first.host.processes.spawned;
  assert.equal([sudo?.command, ...(sudo?.args ?? [])], ["sudo", "brew", "services", "restart", "coredns"]);
  const again = await apply({ commands: installed, disk: first.host.files });
  assert.is((await again.host.files.read(corefile))?.match(/import/g)?.length, 1);
  assert.not.match(again.host.terminal.stdout.text, "installed");
});

async function apply(options: ScriptedOptions) {
  const host = scriptedHost({
    name: "clawdbot",
    os: "darwin",
    interfaces: tailnet,
    args: ["dns", "setup", "--apply"],
    ...options,
  });
  const done = main(host);
  for (let turn = 0; turn < 100 && host.processes.spawned.length === 0; turn++) await host.clock.advance(1);
  host.processes.spawned[0]?.end(0);
  return { host, code: await done };
}

test.run();
