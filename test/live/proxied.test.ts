import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { act, actorFor, type Actor, isActor } from "../support/actor.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { introduce, type Introduction, makeDevice, outcome } from "../support/hostile/session.ts";
import { endLaunched } from "../support/launch.ts";
import { runCommandOn, startGatewayOn } from "../support/netns-gateway.ts";
import { type Network, openNetwork, expectOk } from "../support/netns.ts";
import { installedProxies, type ProxyKind, startProxy } from "../support/proxies/proxy.ts";

// The gateway and a real proxy on one machine of a network, clients on the other one. A client chooses the address that
// it comes from by the one that it dials: each is in a network of its own.

const token = "a-token-of-this-test";
const userHeader = "X-Auth-User";
const user = "owner@example.com";
const loopbackForgery = {
  "X-Forwarded-For": "127.0.0.1",
  "X-Real-IP": "127.0.0.1",
  Forwarded: "for=127.0.0.1;host=localhost;proto=https",
  "X-Forwarded-Host": "localhost",
  "X-Forwarded-Proto": "https",
} as const;
const tailscaleForgery = {
  "Tailscale-User-Login": user,
  "Tailscale-User-Name": "Owner",
  "X-Forwarded-For": "100.101.102.103",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "near.tail1234.ts.net",
} as const;

const devices = new Map<string, ReturnType<typeof makeDevice>>();

/** A client's wishes as they go over to another process: its device is kept there, under a name. */
type Wish = Omit<Introduction, "device"> & { readonly as?: string };

const acts = {
  /** What came of an introduction, as hostile/session.ts tells it. */
  attempt: (url: string, { as, ...wish }: Wish) => outcome({ url, token }, { ...wish, ...deviceOf(as) }),
  /** A number of wrong tokens at once, then the right one. */
  async guess(url: string, wish: Wish, count: number) {
    const wrong = Array.from({ length: count }, (_, index) => ({ ...wish, auth: { token: `wrong-${index}` } }));
    await Promise.all(wrong.map((each) => outcome({ url, token }, each)));
    return outcome({ url, token }, wish);
  },
  /** The details of the refusal of a device. */
  async refusal(url: string, { as, ...wish }: Wish) {
    const session = await introduce({ url, token }, { ...wish, ...deviceOf(as) });
    await session.leave();
    return session.error?.details ?? session.hello;
  },
  async get(url: string, headers: Readonly<Record<string, string>> = {}) {
    const response = await fetch(url.replace(/^ws/, "http"), { headers });
    return { status: response.status, body: await response.text() };
  },
};

function deviceOf(as: string | undefined): Pick<Introduction, "device"> {
  if (as === undefined) return {};
  const device = devices.get(as) ?? makeDevice();
  devices.set(as, device);
  return { device };
}

async function prove(): Promise<void> {
  process.once("exit", endLaunched);
  const proxies = installedProxies();
  const network = proxies.length === 0 ? { skipped: "needs nginx, HAProxy or Caddy" } : await openNetwork();
  if ("skipped" in network) {
    test("a gateway behind a proxy", () => void process.stdout.write(`skipped: ${network.skipped}\n`));
    test.run();
    return;
  }
  for (const [side, address] of [
    [network.near, "192.168.77.1"],
    [network.far, "192.168.77.2"],
  ] as const)
    await expectOk(side.run(["ip", "address", "add", `${address}/24`, "dev", side.interfaceName]));
  const far = actorFor(acts, network.far);
  const near = actorFor(acts, network.near);
  const places = [
    { name: "on another address", bind: "lan", address: network.near.address4 },
    { name: "on loopback", bind: "loopback", address: "127.0.0.1" },
  ] as const;
  const stage: Stage = { network, far, near };
  for (const kind of proxies) for (const place of places) withToken(stage, kind, place);
  for (const kind of proxies) for (const place of places) withIdentity(stage, kind, place);
  const last = suite("end");
  last("both sides are left", async () => {
    await Promise.all([far.end(), near.end()]);
    await network.close();
  });
  last.run();
}

interface Stage {
  readonly network: Network;
  readonly far: Actor<typeof acts>;
  readonly near: Actor<typeof acts>;
}

interface Place {
  readonly name: string;
  readonly bind: "lan" | "loopback";
  /** Where the proxy finds the gateway, and so the address that the gateway sees of it. */
  readonly address: string;
}

const gatewayPort = 18_789;
const proxyPort = 8080;
const page = { id: "openclaw-tui", mode: "ui", scopes: ["operator.read"] } as const;
const lockedOut = "AUTH_RATE_LIMITED, closed 1008";
const noScopes = "let in with []";
/** Let in as from far away, or not at all where what the client and the proxy say does not go together. */
const neverLocal = /^(let in with \[\]|HTTP 403 proxy_attribution_required)$/;

/** The plain token, with a proxy before it that vouches for nobody. */
function withToken({ network, far, near }: Stage, kind: ProxyKind, place: Place): void {
  const through = { one: `ws://10.77.0.1:${proxyPort}`, other: `ws://192.168.77.1:${proxyPort}` };
  const direct = `ws://${place.bind === "lan" ? "10.77.0.1" : "127.0.0.1"}:${gatewayPort}`;
  // Who reaches the port itself: anybody, or programs of this machine only.
  const stranger = place.bind === "lan" ? far : near;
  const it = suite(`token behind ${kind.name} ${place.name}`);
  let gateway: GatewayProcess | undefined;
  let proxy: { end(): Promise<void> } | undefined;

  it.before(async () => {
    const auth = { mode: "token", token, allowTailscale: true, rateLimit: { exemptLoopback: true } };
    const config = { gateway: { mode: "local", bind: place.bind, auth, trustedProxies: [place.address] } };
    gateway = await startGatewayOn(network.near, { config, args: [], port: gatewayPort });
    proxy = await startProxy(network.near, kind, planFor(place));
  });
  it.after(async () => {
    await proxy?.end();
    await gateway?.stop();
  });

  it("the proxy passes on probes, without what is for this machine only", async () => {
    assert.equal(await far.get(`${through.one}/health`), { status: 200, body: '{"ok":true,"status":"live"}' });
    assert.equal(await far.get(`${through.one}/readyz`), { status: 200, body: '{"ready":true}' });
    assert.is((await far.get(`${through.one}/readyz`, loopbackForgery)).body, '{"ready":true}');
    assert.equal(await near.get(`ws://127.0.0.1:${proxyPort}/readyz`), { status: 200, body: '{"ready":true}' });
  });

  it("a device that comes through the proxy waits for the owner, and then is let in", async () => {
    const asked = await far.refusal(through.one, { ...page, as: "phone" });
    assert.is(asked.code, "PAIRING_REQUIRED");
    const { pending } = JSON.parse(await owner("devices", "list", "--json"));
    const request = pending.find(({ requestId }: { requestId: string }) => requestId === asked.requestId);
    assert.is(request?.remoteIp, "10.77.0.2");
    await owner("devices", "approve", asked.requestId);
    assert.is(await far.attempt(through.one, { ...page, as: "phone" }), "let in with [operator.read]");
  });

  it("threat J: nobody becomes local through the proxy, whatever address he claims or has", async () => {
    const appended = { "X-Forwarded-For": loopbackForgery["X-Forwarded-For"] };
    assert.is(await far.attempt(through.one, {}), noScopes);
    assert.is(await far.attempt(through.one, { headers: appended }), noScopes);
    for (const [name, value] of Object.entries(loopbackForgery))
      assert.match(await far.attempt(through.one, { headers: { [name]: value } }), neverLocal, name);
    assert.match(await far.attempt(through.one, { headers: loopbackForgery }), neverLocal);
    assert.is(await near.attempt(`ws://127.0.0.1:${proxyPort}`, {}), noScopes);
    assert.is(await near.attempt(`ws://[::1]:${proxyPort}`, {}), noScopes);
    const asked = await far.refusal(through.one, { ...page, as: "forger", headers: appended });
    assert.is(asked.code, "PAIRING_REQUIRED");
    const { pending } = JSON.parse(await owner("devices", "list", "--json"));
    const request = pending.find(({ requestId }: { requestId: string }) => requestId === asked.requestId);
    assert.is(request?.remoteIp, "10.77.0.2");
  });

  it("threat J: nobody who reaches the port itself is believed a forwarding header", async () => {
    for (const [name, value] of Object.entries(loopbackForgery)) {
      const seen = await stranger.attempt(direct, { headers: { [name]: value } });
      // On this machine the proxy's address is everybody's: what such a header brings, is to count as further away.
      if (place.bind === "lan") assert.is(seen, "HTTP 403 proxy_attribution_required", name);
      else assert.match(seen, neverLocal, name);
    }
  });

  it("threat J: Tailscale's headers are no proof from a peer that is not Tailscale", async () => {
    for (const [client, url] of [
      [far, through.one],
      [stranger, direct],
    ] as const) {
      const identity = { "Tailscale-User-Login": user };
      for (const headers of [identity, tailscaleForgery])
        assert.match(await client.attempt(url, { headers, auth: {} }), /^(HTTP 403|.* closed 1008)/);
      assert.match(
        await client.attempt(url, { ...page, as: "no-node", headers: tailscaleForgery, auth: {} }),
        /^(HTTP 403|AUTH_\w+, closed 1008)/,
      );
    }
  });

  it("threat B: a page comes in under the proxy's own name only", async () => {
    const host = `10.77.0.1:${proxyPort}`;
    const own = { ...page, as: "page", id: "openclaw-control-ui", mode: "webchat" };
    assert.is(
      await far.attempt(through.one, { ...own, headers: { Origin: `http://${host}` } }),
      "PAIRING_REQUIRED, closed 1008",
    );
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: "http://localhost:3000" },
      { Origin: "https://evil.example", "X-Forwarded-Host": "evil.example" },
      { Origin: "http://evil.example:8080", Host: "evil.example:8080" },
    ])
      assert.is(await far.attempt(through.one, { ...own, headers }), "HTTP 403 origin_not_allowed", headers.Origin);
    if (place.bind === "loopback")
      assert.is(await near.attempt(direct, { headers: { Host: "evil.example" } }), "HTTP 403 host_not_allowed");
  });

  it("threat I: who guesses is locked out behind the proxy, and nobody else", async () => {
    assert.is(await far.guess(through.one, {}, 20), lockedOut);
    assert.is(await far.attempt(through.one, { headers: { "X-Forwarded-For": "203.0.113.9" } }), lockedOut);
    assert.is(await far.attempt(through.other, {}), noScopes);
    if (place.bind === "lan") assert.is(await far.attempt(direct, {}), lockedOut);
    assert.is(await near.attempt(`ws://127.0.0.1:${gatewayPort}`, {}), "let in with [operator.admin]");
  });

  it("threat I: this machine's own address brings no exemption to who guesses through the proxy", async () => {
    assert.is(await near.guess(`ws://127.0.0.1:${proxyPort}`, {}, 20), lockedOut);
    assert.is(await near.attempt(`ws://127.0.0.1:${gatewayPort}`, {}), "let in with [operator.admin]");
  });

  async function owner(...args: readonly string[]): Promise<string> {
    return expectOk(runCommandOn(network.near, args, gateway?.home ?? ""));
  }

  it.run();
}

/** The proxy knows the user, and says who it is. */
function withIdentity({ network, far, near }: Stage, kind: ProxyKind, place: Place): void {
  const through = `ws://10.77.0.1:${proxyPort}`;
  const it = suite(`trusted-proxy behind ${kind.name} ${place.name}`);
  let gateway: GatewayProcess | undefined;
  let proxy: { end(): Promise<void> } | undefined;

  it.before(async () => {
    const trustedProxy = { userHeader, ...(place.bind === "loopback" ? { allowLoopback: true } : {}) };
    // Listed, but without allowLoopback it counts for nothing.
    const trustedProxies = [...new Set([place.address, "127.0.0.1"])];
    const auth = { mode: "trusted-proxy", trustedProxy, password: "a-password-of-the-owner" };
    const config = { gateway: { mode: "local", bind: place.bind, auth, trustedProxies } };
    gateway = await startGatewayOn(network.near, { config, args: [], port: gatewayPort });
    proxy = await startProxy(network.near, kind, planFor(place));
  });
  it.after(async () => {
    await proxy?.end();
    await gateway?.stop();
  });

  it("who the proxy vouches for needs no secret, gets no scopes without a device, and pairs with one that the owner approves", async () => {
    assert.is(await far.attempt(through, { auth: {} }), noScopes);
    const asked = await far.refusal(through, { ...page, as: "known", auth: {} });
    assert.is(asked.code, "PAIRING_REQUIRED");
    await expectOk(runCommandOn(network.near, ["devices", "approve", asked.requestId], gateway?.home ?? ""));
    assert.is(await far.attempt(through, { ...page, as: "known", auth: {} }), "let in with [operator.read]");
    assert.is((await far.get(`${through}/health`)).status, 200);
  });

  it("threat J: nobody becomes local by what the proxy passes on", async () => {
    assert.match(await far.attempt(through, { auth: {}, headers: loopbackForgery }), neverLocal);
    assert.is(await near.attempt(`ws://127.0.0.1:${proxyPort}`, { auth: {} }), noScopes);
  });

  it("threat J: the user's header counts from the proxy only", async () => {
    const identity = { [userHeader]: user };
    if (place.bind === "lan") {
      const direct = `ws://10.77.0.1:${gatewayPort}`;
      for (const auth of [{}, { token }])
        assert.match(await far.attempt(direct, { auth, headers: identity }), refusedIdentity);
      for (const [name, value] of Object.entries(loopbackForgery))
        assert.is(
          await far.attempt(direct, { auth: {}, headers: { ...identity, [name]: value } }),
          "HTTP 403 proxy_attribution_required",
          name,
        );
      // A program of the gateway's machine, which is listed as a proxy but not allowed to be one there.
      const forged = { ...identity, ...loopbackForgery };
      const seen = await near.attempt(`ws://127.0.0.1:${gatewayPort}`, { auth: {}, headers: forged });
      assert.match(seen, /^HTTP 403|closed 1008$/);
    }
    assert.match(await near.attempt(`ws://127.0.0.1:${gatewayPort}`, { auth: {}, headers: identity }), refusedIdentity);
  });

  it("threat B: a page of a stranger is refused, though the proxy vouches for its reader", async () => {
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "http://evil.example:8080", Host: "evil.example:8080" },
    ])
      assert.is(await far.attempt(through, { auth: {}, headers }), "HTTP 403 origin_not_allowed");
  });

  it.run();
}

const refusedIdentity = /^(DEVICE_IDENTITY_REQUIRED|AUTH_\w+), closed 1008$/;

function planFor(place: Place) {
  return { port: proxyPort, upstream: `${place.address}:${gatewayPort}`, userHeader, user };
}

if (isActor) await act(acts);
else await prove();
