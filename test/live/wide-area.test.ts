import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeZone } from "../../src/discovery/zone-file.ts";
import { freePort, makeHome, runCommand, until } from "../support/gateway-process.ts";
import { scriptedHost } from "../support/host.ts";

// The zone that the gateway writes, served by a real DNS server and browsed by the real command.

const nsd = ["/usr/sbin/nsd", "/usr/bin/nsd"].find((path) => existsSync(path));

test("SC-212 6.2 a zone that NSD serves is found by gateway discover", async () => {
  if (!nsd) {
    process.stdout.write("skipped: needs nsd (apt-get install nsd)\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "clawlet-nsd-"));
  const port = await freePort();
  const config = join(folder, "nsd.conf");
  writeFileSync(join(folder, "claw.internal.db"), await zone());
  writeFileSync(config, configOf(folder, port));
  const server = spawn(nsd, ["-d", "-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (data: Buffer) => void (said += data.toString()));
  const home = makeHome();
  try {
    mkdirSync(join(home, ".openclaw"));
    const settings = { discovery: { wideArea: { enabled: true, domain: "claw.internal" } } };
    writeFileSync(join(home, ".openclaw", "openclaw.json"), JSON.stringify(settings));
    const beacons = await until(
      `beacon (${said})`,
      async () => {
        const args = ["gateway", "discover", "--json", "--timeout", "1000", "--server", `127.0.0.1:${port}`];
        const { stdout } = await runCommand(args, home);
        const found = (JSON.parse(stdout).beacons as { domain: string }[]).filter((each) => each.domain !== "local.");
        return found.length > 0 ? found : undefined;
      },
      20_000,
    );
    assert.equal(beacons, [
      {
        instanceName: "vm-gateway",
        displayName: 'Jörg\'s "vm" (OpenClaw)',
        host: "vm.claw.internal",
        port: 18_794,
        txt: { displayName: 'Jörg\'s "vm" (OpenClaw)', role: "gateway", gatewayPort: "18794" },
        gatewayPort: 18_794,
        role: "gateway",
        domain: "claw.internal.",
        wsUrl: "ws://vm.claw.internal:18794",
      },
    ]);
  } finally {
    const gone = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill("SIGTERM")) await gone;
    rmSync(folder, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  }
});

async function zone(): Promise<string> {
  const { clock, files } = scriptedHost();
  const txt = [
    ["displayName", 'Jörg\'s "vm" (OpenClaw)'],
    ["role", "gateway"],
    ["gatewayPort", "18794"],
  ] as const;
  const gateway = { types: ["_openclaw-gw._tcp", "_clawdbot-gw._tcp"], hostname: "vm", port: 18_794, txt };
  const facts = { product: "openclaw", domain: "claw.internal.", address: "100.101.102.103", gateway };
  await writeZone({ clock, files }, "/zone.db", facts);
  return (await files.read("/zone.db")) ?? "";
}

/** As whoever runs the test, with everything in one folder and one port on loopback. */
function configOf(folder: string, port: number): string {
  return `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: claw.internal
  zonefile: claw.internal.db
`;
}

test.run();
