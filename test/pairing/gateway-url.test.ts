import { test } from "uvu";
import * as assert from "uvu/assert";
import { chooseGatewayUrl, type UrlFacts } from "../../src/pairing/gateway-url.ts";

const interfaces: UrlFacts["interfaces"] = [
  { name: "lo", address: "127.0.0.1", family: 4, internal: true },
  { name: "wan0", address: "203.0.113.7", family: 4, internal: false },
  { name: "eth0", address: "192.168.1.20", family: 4, internal: false },
  { name: "tailscale0", address: "100.101.1.2", family: 4, internal: false },
];

function choose(more: Partial<UrlFacts>): string {
  const facts = { bind: "loopback", port: 18_789, tls: false, interfaces, ...more };
  try {
    const { url, source } = chooseGatewayUrl(facts);
    return `${url} ${source}`;
  } catch (error) {
    return String(error);
  }
}

const chosen: readonly (readonly [facts: Partial<UrlFacts>, expected: string | RegExp])[] = [
  [{}, /Gateway is only bound to loopback\. Set gateway\.bind=lan, enable tailscale serve, or /],
  [{ bind: "lan" }, "ws://192.168.1.20:18789 gateway.bind=lan"],
  [{ bind: "auto" }, "ws://192.168.1.20:18789 gateway.bind=auto"],
  [{ bind: "lan", tls: true }, "wss://192.168.1.20:18789 gateway.bind=lan"],
  [{ bind: "custom", customBindHost: "10.1.2.3" }, "ws://10.1.2.3:18789 gateway.bind=custom"],
  [{ bind: "custom", customBindHost: "0.0.0.0" }, "ws://192.168.1.20:18789 gateway.bind=custom"],
  [{ bind: "custom", customBindHost: "fd00::1" }, "ws://[fd00::1]:18789 gateway.bind=custom"],
  [{ bind: "tailnet", tls: true }, "wss://100.101.1.2:18789 gateway.bind=tailnet"],
  [{ bind: "tailnet" }, /use wss:\/\//],
  [{ bind: "custom", customBindHost: "203.0.113.7" }, /use wss:\/\//],
  [{ bind: "lan", interfaces: [] }, /only bound to loopback/],
  [{ tailscaleUrl: "https://host.tail1.ts.net/" }, "wss://host.tail1.ts.net gateway.tailscale.mode"],
  [
    { publicOrigin: "https://claw.example", tailscaleUrl: "https://host.tail1.ts.net/" },
    "wss://claw.example gateway.publicOrigin",
  ],
  [
    { remoteUrl: "wss://far.example:444", publicOrigin: "https://claw.example" },
    "wss://far.example:444 gateway.remote.url",
  ],
  [{ publicUrl: "https://given.example/ui/", remoteUrl: "wss://far.example" }, "wss://given.example/ui publicUrl"],
  [{ publicUrl: "ws://127.0.0.1:18711" }, "ws://127.0.0.1:18711 publicUrl"],
  [{ publicUrl: "ws://claw.local:18789?x=1#y" }, "ws://claw.local:18789 publicUrl"],
  [{ publicUrl: "http://given.example" }, /ws:\/\/given\.example .*use wss:\/\//],
  [{ publicUrl: "ftp://given.example" }, /publicUrl is no gateway URL/],
  [{ publicUrl: "wss://me:secret@given.example" }, /publicUrl is no gateway URL/],
  [{ publicUrl: `wss://gateway.example/${"x".repeat(512)}` }, /publicUrl is no gateway URL/],
  [{ publicUrl: "gateway" }, /publicUrl is no gateway URL/],
  [{ publicUrl: "ws://10.0.0.1.evil.example" }, /use wss:\/\//],
];
for (const [facts, expected] of chosen) {
  const { interfaces: _, ...shown } = facts;
  test(`${JSON.stringify(shown)}: ${String(expected)}`, () => {
    if (typeof expected === "string") assert.is(choose(facts), expected);
    else assert.match(choose(facts), expected);
  });
}

test("a credential in a URL is not repeated by the refusal", () => {
  assert.not.match(choose({ publicUrl: "wss://me:secret@given.example" }), "secret");
});

test.run();
