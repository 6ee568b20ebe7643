import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LogRecord } from "../../src/kit/log.ts";
import { loadIdentity } from "../../src/pairing/identity.ts";
import { signedText } from "../../src/protocol/signature.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { connectFrame, openWithoutPort, type Frame, type NoPort } from "../support/no-port.ts";

type Headers = Readonly<Record<string, string>>;

const token = "0123456789abcdef01234567";
const wrong = { auth: { token: "wrong" } };

const gateway = (more: object) => ({ gateway: { mode: "local", auth: { mode: "token", token }, ...more } });

// Who may come through a proxy.

const proxied = gateway({ trustedProxies: ["10.0.0.1", "fd00::/8"] });
const vouching = (more: object = {}) =>
  gateway({
    bind: "auto",
    auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "X-User", ...more } },
    trustedProxies: ["10.0.0.1", "127.0.0.1"],
  });

test("threat J a proxied client with the token is remote, whatever address it wears", async () => {
  const at = await openWithoutPort({ config: proxied });
  for (const client of ["203.0.113.9", "127.0.0.1", "::1"]) {
    const headers = { "x-forwarded-for": client };
    const hello = await connect(at, {
      headers,
      peer: "10.0.0.1",
      frame: { auth: { token }, scopes: ["operator.read"] },
    });
    assert.equal(hello.payload?.auth?.scopes, [], client);
  }
});

test("threat J a page behind a trusted proxy is judged by the host that the proxy was asked for", async () => {
  const at = await openWithoutPort({ config: proxied });
  const status = async (origin: string, headers: Headers, peer: string) =>
    (await at.upgrade({ origin, host: "10.0.0.5:18789", ...headers }, peer)).response.status;
  const forwarded = { "x-forwarded-for": "192.168.1.7", "x-forwarded-host": "192.168.1.2:8443" };
  assert.is(await status("https://192.168.1.2:8443", forwarded, "10.0.0.1"), 200);
  assert.is(await status("https://192.168.1.9:8443", forwarded, "10.0.0.1"), 403);
  assert.is(
    await status("https://evil.example", { ...forwarded, "x-forwarded-host": "evil.example" }, "10.0.0.1"),
    403,
  );
  const rfc = { forwarded: 'for=192.168.1.7;host="192.168.1.2:8443"' };
  assert.is(await status("https://192.168.1.2:8443", rfc, "fd00::1"), 200);
});

test("headers from an untrusted address are told to the log once, not per request", async () => {
  const records: LogRecord[] = [];
  const at = await openWithoutPort({ records });
  for (let turn = 0; turn < 5; turn++) await at.upgrade({ "x-forwarded-for": "203.0.113.9" }, "192.168.1.20");
  const told = records.filter(({ message }) =>
    message.startsWith(
      "Proxy headers detected from untrusted address. Connection will not be treated as local. Configure gateway.trustedProxies",
    ),
  );
  assert.is(told.length, 1);
});

test("auth mode trusted-proxy lets in whom the proxy names, and without a device gives no scope", async () => {
  const at = await openWithoutPort({ config: vouching() });
  const headers = { "x-forwarded-for": "203.0.113.9", "x-user": "ada@example.com" };
  const hello = await connect(at, { headers, peer: "10.0.0.1" });
  assert.ok(hello.ok, JSON.stringify(hello));
  assert.equal(hello.payload.auth.scopes, []);
});

for (const [what, more, headers, details] of [
  ["no user", {}, {}, { code: "AUTH_IDENTITY_HEADER_REQUIRED", authReason: "trusted_proxy_missing_header_x-user" }],
  [
    "a header that is required missing",
    { requiredHeaders: ["X-Proof"] },
    { "x-user": "ada" },
    { code: "AUTH_IDENTITY_HEADER_REQUIRED", authReason: "trusted_proxy_missing_header_x-proof" },
  ],
  [
    "a user who is not allowed",
    { allowUsers: ["ada"] },
    { "x-user": "Ada" },
    { code: "AUTH_UNAUTHORIZED", authReason: "trusted_proxy_user_not_allowed" },
  ],
  [
    "two users, of whom a client wrote one",
    { allowUsers: ["ada"] },
    { "x-user": "ada, eve" },
    { code: "AUTH_UNAUTHORIZED", authReason: "trusted_proxy_user_not_allowed" },
  ],
] as const)
  test(`threat J auth mode trusted-proxy refuses ${what}`, async () => {
    const at = await openWithoutPort({ config: vouching(more) });
    const answer = await connect(at, { headers: { "x-forwarded-for": "203.0.113.9", ...headers }, peer: "10.0.0.1" });
    const { code, authReason } = answer.error.details;
    assert.equal({ code, authReason }, details);
    assert.match(answer.error.message, /^unauthorized/);
  });

test("threat J a proxy on this machine is believed about the user only with allowLoopback", async () => {
  const headers = { "x-forwarded-for": "203.0.113.9", "x-user": "ada" };
  const strict = await connect(await openWithoutPort({ config: vouching() }), { headers });
  assert.not.ok(strict.ok);
  const loose = await connect(await openWithoutPort({ config: vouching({ allowLoopback: true }) }), { headers });
  assert.ok(loose.ok, JSON.stringify(loose));
});

test("threat J a user header from somebody who is no proxy is nobody's", async () => {
  const at = await openWithoutPort({ config: vouching({ allowLoopback: true }) });
  for (const peer of ["127.0.0.1", "192.168.1.20"]) {
    const answer = await connect(at, { headers: { "x-user": "ada" }, peer });
    assert.is(answer.error.details.code, "DEVICE_IDENTITY_REQUIRED", peer);
  }
});

test("threat E who is taken from allowUsers is cut at once", async () => {
  const at = await openWithoutPort({ config: vouching({ allowUsers: ["ada"] }) });
  const { client } = await at.upgrade({ "x-forwarded-for": "203.0.113.9", "x-user": "ada" }, "10.0.0.1");
  if (!client) throw new Error("refused");
  client.send(connectFrame({ scopes: [] }));
  assert.ok((await client.answer("c")).ok);
  at.config.become(vouching({ allowUsers: ["bob"] }), {}, ["gateway.auth.trustedProxy.allowUsers"]);
  assert.is(client.closed?.code, 4001);
});

test("threat J with a trusted proxy the password counts for this machine's own commands, and for nobody else", async () => {
  const password = "a password of the owner";
  const config = vouching();
  Object.assign(config.gateway.auth, { password });
  const frame = {
    client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
    auth: { password },
    scopes: ["operator.admin"],
  };
  const here = await connect(await openWithoutPort({ config }), { frame });
  assert.equal(here.payload?.auth?.scopes, ["operator.admin"]);
  const proxy = { "x-forwarded-for": "203.0.113.9" };
  for (const [what, from] of [
    ["another machine", { peer: "192.168.1.20" }],
    ["through the proxy", { peer: "10.0.0.1", headers: proxy }],
    ["a page on this machine", { headers: { origin: "http://127.0.0.1:18789" } }],
  ] as const)
    assert.not.ok((await connect(await openWithoutPort({ config }), { frame, ...from })).ok, what);
  const wrongOne = await connect(await openWithoutPort({ config }), {
    frame: { ...frame, auth: { password: "guess" } },
  });
  assert.not.ok(wrongOne.ok);
});

// Who may come through Tailscale.

const served = {
  "x-forwarded-for": "100.101.102.103",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "box.tail1234.ts.net",
};
const ada = { ...served, "tailscale-user-login": "Ada@example.com" };
const knowsAda = async (address: string) =>
  address === "100.101.102.103" ? { login: "ada@example.com", name: "Ada" } : undefined;
const serving = (auth: object = { mode: "token", token }) => gateway({ auth, tailscale: { mode: "serve" } });

test("SC-102 with serve, Tailscale's identity is a proof of its own, and its user a remote device that must pair", async () => {
  const at = await openWithoutPort({ config: serving(), whois: knowsAda });
  const plain = await connect(at, { headers: ada, frame: { scopes: ["operator.admin"] } });
  assert.equal([plain.ok, plain.payload.auth.scopes], [true, []]);
  const device = await connect(at, { headers: ada, device: true });
  assert.equal([device.error.code, device.error.details.code], ["NOT_PAIRED", "PAIRING_REQUIRED"]);
});

test("SC-103 with serve, the token or password still lets in, without any identity", async () => {
  const byToken = await openWithoutPort({ config: serving() });
  assert.ok((await connect(byToken, { headers: served, frame: { auth: { token } } })).ok);
  const byPassword = await openWithoutPort({ config: serving({ mode: "password", password: token }), whois: knowsAda });
  assert.ok((await connect(byPassword, { headers: ada, frame: { auth: { password: token } } })).ok);
  assert.not.ok((await connect(byPassword, { headers: ada })).ok, "a password says that it is what counts");
});

test("SC-102 the web page under the MagicDNS name may connect, others may not", async () => {
  const at = await openWithoutPort({ config: serving(), whois: knowsAda });
  const status = async (origin: string) => (await at.upgrade({ ...ada, origin })).response.status;
  assert.is(await status("https://box.tail1234.ts.net"), 200);
  assert.is(await status("https://evil.tail9.ts.net"), 403);
});

for (const [what, headers, code] of [
  ["of another user", { ...ada, "tailscale-user-login": "eve@example.com" }, "AUTH_TAILSCALE_IDENTITY_MISMATCH"],
  ["from an address that nobody has", { ...ada, "x-forwarded-for": "100.101.102.104" }, "AUTH_TAILSCALE_WHOIS_FAILED"],
] as const)
  test(`threat J an identity ${what} is refused`, async () => {
    const at = await openWithoutPort({ config: serving(), whois: knowsAda });
    assert.is((await connect(at, { headers })).error.details.code, code);
  });

test("threat J an identity that nobody can confirm is refused", async () => {
  const at = await openWithoutPort({ config: serving() });
  assert.is((await connect(at, { headers: ada })).error.details.code, "AUTH_TAILSCALE_WHOIS_FAILED");
});

test("threat J without auth, who comes through serve must be somebody", async () => {
  const at = await openWithoutPort({ config: serving({ mode: "none" }), whois: knowsAda });
  assert.is(
    (await connect(at, { headers: served, device: true })).error.details.code,
    "AUTH_TAILSCALE_IDENTITY_MISSING",
  );
  assert.is((await connect(at, { headers: ada, device: true })).error.details.code, "PAIRING_REQUIRED");
});

test("threat J Tailscale's headers from another machine, or without serve, open nothing", async () => {
  const at = await openWithoutPort({ config: serving(), whois: knowsAda });
  for (const peer of ["192.168.1.20", "100.101.102.103"])
    assert.is((await at.upgrade(ada, peer)).response.status, 403, peer);
  assert.is((await at.upgrade({ ...ada, "x-forwarded-for": "203.0.113.9" })).response.status, 403);
  const off = await openWithoutPort({ config: gateway({}), whois: knowsAda });
  assert.is((await off.upgrade(ada)).response.status, 403);
  assert.is(
    (await connect(off, { headers: { "tailscale-user-login": "ada@example.com" } })).error.details.code,
    "DEVICE_IDENTITY_REQUIRED",
  );
});

test("threat J funnel carries no identity: the password alone lets in", async () => {
  const config = gateway({
    auth: { mode: "password", password: token, allowTailscale: true },
    tailscale: { mode: "funnel" },
  });
  const at = await openWithoutPort({ config, whois: knowsAda });
  assert.not.ok((await connect(at, { headers: ada })).ok);
  const internet = { ...served, "x-forwarded-for": "203.0.113.9" };
  assert.ok((await connect(at, { headers: internet, frame: { auth: { password: token } } })).ok);
});

// One limiter for every door.

const limited = gateway({
  trustedProxies: ["10.0.0.1"],
  bind: "auto",
  auth: { mode: "token", token, rateLimit: { maxAttempts: 3 } },
});

test("threat I the same attacker has one budget over WebSockets and HTTP, in every spelling, direct and proxied", async () => {
  const at = await openWithoutPort({ config: limited });
  await connect(at, { peer: "203.0.113.9", frame: wrong });
  await connect(at, { peer: "::ffff:203.0.113.9", frame: wrong });
  const http = { headers: { authorization: "Bearer wrong", host: "gw" } };
  assert.is((await at.request("/ready", http, "::FFFF:cb00:7109")).status, 401);
  const answer = await connect(at, {
    headers: { "x-forwarded-for": "127.0.0.1, 203.0.113.9" },
    peer: "10.0.0.1",
    frame: { auth: { token } },
  });
  assert.is(answer.error.details.code, "AUTH_RATE_LIMITED");
  const refusal = await at.request(
    "/ready",
    { headers: { authorization: `Bearer ${token}`, host: "gw" } },
    "203.0.113.9",
  );
  assert.equal(
    [refusal.status, await refusal.json()],
    [
      429,
      { error: { message: "Too many failed authentication attempts. Please try again later.", type: "rate_limited" } },
    ],
  );
  assert.is(refusal.headers.get("retry-after"), "300");
  assert.ok((await connect(at, { peer: "203.0.113.10", frame: { auth: { token } } })).ok, "others are not affected");
});

test("threat I neighbours of one /64 have one budget", async () => {
  const at = await openWithoutPort({ config: limited });
  for (const peer of ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3", "2001:db8::4"])
    await connect(at, { peer, frame: wrong });
  const code = async (peer: string) => (await connect(at, { peer, frame: wrong })).error.details.code;
  assert.is(await code("2001:db8::5"), "AUTH_RATE_LIMITED");
  assert.is(await code("2001:db8:0:1::5"), "AUTH_TOKEN_MISMATCH");
});

test("threat I a name that Tailscale or the proxy's list denies is a failed attempt of the forwarded address", async () => {
  const rateLimit = { maxAttempts: 2 };
  const tailnet = await openWithoutPort({ config: serving({ mode: "token", token, rateLimit }), whois: knowsAda });
  const eve = { ...ada, "tailscale-user-login": "eve@example.com" };
  for (let turn = 0; turn < 2; turn++) await connect(tailnet, { headers: eve });
  assert.is((await connect(tailnet, { headers: ada })).error.details.code, "AUTH_RATE_LIMITED");
  assert.ok((await connect(tailnet, { frame: { auth: { token } } })).ok, "this machine is another address");

  const config = vouching({ allowUsers: ["ada"] });
  const proxy = await openWithoutPort({
    config: { gateway: { ...config.gateway, auth: { ...config.gateway.auth, rateLimit } } },
  });
  const from = { "x-forwarded-for": "203.0.113.9" };
  for (let turn = 0; turn < 2; turn++)
    await connect(proxy, { headers: { ...from, "x-user": "eve" }, peer: "10.0.0.1" });
  const answer = await connect(proxy, { headers: { ...from, "x-user": "ada" }, peer: "10.0.0.1" });
  assert.is(answer.error.details.code, "AUTH_RATE_LIMITED");
});

test("threat I a proxied client that wears loopback is not exempt with it", async () => {
  const rateLimit = { maxAttempts: 2, exemptLoopback: true };
  const at = await openWithoutPort({
    config: gateway({ trustedProxies: ["10.0.0.1"], auth: { mode: "token", token, rateLimit } }),
  });
  const forged = { headers: { "x-forwarded-for": "127.0.0.1" }, peer: "10.0.0.1", frame: wrong };
  for (let turn = 0; turn < 3; turn++) await connect(at, forged);
  assert.is((await connect(at, forged)).error.details.code, "AUTH_RATE_LIMITED");
  for (let turn = 0; turn < 5; turn++) await connect(at, { frame: wrong });
  assert.ok((await connect(at, { frame: { auth: { token } } })).ok);
});

test("readiness tells the parts to who has the token, from wherever", async () => {
  const at = await openWithoutPort({ config: proxied });
  const ask = (authorization: string | undefined, headers: Headers = {}) =>
    at.request(
      "/ready",
      { headers: { host: "gw", ...(authorization ? { authorization } : {}), ...headers } },
      "192.168.1.20",
    );
  assert.equal(await (await ask(undefined)).json(), { ready: true });
  assert.equal(await (await ask("Basic cm9vdDpyb290")).json(), { ready: true });
  assert.equal(Object.keys((await (await ask(`bearer ${token}`)).json()) as object), [
    "ready",
    "failing",
    "uptimeMs",
    "parts",
  ]);
  const refused = await ask("Bearer wrong");
  assert.equal(
    [refused.status, await refused.json()],
    [401, { error: { message: "Unauthorized", type: "unauthorized" } }],
  );
  assert.is((await ask(`Bearer ${token}`, { "x-forwarded-for": "127.0.0.1" })).status, 403);
});

test("threat J Tailscale's identity is for people at a page, not for HTTP", async () => {
  const at = await openWithoutPort({ config: serving(), whois: knowsAda });
  const response = await at.request("/ready", { headers: { ...ada, authorization: "Bearer " } });
  assert.is(response.status, 401);
});

interface Attempt {
  readonly headers?: Headers;
  readonly peer?: string;
  readonly frame?: Frame;
  /** With a new device's key. */
  readonly device?: boolean;
}

/** Opens a socket as a command-line client does, says connect, and answers what comes back. */
async function connect(at: NoPort, { headers = {}, peer, frame = {}, device = false }: Attempt): Promise<Frame> {
  const { client, response } = await at.upgrade(headers, peer);
  if (!client) throw new Error(`refused: ${await response.text()}`);
  const { nonce } = client.frames[0].payload;
  const asked = connectFrame({ scopes: ["operator.read"], ...frame });
  if (device) asked.params.device = await deviceProof(at, asked.params, nonce);
  client.send(asked);
  return client.answer("c");
}

async function deviceProof(at: NoPort, params: Frame, nonce: string): Promise<Frame> {
  const identity = await loadIdentity(createMemoryStore());
  const { deviceId, publicKey } = identity;
  const signedAt = at.host.clock.now();
  const { client } = params;
  const text = signedText(3, {
    deviceId,
    clientId: client.id,
    clientMode: client.mode,
    role: "operator",
    scopes: params.scopes,
    signedAt,
    token: params.auth?.token ?? "",
    nonce,
    platform: client.platform,
    deviceFamily: "",
  });
  return { id: deviceId, publicKey, signature: await identity.sign(text), signedAt, nonce };
}

test.run();
