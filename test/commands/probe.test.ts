import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway, Refusal, type FakeGateway } from "../client/fake-gateway.ts";
import type { ScriptedOptions } from "../support/host.ts";
import { home, run } from "./run.ts";

const answers = {
  health: () => ({ ok: true }),
  status: () => ({ sessions: { count: 1 } }),
  "system-presence": () => [{ host: "vm", ip: "192.0.2.2", platform: "linux" }],
  "config.get": () => ({
    path: "/c.json",
    exists: true,
    valid: true,
    config: { gateway: { bind: "loopback", auth: { mode: "token", token: "__OPENCLAW_REDACTED__" } } },
  }),
};

/** Which fake gateway is at which URL; nobody elsewhere. */
const world =
  (gateways: Readonly<Record<string, FakeGateway>>): NonNullable<ScriptedOptions["dial"]> =>
  (url, events, options) =>
    (gateways[url] ?? fakeGateway({ connect: () => new Refusal({ code: "UNAVAILABLE", message: "nobody" }) })).dial(
      url,
      events,
      options,
    );

test("SC-113 gateway probe shows what this machine's gateway answers", async () => {
  const dial = world({ "ws://127.0.0.1:18789": fakeGateway({ methods: answers }) });
  const { code, stdout, stderr } = await run(["gateway", "probe"], { files: home, dial });
  assert.is(
    stdout,
    [
      "Gateway Status",
      "Reachable: yes",
      "Probe budget: 3000ms",
      "",
      "Targets",
      "Local loopback ws://127.0.0.1:18789",
      "  Connect: ok (0ms) · RPC: ok",
      "  Gateway: vm · linux · app 0.1.0",
      "  Config: bind=loopback, auth=token",
      "",
    ].join("\n"),
  );
  assert.equal([code, stderr], [0, ""]);
});

const remote = {
  "/home/me/.clawdbot/clawdbot.json": JSON.stringify({
    gateway: { mode: "remote", remote: { url: "ws://127.0.0.1:7001", token: "far" }, auth: { token: "near" } },
  }),
};

test("SC-190 loopback is tried even when a remote is configured, each with its own credentials", async () => {
  const far = fakeGateway({ methods: answers, server: { bootId: "far" } });
  const near = fakeGateway({ methods: answers, server: { bootId: "near" } });
  const dial = world({ "ws://127.0.0.1:7001": far, "ws://127.0.0.1:18789": near });
  const { stdout } = await run(["gateway", "probe"], { files: remote, dial });
  assert.ok(
    stdout.indexOf("Remote (configured) ws://127.0.0.1:7001") < stdout.indexOf("Local loopback ws://127.0.0.1:18789"),
  );
  assert.equal(far.connections[0]?.connect?.["auth"], { token: "far" });
  assert.equal(near.connections[0]?.connect?.["auth"], { token: "near" });
});

test("SC-191 several gateways are all printed, with a warning; one gateway under two URLs is none", async () => {
  const gateways = (a: string, b: string) =>
    world({
      "ws://127.0.0.1:7001": fakeGateway({ methods: answers, server: { bootId: a } }),
      "ws://127.0.0.1:18789": fakeGateway({ methods: answers, server: { bootId: b } }),
    });
  const two = await run(["gateway", "probe", "--json"], { files: remote, dial: gateways("a", "b") });
  const { warnings } = JSON.parse(two.stdout) as { warnings: { code: string; targetIds: string[] }[] };
  assert.equal(
    warnings.map(({ code, targetIds }) => [code, targetIds]),
    [["multiple_gateways", ["configRemote", "localLoopback"]]],
  );
  const one = await run(["gateway", "probe", "--json"], { files: remote, dial: gateways("a", "a") });
  assert.equal((JSON.parse(one.stdout) as { warnings: unknown[] }).warnings, []);
});

test("SC-192 gateway probe --json has the documented keys", async () => {
  const dial = world({ "ws://127.0.0.1:18789": fakeGateway({ methods: answers }) });
  const { code, stdout } = await run(["gateway", "probe", "--json"], { files: home, dial });
  const report = JSON.parse(stdout) as Record<string, unknown> & { targets: Record<string, unknown>[] };
  assert.is(code, 0);
  assert.equal(Object.keys(report).sort(), [
    "degraded",
    "durationMs",
    "network",
    "ok",
    "primaryTargetId",
    "targets",
    "timeoutMs",
    "ts",
    "warnings",
  ]);
  const [target = {}] = report.targets;
  assert.equal(target["connect"], { ok: true, rpcOk: true, latencyMs: 0, error: null, close: null });
  assert.equal(target["self"], { host: "vm", ip: "192.0.2.2", version: "0.1.0", platform: "linux" });
  assert.equal([report["ok"], report["primaryTargetId"], target["active"]], [true, "localLoopback", true]);
  assert.not.match(stdout, "REDACTED");
});

test("nobody anywhere: the reason per target, exit 1, with --json too", async () => {
  const human = await run(["gateway", "probe"], { files: home });
  assert.is(human.code, 1);
  assert.match(human.stdout, "Reachable: no");
  assert.match(human.stdout, "  Connect: failed - connect failed: gateway closed (1006");
  const json = await run(["gateway", "probe", "--json"], { files: home });
  const { ok, targets } = JSON.parse(json.stdout) as { ok: boolean; targets: { connect: { close: unknown } }[] };
  assert.equal([json.code, ok, targets[0]?.connect.close], [1, false, { code: 1006, reason: "connection refused" }]);
});

test("a gateway that refuses some questions is reachable, and said to be limited", async () => {
  const dial = world({ "ws://127.0.0.1:18789": fakeGateway({ methods: { health: answers.health } }) });
  const { code, stdout } = await run(["gateway", "probe"], { files: home, dial });
  assert.is(code, 0);
  assert.match(stdout, "RPC: limited");
  assert.match(stdout, "- Local loopback answers, but not every question: unknown method: status");
});

test("an explicit --url is tried first, with its own token; older protocols are welcome", async () => {
  const named = fakeGateway({ methods: answers });
  const near = fakeGateway({ methods: answers });
  const dial = world({ "ws://127.0.0.1:5555": named, "ws://127.0.0.1:18789": near });
  const line = ["gateway", "probe", "--url", "ws://127.0.0.1:5555", "--token", "mine"];
  const { stdout } = await run(line, { files: home, dial });
  assert.match(stdout, /Targets\nURL \(explicit\) ws:\/\/127\.0\.0\.1:5555/);
  const { minProtocol, maxProtocol, auth } = named.connections[0]?.connect ?? {};
  assert.equal([minProtocol, maxProtocol, auth], [3, 4, { token: "mine" }]);
  assert.not.equal(near.connections[0]?.connect?.["auth"], { token: "mine" });
});

test.run();
