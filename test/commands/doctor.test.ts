import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { isObject } from "../../src/kit/json.ts";
import { seal } from "../../src/store/seal.ts";
import { makeCertificate } from "../../src/tls/certificate.ts";
import { fakeGateway } from "../client/fake-gateway.ts";
import { scriptedHost, type ScriptedHost, type ScriptedOptions } from "../support/host.ts";
import { printed, recorded } from "../tailscale/recorded.ts";
import { token } from "./run.ts";

const state = "/home/me/.clawdbot";
const file = `${state}/clawdbot.json`;
const key = "ANTHROPIC_API_KEY";
const sound = { gateway: { mode: "local", auth: { mode: "token", token } } };
const now = Date.UTC(2026, 10, 1);

const dayMs = 86_400_000;
const pair = await makeCertificate({ names: ["localhost"], addresses: [], now });
const tlsFolder = `${state}/gateway/tls`;
const named = { certPath: `${tlsFolder}/gateway-cert.pem`, keyPath: `${tlsFolder}/gateway-key.pem` };
const encrypting = { gateway: { ...sound.gateway, tls: { enabled: true, ...named } } };
const encryptingItself = { gateway: { ...sound.gateway, tls: { enabled: true } } };
const ownMark = "Made by the gateway and renewed by it; put files of your own in place of both to use those.\n";
const withPair =
  (keyMode: number, mark = "") =>
  (host: ScriptedHost): void => {
    host.files.put(named.certPath, mark + pair.cert, 0o600);
    host.files.put(named.keyPath, mark + pair.key, keyMode);
  };

const deadLock = JSON.stringify({
  id: "7b9ad2f0-3a58-4d4f-8d3b-0c2f3ae0a001",
  pid: 99,
  port: 18789,
  command: "clawdbot gateway",
  createdAt: "2026-10-01T00:00:00.000Z",
});

interface Machine extends ScriptedOptions {
  readonly config?: unknown;
  readonly prepare?: (host: ScriptedHost) => void;
  /** The clock is put on by so much after the files were written. */
  readonly lateBy?: number;
}

/** A machine on which nothing is wrong, but for what the test says. */
function machine({ config = sound, prepare, lateBy = 0, ...options }: Machine = {}): ScriptedHost {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const host = scriptedHost({
    name: "clawdbot",
    runtime: "node",
    env: { [key]: "k" },
    now,
    ...options,
    files: { [file]: text, "/home/me/clawd/.git/HEAD": "", ...options.files },
  });
  prepare?.(host);
  host.clock.jump(lateBy);
  return { ...host, runtimeVersion: "node 24.1.0" };
}

async function run(host: ScriptedHost, line: readonly string[]) {
  const before = host.terminal.stdout.text.length;
  const code = await main({ ...host, args: line });
  return { code, stdout: host.terminal.stdout.text.slice(before), stderr: host.terminal.stderr.text };
}

async function doctorJson(host: ScriptedHost, ...flags: readonly string[]) {
  const { code, stdout } = await run(host, ["doctor", "--json", ...flags]);
  const report: unknown = JSON.parse(stdout);
  if (!isObject(report) || !Array.isArray(report["checks"])) throw new Error("no report");
  const findings = report["checks"].filter(isObject).flatMap(({ findings: each }) => (Array.isArray(each) ? each : []));
  return {
    code,
    report,
    findings: findings.filter(isObject),
    codes: findings.filter(isObject).map((each) => each["code"]),
  };
}

/** Each code, a state that provokes it, and whether `doctor --fix --yes` ends it. */
const table: readonly (Machine & { readonly code: string; readonly mended?: true })[] = [
  { code: "config-missing", prepare: (host) => void host.files.remove(file) },
  { code: "gateway-mode-unset", config: { gateway: { auth: sound.gateway.auth } }, mended: true },
  { code: "config-syntax", config: "{ gateway: " },
  { code: "config-invalid", config: { ...sound, logging: { level: 7 } } },
  { code: "config-unsafe", config: { gateway: { mode: "local", bind: "world", auth: sound.gateway.auth } } },
  { code: "config-unknown-key", config: { ...sound, gatway: {} }, mended: true },
  { code: "config-unknown-key", config: { ...sound, agents: { list: [{ id: "main", nmae: "x" }] } }, mended: true },
  { code: "config-legacy-keys", config: { ...sound, routing: { allowFrom: ["+15550001"] } }, mended: true },
  { code: "config-legacy-unknown", config: { ...sound, routing: { strange: 1 } } },
  { code: "legacy-state-folder", files: { "/home/me/.moltbot/moltbot.json": "{}" } },
  { code: "gateway.loopback_no_auth", config: { gateway: { mode: "local" } } },
  { code: "gateway.bind_no_auth", config: { gateway: { mode: "local", bind: "lan" } } },
  { code: "gateway-token-missing", config: { gateway: { mode: "local", auth: { mode: "token" } } } },
  {
    code: "gateway.trusted_proxy_no_user_header",
    config: { gateway: { mode: "local", auth: { mode: "trusted-proxy" } } },
  },
  {
    code: "gateway.trusted_proxy_no_proxies",
    config: { gateway: { mode: "local", auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } } } },
  },
  { code: "gateway.trusted_proxy_auth", config: behindProxy({}) },
  { code: "gateway.trusted_proxy_allow_loopback", config: behindProxy({ allowLoopback: true }) },
  {
    code: "gateway-nodes-auto-approved",
    config: { gateway: { ...sound.gateway, nodes: { pairing: { autoApproveCidrs: ["10.0.0.0/8"] } } } },
  },
  { code: "gateway-exposure-refused", config: { gateway: { mode: "local", auth: { token, password: token } } } },
  { code: "gateway.token_too_short", config: { gateway: { mode: "local", auth: { token: "short" } } } },
  {
    code: "gateway-password-too-short",
    config: { gateway: { mode: "local", auth: { mode: "password", password: "short" } } },
  },
  { code: "gateway.tailscale_serve", config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } } },
  {
    code: "tailscale-not-installed",
    config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } },
  },
  {
    code: "tailscale-needs-login",
    config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } },
    commands: { tailscale: printed("needs-login.json") },
  },
  {
    code: "tailscale-no-name",
    config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } },
    commands: { tailscale: printed("running-no-magicdns.json") },
  },
  {
    code: "tailscale-https-off",
    config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } },
    commands: { tailscale: printed("running-no-https.json") },
  },
  {
    code: "tailscale-funnel-denied",
    config: { gateway: { mode: "local", auth: { mode: "password", password: token }, tailscale: { mode: "funnel" } } },
    commands: { tailscale: { stdout: recorded("running.json").replaceAll('"funnel"', '"other"') } },
  },
  {
    code: "tailscale-not-published",
    config: { gateway: { ...sound.gateway, tailscale: { mode: "serve" } } },
    commands: {
      "tailscale status --json": printed("running.json"),
      "tailscale serve status --json": printed("serve-status-other.json"),
    },
    files: { [`${state}/runtime.json`]: '{"pid":4242,"port":18789,"url":"ws://127.0.0.1:18789"}' },
  },
  {
    code: "tailscale-still-published",
    commands: { "tailscale serve status --json": printed("serve-status.json") },
    files: { [`${state}/tailscale.json`]: '{"mode":"serve","port":18789,"resetOnExit":false}' },
  },
  {
    code: "gateway.tailscale_funnel",
    config: { gateway: { mode: "local", auth: { mode: "password", password: token }, tailscale: { mode: "funnel" } } },
  },
  {
    code: "gateway.control_ui.insecure_auth",
    config: { gateway: { ...sound.gateway, controlUi: { allowInsecureAuth: true } } },
  },
  {
    code: "gateway.control_ui.device_auth_disabled",
    config: { gateway: { ...sound.gateway, controlUi: { dangerouslyDisableDeviceAuth: true } } },
  },
  {
    code: "gateway.control_ui.allowed_origins_wildcard",
    config: { gateway: { ...sound.gateway, controlUi: { allowedOrigins: ["*"] } } },
  },
  {
    code: "gateway.auth_no_rate_limit",
    config: { gateway: { ...sound.gateway, auth: { token, rateLimit: { exemptLoopback: true } } } },
  },
  { code: "logging.redact_off", config: { ...sound, logging: { redactSensitive: "off" } } },
  { code: "discovery.mdns_full_mode", config: { ...sound, discovery: { mdns: { mode: "full" } } } },
  { code: "gateway-tls-unusable", config: encrypting },
  { code: "gateway-tls-expiring", config: encrypting, prepare: withPair(0o600), lateBy: 3640 * dayMs },
  { code: "gateway-tls-expiring", config: encryptingItself, prepare: withPair(0o600, ownMark), lateBy: 3640 * dayMs },
  { code: "gateway-tls-too-early", config: encrypting, prepare: withPair(0o600), lateBy: -2 * dayMs },
  { code: "gateway-tls-key-readable", config: encrypting, prepare: withPair(0o644) },
  { code: "gateway-no-tls", config: { gateway: { ...sound.gateway, bind: "lan" } } },
  { code: "fs.state_dir.perms_world_writable", prepare: (host) => void host.files.chmod(state, 0o777), mended: true },
  { code: "fs.state_dir.perms_group_writable", prepare: (host) => void host.files.chmod(state, 0o770), mended: true },
  { code: "fs.state_dir.perms_readable", prepare: (host) => void host.files.chmod(state, 0o755), mended: true },
  { code: "fs.config.perms_writable", prepare: (host) => void host.files.chmod(file, 0o666), mended: true },
  { code: "fs.config.perms_world_readable", prepare: (host) => void host.files.chmod(file, 0o644), mended: true },
  { code: "fs.config.perms_group_readable", prepare: (host) => void host.files.chmod(file, 0o640), mended: true },
  { code: "fs.config_include.perms_writable", ...including(0o622), mended: true },
  { code: "fs.config_include.perms_world_readable", ...including(0o644), mended: true },
  { code: "fs.config_include.perms_group_readable", ...including(0o640), mended: true },
  { code: "fs.state_dir.symlink", prepare: linked(state) },
  { code: "fs.config.symlink", prepare: linked(file) },
  {
    code: "fs.config.symlink",
    env: { [key]: "k", CLAWDBOT_CONFIG_PATH: "/home/me/own.json" },
    files: { "/home/me/own.json": JSON.stringify(sound) },
    prepare: linked("/home/me/own.json"),
  },
  { code: "env-file-writable", prepare: (host) => host.files.put(`${state}/.env`, "A=b", 0o622), mended: true },
  { code: "config-backup-writable", prepare: (host) => host.files.put(`${file}.bak`, "{}", 0o622), mended: true },
  {
    code: "fs.auth_profiles.perms_writable",
    prepare: (host) => host.files.put(`${state}/agents/main/agent/auth-profiles.json`, "{}", 0o622),
    mended: true,
  },
  {
    code: "fs.credentials_dir.perms_readable",
    prepare: (host) => host.files.put(`${state}/credentials/oauth.json`, "{}", 0o644),
    mended: true,
  },
  {
    code: "sessions-writable",
    prepare: (host) => host.files.put(`${state}/agents/main/sessions/a.jsonl`, "", 0o622),
    mended: true,
  },
  {
    code: "log-file-writable",
    prepare: (host) => host.files.put(`${state}/logs/gateway.log`, "", 0o622),
    mended: true,
  },
  {
    code: "workspace-not-a-folder",
    config: { ...sound, agents: { defaults: { workspace: "/home/me/note" } } },
    files: { "/home/me/note": "" },
  },
  {
    code: "model-credential-refused",
    env: {},
    files: {
      [`${state}/agents/main/agent/auth-profiles.json`]: JSON.stringify({
        profiles: { "anthropic:default": { type: "token", provider: "anthropic", token: "t", expires: now - 1 } },
      }),
    },
  },
  { code: "env-file-readable", prepare: (host) => host.files.put(`${state}/.env`, "A=b", 0o644), mended: true },
  { code: "config-backup-readable", prepare: (host) => host.files.put(`${file}.bak`, "{}", 0o644), mended: true },
  {
    code: "fs.auth_profiles.perms_readable",
    prepare: (host) => host.files.put(`${state}/agents/main/agent/auth-profiles.json`, "{}", 0o644),
    mended: true,
  },
  {
    code: "fs.credentials_dir.perms_writable",
    prepare: (host) => host.files.put(`${state}/credentials/oauth.json`, "{}", 0o666),
    mended: true,
  },
  {
    code: "fs.sessions_store.perms_readable",
    prepare: (host) => host.files.put(`${state}/agents/main/sessions/a.jsonl`, "", 0o644),
    mended: true,
  },
  {
    code: "fs.log_file.perms_readable",
    prepare: (host) => host.files.put(`${state}/logs/gateway.log`, "", 0o644),
    mended: true,
  },
  { code: "lock-stale", files: { [`${state}/gateway.lock`]: deadLock }, mended: true },
  {
    code: "runtime-file-stale",
    files: { [`${state}/runtime.json`]: '{"pid":99,"port":18789,"url":"ws://127.0.0.1:18789"}' },
    mended: true,
  },
  { code: "temporary-files", files: { [`${state}/.runtime.json.99.0123abcd.tmp`]: "{" }, mended: true },
  { code: "records-kept-aside", files: { [`${state}/runs/journal.jsonl.torn`]: "x" } },
  { code: "session-index-missing", files: { [`${state}/agents/main/sessions/a.jsonl`]: "" } },
  { code: "session-index-damaged", files: { [`${state}/sessions/index.jsonl`]: "damaged\n" } },
  {
    code: "transcripts-without-session",
    files: { [`${state}/sessions/index.jsonl`]: "", [`${state}/agents/main/sessions/a.jsonl`]: "" },
  },
  {
    code: "search-index-damaged",
    files: { [`${state}/search/segments.jsonl`]: '{"segments":[3],"next":4,"retired":[]}\n' },
  },
  { code: "journal-damaged", files: { [`${state}/runs/journal.jsonl`]: "damaged\n" } },
  { code: "starts-failed", files: { [`${state}/starts.json`]: '{"failures":[{"at":1,"reason":"no disk"}]}' } },
  {
    code: "crash-loop",
    files: { [`${state}/starts.json`]: '{"failures":[{"at":1,"reason":"no disk"}],"safeSince":1}' },
  },
  { code: "starts-record-broken", files: { [`${state}/starts.json`]: "{" } },
  { code: "port-taken", prepare: (host) => void host.processes.ports.set(18789, [{ pid: 7, command: "nginx" }]) },
  { code: "port-taken", prepare: (host) => void host.net.taken.add(18789) },
  {
    code: "gateway-not-listening",
    files: { [`${state}/runtime.json`]: '{"pid":4242,"port":18789,"url":"ws://127.0.0.1:18789"}' },
  },
  {
    code: "gateway.probe_failed",
    files: { [`${state}/runtime.json`]: '{"pid":4242,"port":18789,"url":"ws://127.0.0.1:18789"}' },
  },
  { code: "gateway-not-running" },
  { code: "gateway-version-differs", dial: answering({}, "0.0.1") },
  { code: "gateway-safe-mode", dial: answering({ safeMode: { reason: "no disk" } }) },
  { code: "gateway-standby", dial: answering({ standby: { pid: 7, port: 1 } }) },
  { code: "gateway-part-failed", dial: answering({ parts: [{ part: "telegram", state: "failed", reason: "x" }] }) },
  { code: "gateway-part-degraded", dial: answering({ parts: [{ part: "telegram", state: "degraded" }] }) },
  {
    code: "secret-in-command-line",
    prepare: (host) =>
      void host.processes.ports.set(18789, [{ pid: 7, command: "node", commandLine: `node gateway --token ${token}` }]),
  },
  { code: "secret-in-git", files: { "/home/me/.git/HEAD": "" } },
  { code: "secret-in-workspace", files: { "/home/me/clawd/TOOLS.md": `the token is ${token}` } },
  {
    code: "config.secrets.gateway_password_in_config",
    config: { gateway: { mode: "local", auth: { mode: "password", password: token } } },
  },
  { code: "config.secrets.hooks_token_in_config", config: { ...sound, hooks: { token: "h".repeat(30) } } },
  { code: "hooks.token_reuse_gateway_token", config: { ...sound, hooks: { token } } },
  { code: "hooks.token_too_short", config: { ...sound, hooks: { token: "short" } } },
  { code: "disk-full", prepare: (host) => void Object.assign(host.files, { freeSpace: async () => 1000 }) },
  { code: "disk-low", prepare: (host) => void Object.assign(host.files, { freeSpace: async () => 200e6 }) },
  { code: "clock-before-build", now: Date.UTC(1999, 0, 1) },
  { code: "model-credential-missing", env: {} },
  { code: "model-unknown", config: { ...sound, agents: { defaults: { model: "nobody/nothing" } } } },
  { code: "auth-profiles-broken", files: { [`${state}/agents/main/agent/auth-profiles.json`]: "[" } },
  { code: "channel-credentials-missing", config: { ...sound, channels: { telegram: {} } } },
  { code: "channel-credentials-missing", config: { ...sound, channels: { whatsapp: {} } } },
  { code: "channel-settings-wrong", config: { ...sound, channels: { telegram: { botToken: "1:x", groups: 7 } } } },
  { code: "channel-unknown", config: { ...sound, channels: { tlon: {} } } },
  {
    code: "channels.discord.dm.open",
    config: { ...sound, channels: { discord: { token: "x", dm: { policy: "open" } } } },
  },
  {
    code: "workspace-missing",
    config: { ...sound, agents: { defaults: { workspace: "/home/me/elsewhere" } } },
    mended: true,
  },
  {
    code: "channels.telegram.groups.open",
    config: { ...sound, channels: { telegram: { botToken: "x", groupPolicy: "open" } } },
  },
  { code: "model-provider-wrong", config: { ...sound, models: { providers: { own: { api: "nothing" } } } } },
  {
    code: "model-credential-rests",
    env: {},
    files: {
      [`${state}/agents/main/agent/auth-profiles.json`]: JSON.stringify({
        profiles: { "anthropic:default": { type: "api_key", provider: "anthropic", key: "k" } },
        usageStats: { "anthropic:default": { cooldownUntil: now + 60_000, errorCount: 1 } },
      }),
    },
  },
  {
    code: "state-file-readable",
    prepare: (host) => host.files.put(`${state}/update-check.json`, "{}", 0o644),
    mended: true,
  },
  {
    code: "state-file-writable",
    prepare: (host) => host.files.put(`${state}/exec-approvals.json`, "{}", 0o666),
    mended: true,
  },
  { code: "clock-behind-files", prepare: (host) => host.files.put(`${state}/late`, ""), lateBy: -3_600_000 },
  {
    code: "fs.synced_dir",
    env: { [key]: "k", CLAWDBOT_STATE_DIR: "/home/me/Dropbox/state" },
    files: { "/home/me/Dropbox/state/x": "" },
  },
  {
    code: "state-folder-not-a-folder",
    env: { [key]: "k", CLAWDBOT_STATE_DIR: "/home/me/file" },
    files: { "/home/me/file": "" },
  },
  {
    code: "deleted-transcripts",
    prepare: (host) =>
      host.files.put(
        `${state}/agents/main/sessions/a.jsonl.deleted.2026-10-01T101010.000Z`,
        "x".repeat(101 * 1024 * 1024),
      ),
  },
  { code: "messages-waiting", files: { [`${state}/runs/journal.jsonl`]: waitingMessage() } },
  { code: "workspace-not-in-git", prepare: (host) => void host.files.remove("/home/me/clawd/.git") },
];

for (const { code, mended, ...given } of table) {
  test(`SC-124 doctor finds ${code}${mended ? ", and --fix ends it" : ""}: ${JSON.stringify(given).slice(0, 60)}`, async () => {
    const { codes, code: exit } = await doctorJson(machine(given));
    assert.ok(codes.includes(code), `found ${codes.join(", ")}`);
    assert.is(exit, 0);
    if (!mended) return;
    const host = machine(given);
    const { report } = await doctorJson(host, "--fix", "--yes");
    assert.not.ok((await doctorJson(host)).codes.includes(code), JSON.stringify(report["changes"]));
  });
}

function behindProxy(more: object): unknown {
  const auth = { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user", ...more } };
  return { gateway: { mode: "local", trustedProxies: ["10.0.0.1"], bind: "auto", auth } };
}

/** A configuration that takes a part of itself from another file, of this mode. */
function including(mode: number): Machine {
  const part = `${state}/logging.json5`;
  const config = { ...sound, logging: { $include: "./logging.json5" } };
  return { config, files: { [part]: "{}" }, prepare: ({ files }) => void files.chmod(part, mode) };
}

/** What makes a path a link, as far as anybody can see. */
function linked(path: string): (host: ScriptedHost) => void {
  return ({ files }) => {
    const real = files.realPath.bind(files);
    const led = (from: string): boolean => from === path || from.startsWith(`${path}/`);
    const realPath = (from: string) => (led(from) ? Promise.resolve(from.replace(path, "/srv/elsewhere")) : real(from));
    Object.assign(files, { realPath });
  };
}

function waitingMessage(): string {
  const origin = { channel: "cli", sender: "me", scopes: [] };
  const input = { runId: "r1", sessionKey: "agent:main:main", agentId: "main", content: [], commands: false, origin };
  return `${seal({ op: "take", input, acceptedAt: now, sessionId: "s1", afterSeq: 0 })}\n`;
}

function answering(health: object, version?: string): NonNullable<ScriptedOptions["dial"]> {
  return fakeGateway({
    methods: { health: () => ({ ok: true, ...health }) },
    ...(version === undefined ? {} : { server: { version } }),
  }).dial;
}

test("SC-124 a state folder of more files than are looked at is told of", async () => {
  const many = Object.fromEntries(Array.from({ length: 20_001 }, (_, n) => [`${state}/many/${n}`, ""]));
  assert.ok((await doctorJson(machine({ files: many }))).codes.includes("state-folder-huge"));
});

test("what is to be typed is for the profile that was looked at", async () => {
  const { stdout } = await run(machine(), ["--profile", "rescue", "doctor", "--json"]);
  assert.match(stdout, '"command": "clawdbot --profile rescue setup"');
  assert.not.match(stdout, '"command": "clawdbot setup"');
});

/** The codes of findings as their checks write them. Keys of the configuration, which look alike, stand elsewhere. */
const written =
  /\bcode: (?:\w+ \? )?"([\w.-]+)"(?: : "([\w.-]+)")?|\[\s*"([\w.-]+)",\s*(?:"(?:error|warning|info)"|0o\d|open\b|missing\b|proxy\b)/g;

test("every code of a finding means one thing: it is of one check, and a test here shows when it is found", () => {
  const own = new Map<string, string>();
  for (const name of readdirSync("src/checks")) {
    for (const [, ...codes] of readFileSync(join("src/checks", name), "utf8").matchAll(written))
      for (const code of codes.filter((each) => each !== undefined)) {
        assert.is(own.get(code) ?? name, name, `${code} is of two checks`);
        own.set(code, name);
      }
  }
  assert.ok(own.size > 90, `${own.size} codes were found`);
  const tests = [
    "test/commands/doctor.test.ts",
    "test/checks/service.test.ts",
    "test/service/audit.test.ts",
    "test/checks/hooks.test.ts",
  ]
    .map((path) => readFileSync(path, "utf8"))
    .join("");
  assert.equal(
    [...own.keys()].filter((code) => !tests.includes(`"${code}"`)),
    [],
  );
});

test("SC-124 on a machine in order doctor finds nothing but what is not there", async () => {
  const { codes, report } = await doctorJson(machine());
  assert.equal(codes, ["service-unknown", "gateway-not-running"]);
  assert.is(report["ok"], true);
});

test("cli.md 2.13: sections with marks, a summary, what to type, and how it ends; status 0 with findings", async () => {
  const host = machine({ config: { ...sound, gatway: 1 } });
  const { code, stdout } = await run(host, ["doctor"]);
  assert.is(code, 0);
  assert.match(stdout, /^Clawdbot doctor\n\n! Configuration\n {2}! gatway is not a known key/);
  assert.match(stdout, "\n    → clawdbot config unset gatway\n");
  assert.match(stdout, "\n✓ Gateway auth\n");
  assert.ok(
    stdout.endsWith(
      '\n0 errors, 1 warning, 2 notes.\nRun "clawdbot doctor --fix" to apply changes.\nDoctor complete.\n',
    ),
  );
});

test("cli.md 2.13: a look changes nothing on the disk", async () => {
  const host = machine({ config: { ...sound, gatway: 1 }, prepare: ({ files }) => void files.chmod(state, 0o777) });
  const before = host.files.snapshot();
  await run(host, ["doctor", "--deep"]);
  assert.equal(host.files.snapshot(), before);
  assert.is((await host.files.stat(state))?.mode, 0o777);
});

test("cli.md 2.13: without --yes and without a person the configuration stays, modes are repaired", async () => {
  const host = machine({ config: { ...sound, gatway: 1 }, prepare: ({ files }) => void files.chmod(state, 0o755) });
  const { stdout } = await run(host, ["doctor", "--fix", "--non-interactive"]);
  assert.match(stdout, "Set the mode of ~/.clawdbot to 0700.");
  assert.match(stdout, "Left as they are: 1 change that nobody agreed to.");
  assert.match(host.files.snapshot()[file] ?? "", "gatway");
});

test("cli.md 2.13: --generate-gateway-token gives a 48-digit token, keeps the old file as .bak and shows neither", async () => {
  const host = machine({ config: { gateway: { mode: "local" } } });
  const { stdout } = await run(host, ["doctor", "--generate-gateway-token"]);
  const made = /"token":\s*"([0-9a-f]{48})"/.exec(host.files.snapshot()[file] ?? "")?.[1];
  assert.ok(made);
  assert.not.match(stdout, made ?? "");
  assert.ok(host.files.snapshot()[`${file}.bak`]);
});

test("a configuration change goes through the gateway that runs", async () => {
  const gateway = fakeGateway({
    methods: {
      health: () => ({ ok: true }),
      "config.get": () => ({ config: sound, hash: "h", exists: true }),
      "config.patch": () => ({ path: file, changedPaths: ["gatway"] }),
    },
  });
  const runtime = { [`${state}/runtime.json`]: '{"pid":4242,"port":18789,"url":"ws://127.0.0.1:18789"}' };
  const host = machine({ config: { ...sound, gatway: 1 }, files: runtime, dial: gateway.dial });
  await run(host, ["doctor", "--fix", "--yes"]);
  const patch = gateway.calls.find(({ method }) => method === "config.patch");
  assert.equal(patch?.params, { raw: '{"gatway":null}', baseHash: "h" });
  assert.match(host.files.snapshot()[file] ?? "", "gatway");
});

test("a check that fails is a finding, and the others go on", async () => {
  const host = machine({ env: {} });
  host.files.before = (operation, path) => {
    if (operation === "list" && path.startsWith(state)) throw new Error("EACCES: permission denied");
    if (path.endsWith("starts.json")) throw new Error("EIO: i/o error");
  };
  const { codes, code } = await doctorJson(host);
  assert.is(code, 0);
  for (const found of ["state-folder-unreadable", "check-failed", "model-credential-missing"])
    assert.ok(codes.includes(found), found);
});

test("a configuration that cannot be read is a finding", async () => {
  const host = machine();
  host.files.before = (operation, path) => {
    if (operation === "read" && path === file) throw new Error("EACCES: permission denied");
  };
  assert.ok((await doctorJson(host)).codes.includes("config-unreadable"));
});

test("without a state folder, --fix makes one of mode 0700", async () => {
  const host = scriptedHost({ name: "clawdbot" });
  assert.ok((await doctorJson(host)).codes.includes("state-folder-missing"));
  await run(host, ["doctor", "--fix"]);
  assert.is((await host.files.stat(state))?.mode, 0o700);
});

test("threat S: security audit --fix closes what other users can read or change, to 0700 and 0600", async () => {
  const host = machine({
    prepare: ({ files }) => {
      files.put(`${state}/devices/paired.json`, "{}", 0o666);
      void files.chmod(state, 0o755);
      void files.chmod(file, 0o644);
    },
  });
  await run(host, ["security", "audit", "--fix"]);
  const modes = await Promise.all([state, file, `${state}/devices/paired.json`].map((path) => host.files.stat(path)));
  assert.equal(
    modes.map((stat) => stat?.mode),
    [0o700, 0o600, 0o600],
  );
});

test("threat S: a link in the state folder is told of, and what it leads to is left alone", async () => {
  const host = machine({ files: { [`${state}/linked`]: "x" } });
  await host.files.chmod(`${state}/linked`, 0o666);
  const realPath = async (path: string) => (path === `${state}/linked` ? "/etc/passwd" : host.files.realPath(path));
  const linked: ScriptedHost = { ...host, files: { ...host.files, realPath } };
  const { codes } = await doctorJson(linked, "--fix", "--yes");
  assert.ok(codes.includes("state-link"));
  assert.is((await host.files.stat(`${state}/linked`))?.mode, 0o666);
});

test("threat G: neither command prints a secret, whatever is wrong", async () => {
  const canary = "canary0123456789canary0123456789";
  const host = machine({
    config: {
      gateway: { mode: "local", token: canary, auth: { mode: canary, token: canary, password: canary }, nope: canary },
      hooks: { token: canary },
      channels: { telegram: { botToken: canary, dmPolicy: "open" } },
      routing: { allowFrom: [canary] },
    },
    files: { [`${state}/.env`]: `SECRET_TOKEN=${canary}`, "/home/me/clawd/TOOLS.md": `token: ${canary}` },
    prepare: ({ processes }) =>
      void processes.ports.set(18789, [{ pid: 7, command: "node", commandLine: `node gateway --token ${canary}` }]),
  });
  for (const line of [
    ["doctor", "--deep"],
    ["doctor", "--json"],
    ["doctor", "--fix", "--yes"],
    ["security", "audit", "--deep"],
    ["security", "audit", "--json"],
  ]) {
    const { stdout, stderr } = await run(host, line);
    assert.not.match(stdout + stderr, canary, line.join(" "));
  }
});

test("security audit --json has the reference's shape", async () => {
  const host = machine({ config: { gateway: { mode: "local", bind: "lan" } } });
  const { code, stdout } = await run(host, ["security", "audit", "--json", "--deep"]);
  const report: unknown = JSON.parse(stdout);
  if (!isObject(report) || !Array.isArray(report["findings"])) throw new Error("no report");
  assert.is(code, 0);
  assert.equal(Object.keys(report), ["ts", "summary", "findings", "deep"]);
  assert.equal(report["summary"], { critical: 1, warn: 0, info: 0 });
  assert.equal(Object.keys(report["findings"][0] as object), ["checkId", "severity", "title", "detail", "remediation"]);
  assert.equal((report["findings"][0] as Record<string, unknown>)["checkId"], "gateway.bind_no_auth");
});

test.run();
