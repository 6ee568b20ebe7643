import { rmSync } from "node:fs";
import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import type { Beacon } from "../../src/discovery/read-beacon.ts";
import { makeHome, until, type GatewayProcess, type StartOptions } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import {
  type AvahiService,
  avahiBrowse,
  avahiPublish,
  avahiWatch,
  missingAvahi,
  startAvahi,
} from "../support/netns-avahi.ts";
import { runCommandOn, startGatewayOn } from "../support/netns-gateway.ts";
import { type Network, openNetwork, type Side } from "../support/netns.ts";

// A gateway on one machine of a network; Avahi and `gateway discover` on the other one.

const type = "_openclaw-gw._tcp";
const config = { gateway: { mode: "local", auth: { token: "a-token-of-this-test" } } };
const onTheLan: StartOptions = { config, args: ["--bind", "lan"] };

const network = await openNetwork(missingAvahi);
if ("skipped" in network) {
  test("a gateway is found in a network", () => void process.stdout.write(`skipped: ${network.skipped}\n`));
  test.run();
} else {
  const discovery = suite("discovery");
  const home = makeHome();
  const avahi = await startAvahi(network.far);
  discovery.after(async () => {
    await avahi.end();
    await network.close();
    endLaunched();
    rmSync(home, { recursive: true, force: true });
  });
  found(discovery, network, home);
  discovery.run();
}

function found(it: ReturnType<typeof suite>, { near, far }: Network, home: string): void {
  it("SC-210 SC-214 SC-215 SC-216 avahi sees a gateway of the LAN, its port and TXT, until its goodbye", async () => {
    const gateway = await startGatewayOn(near, onTheLan);
    const watch = avahiWatch(far, type);
    const [service] = await seenBy(far, gateway);
    assert.is(service?.name, "near (OpenClaw)");
    assert.is(service?.host, "near.local");
    assert.is(service?.port, gateway.port);
    assert.equal(service?.txt.toSorted(), [
      "displayName=near",
      "gatewayDirectReachable=1",
      `gatewayPort=${gateway.port}`,
      "lanHost=near.local",
      "role=gateway",
      "transport=gateway",
    ]);
    assert.match(gateway.stdout(), '✓ announcing "near (OpenClaw)" on lan0');
    await until("line of the service", () => watch.lines().some((line) => line.startsWith("=")) || undefined);
    assert.is(await gateway.stop(), 0);
    await until("goodbye", () => watch.lines().some((line) => line.startsWith("-")) || undefined);
    await watch.end();
  });

  it("SC-210 SC-211 SC-222 SC-223 gateway discover finds a gateway and what avahi publishes, each once", async () => {
    const gateway = await startGatewayOn(near, onTheLan);
    await seenBy(far, gateway);
    const published = await avahiPublish(far, {
      name: "Studio Mac (Clawdbot)",
      type: "_clawdbot-gw._tcp",
      port: 18_790,
      txt: ["role=gateway", "gatewayPort=18790", "displayName=Studio Mac", "lanHost=evil.example", "gatewayTls=1"],
    });
    const { status, stdout, stderr } = await runCommandOn(far, ["gateway", "discover", "--json"], home);
    assert.equal([status, stderr], [0, ""]);
    const document = JSON.parse(stdout);
    assert.equal(Object.keys(document), ["timeoutMs", "domains", "count", "beacons"]);
    assert.equal([document.timeoutMs, document.domains, document.count], [2000, ["local."], 2]);
    const [studio, own] = (document.beacons as Beacon[]).toSorted((a, b) => b.port - a.port);
    // Which family answers first is the network's business.
    assert.ok(urlsOf("ws", near, gateway.port).includes(own?.wsUrl), own?.wsUrl);
    assert.is(own?.host, "near.local");
    assert.is(studio?.displayName, "Studio Mac");
    assert.ok(urlsOf("wss", far, 18_790).includes(studio?.wsUrl), `${studio?.wsUrl}, whatever the TXT record says`);
    assert.is(studio?.lanHost, "evil.example");
    await published.end();
    await gateway.stop();
  });

  it("two gateways of one machine have names and ports of their own", async () => {
    const first = await startGatewayOn(near, onTheLan);
    await seenBy(far, first);
    const second = await startGatewayOn(near, { ...onTheLan, port: 18_791 });
    const names = await until(
      "both",
      async () => {
        const services = await avahiBrowse(far, type);
        const ports = new Map(services.map((each) => [each.port, each.name]));
        return ports.size === 2 ? ports : undefined;
      },
      15_000,
    );
    assert.is(names.get(first.port), "near (OpenClaw)");
    assert.is(names.get(18_791), "near (OpenClaw) (2)");
    await Promise.all([first.stop(), second.stop()]);
  });

  it("a gateway on loopback announces nothing, until somebody asks for it", async () => {
    const quiet = await startGatewayOn(near, { config });
    assert.not.match(quiet.stdout(), "announcing");
    await quiet.stop();
    const full = await startGatewayOn(near, { config: { ...config, discovery: { mdns: { mode: "full" } } } });
    // Avahi may still hold the text of a gateway that had this name a second ago.
    const service = await until(
      "text for SSH",
      async () => (await seenBy(far, full)).find(({ txt }) => txt.includes("sshPort=22")),
      15_000,
    );
    assert.not.ok(service.txt.includes("gatewayDirectReachable=1"));
    await full.stop();
  });
}

function seenBy(side: Side, { port }: GatewayProcess): Promise<readonly AvahiService[]> {
  return until(
    `service on port ${port}`,
    async () => {
      const services = (await avahiBrowse(side, type)).filter((each) => each.port === port);
      return services.length > 0 ? services : undefined;
    },
    15_000,
  );
}

function urlsOf(scheme: "ws" | "wss", { address4, address6 }: Side, port: number): readonly (string | undefined)[] {
  return [`${scheme}://${address4}:${port}`, `${scheme}://[${address6}]:${port}`];
}
