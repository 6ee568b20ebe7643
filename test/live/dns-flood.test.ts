import { readFileSync } from "node:fs";
import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { floodFrom, runMdnsNode } from "../support/mdns-node.ts";
import { avahiBrowse, missingAvahi, startAvahi } from "../support/netns-avahi.ts";
import { runCommandOn, startGatewayOn } from "../support/netns-gateway.ts";
import { openNetwork, type Network } from "../support/netns.ts";

const token = "a-token-of-this-test";
const config = { gateway: { mode: "local", auth: { token } } };
const packets = 30_000;
/** Of what a second flood may add to the first one, in which the runtime makes its heap as large as it needs. */
const maxGrowthKb = 60_000;
const maxFirstGrowthKb = 300_000;

// The process that sends the flood runs this same file.
if (!(await runMdnsNode())) await main();

async function main(): Promise<void> {
  const network = await openNetwork(missingAvahi);
  if ("skipped" in network) {
    test("a gateway in a flood", () => void process.stdout.write(`skipped: ${network.skipped}\n`));
    return test.run();
  }
  const it = suite("a gateway in a flood");
  it.after(async () => {
    await network.close();
    endLaunched();
  });
  it("threat H: malformed packets, loops and 65,000-byte names at full speed neither crash nor stall a gateway, nor fill it", () =>
    flooded(network));
  it.run();
}

async function flooded({ near, far }: Network): Promise<void> {
  const gateway = await startGatewayOn(near, { config, args: ["--bind", "lan"] });
  await until("announcement", () => gateway.stdout().includes("✓ announcing") || undefined);
  const health = async (): Promise<void> => {
    const { status, stdout, stderr } = await runCommandOn(near, ["gateway", "health", "--json"], gateway.home);
    assert.is(status, 0, stderr);
    assert.is(JSON.parse(stdout).ok, true);
  };
  await health();
  const atFirst = residentKb(gateway.pid);
  const about = { instance: "near (OpenClaw)", hostname: "near" };
  const floodAndAsk = async (): Promise<number> => {
    const sender = floodFrom(far, import.meta.filename, { about, packets });
    do await health();
    while (sender.child.exitCode === null);
    await sender.exited;
    // Those of 65,000 bytes need not fit into the sender's own queue.
    assert.ok(Number(sender.stdout()) > packets / 2, sender.stderr());
    await health();
    return residentKb(gateway.pid);
  };
  const afterOne = await floodAndAsk();
  const afterTwo = await floodAndAsk();
  const grown = [afterOne - atFirst, afterTwo - afterOne] as const;
  assert.ok(grown[0] < maxFirstGrowthKb && grown[1] < maxGrowthKb, `grown by ${grown.join(" and ")} kB`);
  await until(
    "word of the flood",
    () => /mDNS packets came faster/.test(gateway.stdout() + gateway.stderr()) || undefined,
    15_000,
  );
  const lines = gateway.stdout().split("\n").length + gateway.stderr().split("\n").length;
  assert.ok(lines < 500, `${lines} lines of log`);
  const avahi = await startAvahi(far);
  const seen = async () => (await avahiBrowse(far, "_openclaw-gw._tcp")).some(({ port }) => port === gateway.port);
  await until("service after the flood", async () => (await seen()) || undefined, 15_000);
  await avahi.end();
  assert.is(await gateway.stop(), 0);
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
