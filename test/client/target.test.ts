import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  isInTheClear,
  isLoopback,
  remoteTarget,
  resolveTarget,
  targetLines,
  tunnelTarget,
  type TargetFacts,
} from "../../src/client/target.ts";

const facts = (over: Partial<TargetFacts>): TargetFacts => ({
  flags: {},
  env: {},
  settings: { remote: {} },
  configPath: "/c.json",
  ...over,
});
const remote = { url: "wss://far.example", token: "remote-token", fingerprint: "ab".repeat(32) };

test("without any wish it is port 18789 of this machine", () => {
  const target = resolveTarget(facts({}));
  assert.equal([target.url, target.source, target.bind], ["ws://127.0.0.1:18789", "local loopback", "loopback"]);
});

test("the port is that of the environment, then the configuration, then of the gateway that runs", () => {
  const running = { url: "ws://127.0.0.1:19001" };
  assert.is(resolveTarget(facts({ running })).url, running.url);
  const settings = { port: 5000, remote: {} };
  assert.is(resolveTarget(facts({ running, settings })).url, "ws://127.0.0.1:5000");
  assert.is(resolveTarget(facts({ running, settings, env: { port: 6000 } })).url, "ws://127.0.0.1:6000");
});

test("credentials come from one source: flag, environment, configuration", () => {
  const settings = { token: "c", password: "cp", remote: {} };
  assert.equal(resolveTarget(facts({ settings })).credentials, { token: "c", password: "cp" });
  assert.equal(resolveTarget(facts({ settings, env: { password: "e" } })).credentials, {
    token: undefined,
    password: "e",
  });
  const flags = { token: "f" };
  assert.equal(resolveTarget(facts({ settings, env: { password: "e" }, flags })).credentials.token, "f");
});

test("SC-185 with --url neither configuration nor environment gives credentials", () => {
  const settings = { token: "secret", remote };
  const target = resolveTarget(facts({ settings, env: { token: "env" }, flags: { url: "ws://10.0.0.9:1" } }));
  assert.equal(target.credentials, { token: undefined, password: undefined });
  assert.is(target.source, "cli --url");
});

test("SC-190 flags given for --url are not sent to the configured remote", () => {
  const target = remoteTarget(facts({ settings: { remote }, flags: { url: "ws://10.0.0.9:1", token: "f" } }));
  assert.is(target?.credentials.token, "remote-token");
});

test("mode remote takes the configured remote with its fingerprint, and says when there is none", () => {
  const target = resolveTarget(facts({ settings: { mode: "remote", token: "local", remote } }));
  assert.equal(
    [target.url, target.credentials.token, target.fingerprint],
    [remote.url, "remote-token", "ab".repeat(32)],
  );
  assert.throws(
    () => resolveTarget(facts({ settings: { mode: "remote", remote: {} } })),
    /gateway\.remote\.url is not set/,
  );
});

test("cli.md 2.4 tls: the own gateway is pinned to the certificate that it says it shows, else to the file's", () => {
  const [served, written] = ["aa".repeat(32), "bb".repeat(32)];
  const settings = { tls: true, fingerprint: written, remote: {} };
  const running = { url: "wss://127.0.0.1:18789", fingerprint: served };
  assert.is(resolveTarget(facts({ settings, running })).fingerprint, served);
  const target = resolveTarget(facts({ settings }));
  assert.equal([target.url, target.fingerprint], ["wss://127.0.0.1:18789", written]);
  const elsewhere = { ...settings, port: 5000 };
  assert.is(resolveTarget(facts({ settings: elsewhere, running })).fingerprint, written);
});

test("threat A: --tls-fingerprint pins the named gateway in every usual spelling, and nothing else passes for one", () => {
  const hex = "8f".repeat(32);
  const flags = { url: "wss://far.example" };
  const colons = hex.toUpperCase().match(/../g)?.join(":") ?? "";
  for (const fingerprint of [hex, colons, `sha256:${hex}`, `SHA-256 ${colons}`, ` sha256 Fingerprint=${colons}`])
    assert.is(resolveTarget(facts({ flags: { ...flags, fingerprint } })).fingerprint, hex, fingerprint);
  for (const fingerprint of ["", "8f", `${hex}8f`, `md5:${hex}`, `8:f${hex.slice(2)}`, `${hex.slice(1)}g`])
    assert.throws(() => resolveTarget(facts({ flags: { ...flags, fingerprint } })), /not a SHA-256 fingerprint/);
});

test("threat A: a pin for a connection without a certificate is refused, not dropped", () => {
  const fingerprint = "8f".repeat(32);
  const flags = { url: "ws://10.0.0.9:1", fingerprint };
  assert.throws(() => resolveTarget(facts({ flags })), /--tls-fingerprint needs a wss:\/\/ URL/);
  assert.throws(() => resolveTarget(facts({ flags: { fingerprint } })), /needs a wss:\/\/ URL/);
  const plain = { mode: "remote", remote: { url: "ws://10.0.0.9:1", fingerprint } };
  assert.throws(() => resolveTarget(facts({ settings: plain })), /gateway\.remote\.tlsFingerprint needs/);
});

test("what goes to this machine, a tailnet or over TLS is not in the clear", () => {
  for (const host of [
    "127.0.0.1",
    "[::1]",
    "localhost",
    "100.64.0.1",
    "100.127.9.9",
    "[fd7a:115c:a1e0::7]",
    "a.tail1.ts.net",
  ])
    assert.not.ok(isInTheClear(`ws://${host}:18789`), host);
  assert.not.ok(isInTheClear("wss://192.168.1.5"));
  for (const host of ["192.168.1.5", "100.128.0.1", "100.63.0.1", "far.example", "ts.net.far.example"])
    assert.ok(isInTheClear(`ws://${host}`), host);
});

test("threat A: what is kept for the gateway of this machine never goes to the remote, and the other way", () => {
  const settings = { mode: "remote", token: "local", remote: { url: remote.url } };
  const service = { token: "service" };
  assert.is(resolveTarget(facts({ settings, service })).credentials.token, undefined);
  assert.is(resolveTarget(facts({ settings: { token: "local", remote }, service })).credentials.token, "service");
});

test("the environment speaks of the gateway that commands talk to, after what is configured for the remote one", () => {
  const env = { token: "env" };
  const bare = { url: remote.url };
  assert.is(resolveTarget(facts({ env, settings: { mode: "remote", remote } })).credentials.token, "remote-token");
  assert.is(resolveTarget(facts({ env, settings: { mode: "remote", remote: bare } })).credentials.token, "env");
  assert.is(remoteTarget(facts({ env, settings: { mode: "local", remote: bare } }))?.credentials.token, undefined);
});

test("through a tunnel goes what belongs to the gateway at its end, and nothing to one that announced itself", () => {
  const given = facts({ settings: { mode: "remote", token: "local", remote }, env: { token: "env" } });
  const through = (leadsTo: "remote" | "named" | "announced", flags = {}) =>
    tunnelTarget({ ...given, flags }, { localPort: 5, leadsTo }).credentials.token;
  assert.equal([through("remote"), through("named"), through("announced")], ["remote-token", undefined, undefined]);
  assert.equal([through("named", { token: "f" }), through("announced", { token: "f" })], ["f", undefined]);
});

test("threat A: the certificate for the gateway of this machine is shown to that one alone, and over TLS", () => {
  const certificate = { cert: "c", key: "k" };
  const shown = (given: Parameters<typeof facts>[0]) => resolveTarget(facts({ certificate, ...given })).certificate;
  assert.is(shown({ settings: { tls: true, remote: {} } }), certificate);
  assert.is(shown({ settings: { remote: {} } }), undefined);
  assert.is(shown({ flags: { url: "wss://127.0.0.1:18789" } }), undefined);
  assert.is(shown({ settings: { mode: "remote", tls: true, remote: { url: "wss://far.example" } } }), undefined);
});

test("bind tailnet is asked at its tailnet address", () => {
  const settings = { bind: "tailnet", remote: {} };
  assert.is(resolveTarget(facts({ settings, tailnetAddress: "100.64.0.7" })).url, "ws://100.64.0.7:18789");
  assert.is(
    resolveTarget(facts({ settings, tailnetAddress: "fd7a:115c:a1e0::7" })).url,
    "ws://[fd7a:115c:a1e0::7]:18789",
  );
});

test("threat: a URL that is not a WebSocket's, or holds a password, is refused", () => {
  for (const url of ["http://x", "file:///etc/passwd", "nope", "ws://user:pw@host:1"])
    assert.throws(() => resolveTarget(facts({ flags: { url } })), /is not a WebSocket URL/);
});

test("the block under an error names target, source, config and bind", () => {
  assert.equal(targetLines(resolveTarget(facts({}))), [
    "Gateway target: ws://127.0.0.1:18789",
    "Source: local loopback",
    "Config: /c.json",
    "Bind: loopback",
  ]);
});

test("loopback is this machine whatever it is called", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"]) assert.ok(isLoopback(`ws://${host}:1`));
  for (const host of ["127.0.0.1.example", "10.0.0.1", "example.org"]) assert.not(isLoopback(`ws://${host}:1`));
});

test.run();
