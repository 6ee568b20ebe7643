import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../src/main.ts";
import { isObject } from "../../src/kit/json.ts";
import { Failure } from "../../src/kit/error.ts";
import type {
  ForeignService,
  InstalledService,
  Scope,
  ServiceManager,
  ServiceState,
} from "../../src/service/service.ts";
import { scriptedHost, type ScriptedOptions } from "../support/host.ts";

const unit = "/home/me/.config/systemd/user/clawdbot-gateway.service";
const secret = "canary0123456789canary0123456789";

interface Scene {
  readonly kind?: ServiceManager["kind"];
  readonly installed?: Partial<InstalledService>;
  /** Where it is installed; for this person when absent. */
  readonly scopes?: readonly Scope[];
  /** Why the system's tools cannot be asked. */
  readonly unavailable?: string;
  readonly commands?: ScriptedOptions["commands"];
  readonly state?: ServiceState;
  readonly foreign?: readonly ForeignService[];
  readonly lingering?: boolean;
  readonly runtimeVersion?: string;
}

/** Runs doctor on a machine with this service; answers what it found, and what was asked of the service manager. */
async function doctor(scene: Scene, ...flags: readonly string[]) {
  const asked: string[] = [];
  const config = { gateway: { mode: "local", auth: { mode: "token", token: "a".repeat(48) } } };
  const host = scriptedHost({
    name: "clawdbot",
    self: ["/usr/bin/clawdbot"],
    args: ["doctor", "--json", ...flags],
    ...(scene.commands ? { commands: scene.commands } : {}),
    files: { "/home/me/.clawdbot/clawdbot.json": JSON.stringify(config), "/usr/bin/clawdbot": "" },
  });
  const installed: InstalledService = {
    path: unit,
    program: ["/usr/bin/clawdbot", "gateway", "--port", "18789"],
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    secrets: {},
    files: [{ path: unit, text: "[Service]\nRestartSec=5\n", mode: 0o600 }],
    ...scene.installed,
  };
  const services: ServiceManager = {
    kind: scene.kind ?? "systemd",
    words: { label: "systemd", loaded: "enabled", notLoaded: "disabled" },
    abilities: async () => ({ notifies: false, backsOff: false }),
    render: async () => [],
    steps: async () => [],
    target: async () => "clawdbot-gateway.service",
    path: async () => unit,
    installed: async (_, scope) =>
      scene.installed && (scene.scopes ?? ["user"]).includes(scope) ? installed : undefined,
    state: async () => {
      if (scene.unavailable !== undefined) throw new Failure("unavailable", scene.unavailable);
      return scene.state ?? { loaded: true, runtime: { status: "running" } };
    },
    install: async () => void asked.push("install"),
    uninstall: async () => [],
    control: async () => undefined,
    foreign: async (_, { deep }) => (deep ? (scene.foreign ?? []) : []),
    lingering: {
      state: async () => scene.lingering ?? true,
      enable: async () => void asked.push("linger"),
      command: ["loginctl", "enable-linger", "me"],
    },
  };
  const code = await main({ ...host, runtimeVersion: scene.runtimeVersion ?? "node 24.1.0", services });
  const report: unknown = JSON.parse(host.terminal.stdout.text);
  if (!isObject(report) || !Array.isArray(report["checks"])) throw new Error("no report");
  const findings = report["checks"]
    .filter(isObject)
    .filter(({ id }) => id === "service" || id === "runtimes")
    .flatMap(({ findings: each }) => (Array.isArray(each) ? each : []))
    .filter(isObject);
  return { code, findings, codes: findings.map((each) => each["code"]), asked, text: host.terminal.stdout.text };
}

test("cli.md 3.7: a gateway that is no service is told of, with the command that makes it one", async () => {
  const { findings } = await doctor({});
  assert.equal(
    findings.map(({ code, command }) => [code, command]),
    [["service-not-installed", "clawdbot gateway install"]],
  );
});

test("cli.md 3.7: a command line without gateway needs --force, and with it is written anew", async () => {
  const scene = { installed: { program: ["/usr/bin/clawdbot", "other"] } };
  const { findings, asked } = await doctor(scene, "--repair", "--yes");
  const found = findings.find(({ code }) => code === "gateway-command-missing");
  assert.match(String(found?.["message"]), "Rerun with --force to overwrite.");
  assert.is(found?.["fixable"], false);
  assert.equal(asked, ["install"], "what differs is put right all the same");
  assert.ok(
    (await doctor(scene, "--repair", "--force")).findings.some(
      ({ code, fixable }) => code === "gateway-command-missing" && fixable === true,
    ),
  );
});

test("cli.md 3.7: the audit's codes and what differs are findings, and nothing of it is a secret", async () => {
  const { codes, text } = await doctor({
    installed: {
      program: ["/usr/bin/clawdbot", "gateway", "--port", "19000"],
      environment: { CLAWDBOT_GATEWAY_TOKEN: secret },
    },
  });
  for (const code of ["gateway-path-missing", "gateway-token-embedded", "service-differs"])
    assert.ok(codes.includes(code), `${code} in ${codes.join(", ")}`);
  assert.not.match(text, secret);
});

test("cli.md 3.7: a unit that is not enabled, or does not run, is told of", async () => {
  const { codes } = await doctor({ installed: {}, state: { loaded: false, runtime: { status: "stopped" } } });
  assert.ok(codes.includes("service-not-loaded"));
  assert.ok(codes.includes("service-stopped"));
});

test("cli.md 3.7: lingering that is off is a finding, and --fix --yes enables it", async () => {
  const scene = { installed: {}, lingering: false };
  assert.ok((await doctor(scene)).codes.includes("service-lingering-off"));
  assert.ok((await doctor(scene, "--fix", "--yes")).asked.includes("linger"));
  assert.equal((await doctor(scene, "--fix")).asked, [], "never without being asked to");
});

test("cli.md 3.7: other gateway-like services are listed with how to be rid of them, those of the system with --deep", async () => {
  const other: ForeignService = {
    platform: "linux",
    label: "old-gateway.service",
    detail: "unit: /etc/systemd/system/old-gateway.service",
    scope: "system",
    remove: ["systemctl disable --now old-gateway.service", "rm /etc/systemd/system/old-gateway.service"],
  };
  assert.not.ok((await doctor({ foreign: [other] })).codes.includes("service-foreign"));
  const { findings } = await doctor({ foreign: [other] }, "--deep");
  const found = findings.find(({ code }) => code === "service-foreign");
  assert.is(found?.["command"], other.remove.join(" && "));
});

test("installed for a person and for the whole machine: told, with how to end one of them", async () => {
  const { findings } = await doctor({ installed: {}, scopes: ["user", "system"] });
  const twice = findings.find(({ code }) => code === "service-twice");
  assert.is(twice?.["command"], "clawdbot gateway uninstall");
  for (const kind of ["launchd", "schtasks"] as const) {
    const { codes } = await doctor({ kind, installed: {}, scopes: ["user", "system"] });
    assert.not.ok(codes.includes("service-twice"), `${kind} has one place for it, whoever asks`);
  }
});

test("a service that the system's tools say nothing about: service-state-unknown, with why", async () => {
  const { findings } = await doctor({ installed: {}, unavailable: "systemctl --user unavailable: no bus" });
  const unknown = findings.find(({ code }) => code === "service-state-unknown");
  assert.match(String(unknown?.["message"]), "cannot be asked about it: systemctl --user unavailable: no bus.");
});

for (const scope of ["user", "system"] as const)
  test(`a service of the ${scope} that runs on an old runtime: service-runtime-too-old`, async () => {
    const { findings } = await doctor({
      installed: { program: ["/opt/old/node", "/usr/bin/clawdbot", "gateway", "--port", "18789"] },
      scopes: [scope],
      commands: { "/opt/old/node --version": { stdout: "v18.20.1\n" } },
    });
    const old = findings.find(({ code }) => code === "service-runtime-too-old");
    assert.match(String(old?.["message"]), "The service runs on node 18.20.1; it needs node 20.19 or newer.");
    assert.is(old?.["command"], "clawdbot gateway install --force");
  });

test("a port that only install was told is no difference, as gateway.port is not set", async () => {
  const program = ["/usr/bin/clawdbot", "gateway", "--port", "18799"];
  const { findings } = await doctor({ installed: { program } });
  assert.not.ok(findings.some(({ message }) => String(message).includes("port differs")));
});

test("a runtime that is too old is an error", async () => {
  assert.ok((await doctor({ runtimeVersion: "node 18.20.1" })).codes.includes("runtime-too-old"));
});

test.run();
