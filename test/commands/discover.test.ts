import { test } from "uvu";
import * as assert from "uvu/assert";
import type { DnsRecord } from "../../src/host/dns.ts";
import type { DnsAnswers, Net } from "../../src/host/host.ts";
import { Failure } from "../../src/kit/error.ts";
import { fakeGateway, Refusal } from "../client/fake-gateway.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import type { ScriptedOptions } from "../support/host.ts";
import { createWire, interfaceAt } from "../support/scripted-wire.ts";
import { home, run, type Ran } from "./run.ts";

const service = "studio (Clawdbot)._clawdbot-gw._tcp.local";

/** What the gateway of cli.md 6.3 says of itself. */
function studio(txt: readonly string[]): readonly DnsRecord[] {
  const strings = txt.map((each) => new TextEncoder().encode(each));
  return [
    { name: "_clawdbot-gw._tcp.local", type: "PTR", ttl: 4500, flush: false, data: service },
    {
      name: service,
      type: "SRV",
      ttl: 120,
      flush: true,
      data: { priority: 0, weight: 0, port: 18_789, target: "studio.local" },
    },
    { name: service, type: "TXT", ttl: 4500, flush: true, data: strings },
    { name: "studio.local", type: "A", ttl: 120, flush: true, data: "192.168.1.20" },
  ];
}

const told = [
  "role=gateway",
  "gatewayPort=18789",
  "lanHost=studio.local",
  "displayName=Studio Mac",
  "cliPath=/usr/local/bin/clawdbot",
  "sshPort=2222",
  "transport=gateway",
  "tailnetDns=studio.tail1234.ts.net",
  "gatewayTls=1",
  "gatewayTlsSha256=ab12",
];

const wideArea: Net["resolve"] = async (name, type) => {
  const zone: Record<string, readonly DnsAnswers[keyof DnsAnswers][]> = {
    "_clawdbot-gw._tcp.clawdbot.internal PTR": ["vm-gateway._clawdbot-gw._tcp.clawdbot.internal"],
    "vm-gateway._clawdbot-gw._tcp.clawdbot.internal SRV": [
      { priority: 0, weight: 0, port: 18_794, target: "vm.clawdbot.internal" },
    ],
    "vm-gateway._clawdbot-gw._tcp.clawdbot.internal TXT": ["displayName=vm (Clawdbot)", "role=gateway"],
    "vm.clawdbot.internal A": ["100.101.102.103"],
  };
  return (zone[`${name} ${type}`] ?? []) as never; // of the type in the key
};

const withZone = {
  "/home/me/.clawdbot/clawdbot.json": JSON.stringify({
    gateway: { mode: "local", auth: { token: "a".repeat(43) } },
    discovery: { wideArea: { enabled: true } },
  }),
};

test("SC-210 SC-211 6.3 a gateway of the local network is shown as captured", async () => {
  const { code, stdout, stderr } = await discover([], { answers: studio(told) });
  assert.is(
    stdout,
    `Gateway Discovery
Found 1 gateway(s) · domains: local.
- Studio Mac local.
  tailnet: studio.tail1234.ts.net
  lan: studio.local
  host: studio.local
  ws: wss://192.168.1.20:18789
  role: gateway
  transport: gateway
  tls: sha256 ab12
  ssh: ssh -N -L 18789:127.0.0.1:18789 <user>@studio.tail1234.ts.net -p 2222
`,
  );
  assert.equal([code, stderr], [0, ""]);
});

test("SC-222 SC-223 6.3 --json is one document with the fields of the example, in their order", async () => {
  const { stdout } = await discover(["--json"], { answers: studio(told) });
  const document = JSON.parse(stdout);
  assert.equal(Object.keys(document), ["timeoutMs", "domains", "count", "beacons"]);
  assert.equal(
    Object.keys(document.beacons[0]).join(" "),
    "instanceName displayName host port txt lanHost tailnetDns cliPath gatewayPort sshPort gatewayTls gatewayTlsFingerprintSha256 role transport domain wsUrl",
  );
  assert.is(document.beacons[0].wsUrl, "wss://192.168.1.20:18789");
});

test("SC-212 a wide-area domain is looked through where one is configured", async () => {
  const { code, stdout } = await discover([], { files: withZone, resolve: wideArea });
  assert.is(code, 0);
  assert.match(stdout, "domains: local., clawdbot.internal.");
  assert.match(
    stdout,
    "- vm (Clawdbot) clawdbot.internal.\n  host: vm.clawdbot.internal\n  ws: ws://vm.clawdbot.internal:18794\n",
  );
});

test("SC-212 nobody's DNS server is asked where no domain is configured", async () => {
  let asked = 0;
  await discover([], {
    resolve: async () => {
      asked++;
      return [];
    },
  });
  assert.is(asked, 0);
});

test("SC-212 --server and *_WIDE_AREA_SERVER name the DNS server, and nothing but addresses", async () => {
  const servers: unknown[] = [];
  const resolve: Net["resolve"] = async (_name, _type, options) => {
    servers.push(options.servers);
    return [];
  };
  await discover(["--server", "10.0.0.1:5353"], { resolve });
  await discover([], { resolve, files: withZone, env: { CLAWDBOT_WIDE_AREA_SERVER: "fd00::1" } });
  await discover([], { resolve, files: withZone });
  assert.equal([...new Set(servers.map(String))], ["10.0.0.1:5353", "[fd00::1]:53", "undefined"]);
  for (const server of ["evil.example", "10.0.0.1:0", "10.0.0.1/x", "-x", "[::1"])
    assert.is((await discover([`--server=${server}`], { resolve })).code, 2, server);
});

test("SC-221 --timeout is 2000 unless told otherwise", async () => {
  const timeouts = await Promise.all(
    [[], ["--timeout", "4000"]].map(async (args) => JSON.parse((await discover(["--json", ...args])).stdout).timeoutMs),
  );
  assert.equal(timeouts, [2000, 4000]);
  assert.is((await discover(["--timeout", "soon"])).code, 2);
});

test("6.3 nothing found is no failure, and a way that fails does not hide the other", async () => {
  const nobody = await discover([]);
  assert.equal([nobody.code, nobody.stdout], [0, "Gateway Discovery\nFound 0 gateway(s) · domains: local.\n"]);
  const resolve = () => Promise.reject(new Failure("timeout", "no DNS server answered"));
  const half = await discover([], { files: withZone, resolve, answers: studio(told) });
  assert.is(half.code, 0);
  assert.match(half.stdout, "Studio Mac");
  assert.is(half.stderr, "Could not look through clawdbot.internal.: no DNS server answered\n");
});

test("threat J what is discovered is connected to by nobody, and the configured token goes nowhere", async () => {
  const dialled: string[] = [];
  const dial: NonNullable<ScriptedOptions["dial"]> = (url) => {
    dialled.push(url);
    throw new Error("discover connects to nobody");
  };
  const { stdout } = await discover(["--json"], { answers: studio(told), dial });
  assert.equal(dialled, []);
  assert.not.match(stdout, "a".repeat(43));
});

for (const line of [["gateway", "probe", "--json"], ["status", "--json"], ["health"]])
  test(`threat J ${line.join(" ")} dials no gateway that was only discovered`, async () => {
    const dialled: string[] = [];
    const { dial: nobody } = fakeGateway({ connect: () => new Refusal({ code: "UNAVAILABLE", message: "nobody" }) });
    const dial: NonNullable<ScriptedOptions["dial"]> = (url, events, options) => {
      dialled.push(new URL(url).hostname);
      return nobody(url, events, options);
    };
    await among(line, { answers: studio(told), dial });
    assert.equal([...new Set(dialled)], ["127.0.0.1"]);
  });

interface Place extends ScriptedOptions {
  /** What somebody in the network says. */
  readonly answers?: readonly DnsRecord[];
}

/** Runs the command, with time going by as it waits. */
async function discover(args: readonly string[], place: Place = {}): Promise<Ran> {
  return among(["gateway", "discover", ...args], place);
}

async function among(line: readonly string[], { answers = [], ...options }: Place): Promise<Ran> {
  const clock = createFakeClock();
  const wire = createWire(clock);
  const state = { ended: false };
  const done = run(line, {
    files: home,
    clock,
    interfaces: [interfaceAt("192.168.1.7", "eth0")],
    multicast: async (at, events) => wire.attach(at, events),
    ...options,
  }).finally(() => (state.ended = true));
  for (let turn = 0; turn < 100 && !state.ended; turn++) {
    const asked = wire.sent.length;
    await clock.advance(200);
    if (answers.length > 0 && wire.sent.length > asked)
      await wire.say({ isResponse: true, authoritative: true, answers }, { address: "192.168.1.20" });
  }
  return done;
}

test.run();
