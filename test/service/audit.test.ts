import { test } from "uvu";
import * as assert from "uvu/assert";
import { auditService, type AuditFacts } from "../../src/service/audit.ts";
import type { InstalledService } from "../../src/service/service.ts";

const unit =
  "[Unit]\nAfter=network-online.target\nWants=network-online.target\n[Service]\nRestart=always\nRestartSec=5\n";
const good: InstalledService = {
  path: "/u/x.service",
  program: ["/usr/bin/node", "/opt/clawlet/main.js", "gateway", "--port", "18789"],
  environment: { PATH: "/home/me/.volta/bin:/usr/local/bin:/usr/bin:/bin" },
  secrets: {},
  files: [{ path: "/u/x.service", text: unit, mode: 0o644 }],
};
const audit = (change: Partial<InstalledService> = {}, facts: Partial<AuditFacts> = {}) =>
  auditService({ ...good, ...change }, { kind: "systemd", scope: "user", ...facts });
const codes = (...call: Parameters<typeof audit>) => audit(...call).map(({ code }) => code);
const written = (text: string): Partial<InstalledService> => ({ files: [{ path: good.path, text, mode: 0o644 }] });

test("3.7 a service as it should be has no findings, on whatever runtime", () => {
  assert.equal(codes(), []);
  assert.equal(codes({ program: ["/home/me/.bun/bin/bun", "/opt/clawlet/main.js", "gateway"] }), []);
});

test("3.7 gateway-command-missing is aggressive: somebody meant something else", () => {
  assert.equal(
    audit({ program: ["/usr/bin/node", "/opt/other.js"] }).map(({ code, level }) => [code, level]),
    [["gateway-command-missing", "aggressive"]],
  );
});

test("3.7 a program that is gone is named", () => {
  const [found] = audit({}, { missing: ["/opt/clawlet/main.js"] });
  assert.equal([found?.code, found?.detail], ["gateway-program-missing", "/opt/clawlet/main.js"]);
});

test("3.7 gateway-path-missing, -missing-dirs and -nonminimal", () => {
  assert.equal(codes({ environment: {} }), ["gateway-path-missing"]);
  assert.equal(codes({ environment: { PATH: "/usr/bin:/bin/" } }), ["gateway-path-missing-dirs"]);
  const [found] = audit({
    environment: { PATH: "/home/me/.nvm/versions/node/v22.1.0/bin:/usr/local/bin:/usr/bin:/bin" },
  });
  assert.equal([found?.code, found?.detail], ["gateway-path-nonminimal", "/home/me/.nvm/versions/node/v22.1.0/bin"]);
});

test("3.7 Windows has no PATH of the service's own to judge", () => {
  assert.equal(codes({ environment: {} }, { kind: "schtasks" }), []);
});

for (const executable of [
  "/home/me/.nvm/versions/node/v20.11.1/bin/node",
  "/home/me/.local/share/fnm/node-versions/v22.0.0/installation/bin/node",
  "/run/user/1000/fnm_multishells/71_1700/bin/node",
  "/home/me/.asdf/installs/nodejs/22.1.0/bin/node",
  "/home/me/.volta/tools/image/node/22.1.0/bin/node",
  "/opt/homebrew/Cellar/node/24.1.0/bin/node",
])
  test(`3.7 gateway-runtime-node-version-manager: ${executable}`, () => {
    assert.equal(codes({ program: [executable, "/opt/clawlet/main.js", "gateway"] }), [
      "gateway-runtime-node-version-manager",
    ]);
  });

test("3.7 a link of a version manager that stays is no finding", () => {
  assert.equal(codes({ program: ["/home/me/.asdf/shims/node", "/opt/clawlet/main.js", "gateway"] }), []);
});

test("threat G secrets inside the definition are found by name and never repeated", () => {
  const secret = "s3cr3t-value";
  const found = audit({
    program: [...good.program, `--password=${secret}`],
    environment: { ...good.environment, OPENCLAW_GATEWAY_TOKEN: secret, OPENAI_API_KEY: secret },
  });
  assert.equal(
    found.map(({ code, detail }) => [code, detail]),
    [
      ["gateway-token-embedded", "OPENCLAW_GATEWAY_TOKEN"],
      ["gateway-password-embedded", "--password"],
      ["gateway-secret-embedded", "OPENAI_API_KEY"],
    ],
  );
  assert.is(JSON.stringify(found).includes(secret), false);
});

test("3.7 systemd: the network's target matters to services of the system alone, RestartSec to all", () => {
  assert.equal(codes(written("[Service]\nRestart=always\n")), ["systemd-restart-sec"]);
  assert.equal(codes(written("[Service]\nRestartSec=5\n"), { scope: "system" }), [
    "systemd-after-network-online",
    "systemd-wants-network-online",
  ]);
});

test("3.7 launchd: RunAtLoad and KeepAlive, which may be a dictionary of conditions", () => {
  const facts = { kind: "launchd" } as const;
  const plist = (keys: string) => written(`<plist><dict>${keys}</dict></plist>`);
  assert.equal(codes(plist(""), facts), ["launchd-run-at-load", "launchd-keep-alive"]);
  const run = "<key>RunAtLoad</key>\n<true/>";
  assert.equal(codes(plist(`${run}<key>KeepAlive</key><true/>`), facts), []);
  assert.equal(codes(plist(`${run}<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>`), facts), []);
});

test.run();
