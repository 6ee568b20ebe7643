import { test } from "uvu";
import * as assert from "uvu/assert";
import { fakeGateway, hello, Refusal, type FakeGateway } from "../client/fake-gateway.ts";
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
      "Discovery (this machine)",
      "Found 0 gateway(s) · domains: local.",
      "Could not look through local.: this system cannot do multicast DNS",
      "",
      "Targets",
      "Local loopback ws://127.0.0.1:18789",
      "  Connect: ok (0ms) · RPC: ok",
      "  Capability: read",
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
    "capability",
    "degraded",
    "discovery",
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
  assert.equal(target["connect"], {
    ok: true,
    rpcOk: true,
    scopeLimited: false,
    latencyMs: 0,
    error: null,
    close: null,
  });
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

test("flags go to the gateway that commands talk to, and to no other", async () => {
  const far = fakeGateway({ methods: answers });
  const near = fakeGateway({ methods: answers });
  const dial = world({ "ws://127.0.0.1:7001": far, "ws://127.0.0.1:18789": near });
  await run(["gateway", "probe", "--token", "given"], {
    files: remote,
    dial,
    env: { CLAWDBOT_GATEWAY_PASSWORD: "env" },
  });
  assert.equal(far.connections[0]?.connect?.["auth"], { token: "given" });
  assert.equal(near.connections[0]?.connect?.["auth"], { token: "near" });
});

test("SC-191 the gateways of other profiles are asked too, with their own credentials, and told apart", async () => {
  const rescue = fakeGateway({ methods: answers, server: { bootId: "rescue" } });
  const first = fakeGateway({ methods: answers, server: { bootId: "first" } });
  const dial = world({ "ws://127.0.0.1:18789": first, "ws://127.0.0.1:18809": rescue });
  const files = {
    ...home,
    "/home/me/.clawdbot-rescue/clawdbot.json": JSON.stringify({ gateway: { mode: "local", auth: { token: "own" } } }),
    "/home/me/.clawdbot-rescue/runtime.json": JSON.stringify({ pid: 4242, port: 18809, url: "ws://127.0.0.1:18809" }),
  };
  const { stdout } = await run(["gateway", "probe", "--token", "given"], { files, dial, pid: 4242 });
  assert.equal(rescue.connections[0]?.connect?.["auth"], { token: "own" });
  assert.equal(first.connections[0]?.connect?.["auth"], { token: "given" });
  assert.match(stdout, "Profile rescue (this machine) ws://127.0.0.1:18809");
  assert.match(stdout, "ws://127.0.0.1:18809 (profile rescue, PID 4242, ~/.clawdbot-rescue)");
});

test("6.4 the capability is what was granted, the best of all on top", async () => {
  const auth = { role: "operator", scopes: ["operator.admin"] };
  const dial = world({
    "ws://127.0.0.1:18789": fakeGateway({ methods: answers, connect: () => ({ ...hello, auth }) }),
  });
  const report = JSON.parse((await run(["gateway", "probe", "--json"], { files: home, dial })).stdout);
  assert.equal(
    [report.capability, report.targets[0].auth],
    ["admin_capable", { ...auth, capability: "admin_capable" }],
  );
});

test("6.4 what is wrong is said in a sentence, with what to do", async () => {
  const refusal = (message: string, details: object, code = "INVALID_REQUEST") =>
    world({
      "ws://127.0.0.1:18789": fakeGateway({ connect: () => new Refusal({ code, message, details: { ...details } }) }),
    });
  const cases = [
    [refusal("pairing required", { requestId: "r1" }, "NOT_PAIRED"), "clawdbot devices approve r1"],
    [refusal("token mismatch", { code: "AUTH_TOKEN_MISMATCH" }), "set gateway.auth"],
    [refusal("protocol mismatch", { code: "PROTOCOL_MISMATCH" }), "another version of the protocol"],
  ] as const;
  for (const [dial, sentence] of cases)
    assert.match((await run(["gateway", "probe"], { files: home, dial })).stdout, sentence);
});

test("SC-193 SC-194 a wrong --ssh or --ssh-identity is wrong usage", async () => {
  const bad = await run(["gateway", "probe", "--ssh=-oProxyCommand=x"], { files: home });
  assert.is(bad.code, 2);
  const key = await run(["gateway", "probe", "--ssh", "far", "--ssh-identity", "no-key"], {
    files: { ...home, "/usr/bin/ssh": "" },
  });
  assert.equal([key.code, key.stderr.split("\n")[0]], [2, "--ssh-identity: there is no file /home/me/no-key"]);
});

test("SC-195 SC-196 a tunnel that fails is a warning: the host of the configured remote with --ssh-auto, or its target", async () => {
  const ssh = (config: object) => ({
    files: {
      "/usr/bin/ssh": "",
      "/home/me/.clawdbot/clawdbot.json": JSON.stringify({ gateway: { mode: "remote", ...config } }),
    },
    commands: {
      "/usr/bin/ssh": (args: readonly string[]) => ({ code: 255, stderr: `Could not resolve hostname ${args.at(-1)}` }),
    },
  });
  const auto = await run(["gateway", "probe", "--ssh-auto"], ssh({ remote: { url: "ws://far.example:18789" } }));
  assert.match(auto.stdout, "- SSH tunnel failed: ssh exited (255): Could not resolve hostname far.example");
  const configured = await run(["gateway", "probe"], ssh({ remote: { sshTarget: "me@box" } }));
  assert.match(configured.stdout, "Could not resolve hostname me@box");
  const without = await run(["gateway", "probe"], ssh({ remote: { url: "ws://far.example:18789" } }));
  assert.not.match(without.stdout, "SSH");
});

test.run();
