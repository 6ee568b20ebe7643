import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import type { Advertisement } from "../../src/discovery/service.ts";
import { until } from "../support/gateway-process.ts";
import { advertiseOn, browseOn, runMdnsNode } from "../support/mdns-node.ts";
import { avahiBrowse, avahiPublish, avahiWatch, missingAvahi, startAvahi } from "../support/netns-avahi.ts";
import { openNetwork } from "../support/netns.ts";

const type = "_openclaw-gw._tcp";
const vm: Advertisement = {
  types: [type, "_clawdbot-gw._tcp"],
  instance: "St. Mary's (OpenClaw)",
  hostname: "vm",
  port: 18_789,
  txt: [
    ["role", "gateway"],
    ["gatewayPort", "18789"],
  ],
};
const file = import.meta.filename;

// The processes that these tests start run this same file.
if (!(await runMdnsNode())) await main();

async function main(): Promise<void> {
  const network = await openNetwork(missingAvahi);
  if ("skipped" in network) {
    test("multicast DNS beside Avahi", () => void process.stdout.write(`skipped: ${network.skipped}\n`));
    test.run();
    return;
  }
  const { near, far } = network;
  const avahi = await startAvahi(far);
  const it = suite("multicast DNS beside Avahi");
  it.after(async () => {
    await avahi.end();
    await network.close();
  });

  it("Avahi on another machine finds what we announce: host, port, addresses and text; and loses it at the goodbye", async () => {
    const running = advertiseOn(near, file, vm);
    const watch = avahiWatch(far, type);
    const resolved = (protocol: string) =>
      watch.lines().some((line) => line.startsWith(`=;${far.interfaceName};${protocol}`)) || undefined;
    await until("IPv4 and IPv6", () => (resolved("IPv4") && resolved("IPv6")) || undefined, 15_000);
    const services = await avahiBrowse(far, type);
    assert.ok(services.some(({ address }) => address === near.address4));
    for (const { name, host, port, txt } of services) {
      assert.equal({ name, host, port }, { name: "St. Mary's (OpenClaw)", host: "vm.local", port: 18_789 });
      assert.equal([...txt].sort(), ["gatewayPort=18789", "role=gateway"]);
    }
    assert.ok((await avahiBrowse(far, "_clawdbot-gw._tcp")).length > 0);
    const left = Date.now();
    assert.is(await running.end(), 0);
    await until(
      "goodbye",
      () => watch.lines().filter((line) => line.startsWith("-;")).length >= 2 || undefined,
      15_000,
    );
    assert.ok(Date.now() - left < 60_000, "long before the 4,500 seconds of the entry");
    await watch.end();
  });

  it("a name that Avahi has is left to it", async () => {
    const theirs = await avahiPublish(far, { name: "taken", type, port: 1234, txt: ["a=b"] });
    const running = advertiseOn(near, file, { ...vm, instance: "taken" });
    await until("another name", () => running.names()?.instance === "taken (2)" || undefined, 15_000);
    const both = (
      await until(
        "both",
        async () => {
          const services = await avahiBrowse(far, type);
          return new Set(services.map(({ name }) => name)).size >= 2 ? services : undefined;
        },
        15_000,
      )
    ).map(({ name, port }) => `${name} ${port}`);
    assert.equal([...new Set(both)].sort(), ["taken (2) 18789", "taken 1234"]);
    await running.end();
    await theirs.end();
  });

  it("a host name that Avahi has is left to it", async () => {
    const running = advertiseOn(near, file, { ...vm, hostname: far.name });
    await until("another host name", () => running.names()?.hostname === `${far.name}-2` || undefined, 15_000);
    await running.end();
  });

  it("of two of ours on one machine the second takes another name, beside Avahi on the same port", async () => {
    const first = advertiseOn(far, file, vm);
    await until("first", () => first.names());
    await until("found", async () => (await browseOn(near, file, [type])).length > 0 || undefined, 20_000);
    const second = advertiseOn(far, file, { ...vm, port: 18_790 });
    await until("second", () => second.names()?.instance === "St. Mary's (OpenClaw) (2)" || undefined, 15_000);
    assert.equal(first.names(), { instance: "St. Mary's (OpenClaw)", hostname: "vm" });
    assert.is(second.names()?.hostname, "vm");
    await second.end();
    await first.end();
  });

  it("browsing finds what Avahi publishes, and what we announce on the other side", async () => {
    const theirs = await avahiPublish(far, { name: "St. Paul's", type, port: 1234, txt: ["role=gateway", "a=b"] });
    const ours = advertiseOn(near, file, vm);
    const found = await until(
      "both",
      async () => {
        const services = await browseOn(near, file, [type]);
        return services.length >= 2 ? services : undefined;
      },
      20_000,
    );
    const avahis = found.find(({ instance }) => instance === "St. Paul's");
    assert.is(avahis?.port, 1234);
    assert.is(avahis?.target, `${far.name}.local`);
    assert.ok(avahis?.addresses.includes(far.address4));
    assert.equal(avahis?.txt, { role: "gateway", a: "b" });
    assert.ok(found.some(({ instance }) => instance === "St. Mary's (OpenClaw)"));
    await ours.end();
    await theirs.end();
  });

  it.run();
}
