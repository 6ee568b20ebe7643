import { test } from "uvu";
import * as assert from "uvu/assert";
import { isLoopback, remoteTarget, resolveTarget, targetLines, type TargetFacts } from "../../src/client/target.ts";

const facts = (over: Partial<TargetFacts>): TargetFacts => ({
  flags: {},
  env: {},
  settings: { remote: {} },
  configPath: "/c.json",
  ...over,
});
const remote = { url: "wss://far.example", token: "remote-token", fingerprint: "ab" };

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
  assert.equal([target.url, target.credentials.token, target.fingerprint], [remote.url, "remote-token", "ab"]);
  assert.throws(
    () => resolveTarget(facts({ settings: { mode: "remote", remote: {} } })),
    /gateway\.remote\.url is not set/,
  );
});

test("bind tailnet is asked at its tailnet address", () => {
  const settings = { bind: "tailnet", remote: {} };
  assert.is(resolveTarget(facts({ settings, tailnetAddress: "100.64.0.7" })).url, "ws://100.64.0.7:18789");
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
