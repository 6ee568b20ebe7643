import { test } from "uvu";
import * as assert from "uvu/assert";
import { offerLingering } from "../../src/commands/gateway-service-install.ts";
import { createOutput } from "../../src/cli/output.ts";
import { scriptedHost } from "../support/host.ts";
import { launchd, machine, schtasks, systemd } from "./service-systems.ts";

const unit = "/home/me/.config/systemd/user/clawdbot-gateway.service";
const secrets = "/home/me/.clawdbot/service.env";
const has = (text: string, ...parts: readonly string[]) => {
  for (const part of parts) assert.ok(text.includes(part), `${part}\nis missing in\n${text}`);
};

test("SC-001 SC-002 SC-050 SC-057 cli.md 3.3 and 3.4: install, then start: enabled and running, both with status 0", async () => {
  const run = machine(systemd());
  const installed = await run("gateway", "install");
  assert.is(installed.code, 0, installed.stderr);
  assert.is(
    installed.stdout,
    `Installed systemd service: ~/.config/systemd/user/clawdbot-gateway.service
✓ systemd service enabled
✓ service runtime: active
Port: 18789 (default)
`,
  );
  assert.equal(installed.ran, [
    "systemctl --user daemon-reload",
    "systemctl --user enable clawdbot-gateway.service",
    "systemctl --user restart clawdbot-gateway.service",
  ]);
  const started = await run("gateway", "start");
  assert.is(started.code, 0);
  assert.equal(started.ran, [], "one that runs is left alone");
  const again = await run("gateway", "install");
  assert.equal([again.code, again.ran], [0, []]);
  assert.is(again.stdout, "Gateway service already enabled.\nReinstall with: clawdbot gateway install --force\n");
});

test("SC-014 SC-056 macOS: a LaunchAgent", async () => {
  const { code, stdout, ran, host } = await machine(launchd())("gateway", "install");
  assert.is(code, 0);
  has(stdout, "Installed LaunchAgent: ~/Library/LaunchAgents/com.clawdbot.gateway.plist");
  has(stdout, "Logs: ~/.clawdbot/logs/gateway.log", "✓ LaunchAgent loaded", "✓ service runtime: active");
  assert.is(ran.at(-1), "launchctl kickstart -k gui/501/com.clawdbot.gateway");
  assert.ok(await host.files.stat("/home/me/.clawdbot/logs"), "launchd makes the log file, but not its folder");
});

test("SC-058 cli.md 3.3: Windows: a Scheduled Task", async () => {
  const { code, stdout, ran } = await machine(schtasks())("gateway", "install");
  assert.is(code, 0);
  has(stdout, "Installed Scheduled Task: Clawdbot Gateway", "Task script: ~/.clawdbot/gateway.cmd");
  has(stdout, "✓ Scheduled Task registered", "✓ service runtime: running");
  assert.equal(ran, [
    "schtasks /End /TN Clawdbot Gateway",
    "schtasks /Create /F /TN Clawdbot Gateway /XML /home/me/.clawdbot/gateway-task.xml",
    "schtasks /Run /TN Clawdbot Gateway",
  ]);
});

test("SC-025 SC-051 SC-053 SC-054 cli.md 3.3 and 3.4: start, restart, stop: what each runs, and says", async () => {
  const run = machine(systemd());
  await run("gateway", "install");
  const stopped = await run("gateway", "stop");
  assert.equal([stopped.code, stopped.stdout], [0, "Stopped systemd service: clawdbot-gateway.service\n"]);
  assert.equal(stopped.ran, ["systemctl --user stop clawdbot-gateway.service"]);
  const started = await run("gateway", "start");
  assert.equal(started.ran, ["systemctl --user start clawdbot-gateway.service"]);
  has(started.stdout, "Started systemd service: clawdbot-gateway.service", "✓ service runtime: active");
  const restarted = await run("gateway", "restart");
  assert.equal(restarted.ran, ["systemctl --user restart clawdbot-gateway.service"]);
  has(restarted.stdout, "Restarted systemd service: clawdbot-gateway.service");
});

for (const [name, system, expected] of [
  ["launchd", launchd, ["launchctl kickstart -k gui/501/com.clawdbot.gateway"]],
  ["schtasks", schtasks, ["schtasks /End /TN Clawdbot Gateway", "schtasks /Run /TN Clawdbot Gateway"]],
] as const)
  test(`SC-053 cli.md 3.3: restart with ${name}`, async () => {
    const run = machine(system());
    await run("gateway", "install");
    assert.equal((await run("gateway", "restart")).ran, expected);
  });

test("SC-055 cli.md 3.3 and 3.4: uninstall leaves nothing, and says what it removed", async () => {
  const run = machine(systemd());
  await run("gateway", "install", "--token", "s3cret-s3cret");
  const { code, stdout, ran, host } = await run("gateway", "uninstall");
  assert.is(code, 0);
  has(stdout, "Removed systemd service: ~/.config/systemd/user/clawdbot-gateway.service");
  assert.is(ran[0], "systemctl --user stop clawdbot-gateway.service");
  assert.is(ran[1], "systemctl --user disable --now clawdbot-gateway.service");
  assert.equal(Object.keys(host.files.snapshot()), ["/home/me/.clawdbot/clawdbot.json"]);
  const again = await run("gateway", "uninstall");
  assert.is(again.code, 0);
  assert.is(again.stdout, "Systemd service not found at ~/.config/systemd/user/clawdbot-gateway.service\n");
});

test("SC-060 a service that is loaded and does not run: start runs it", async () => {
  const run = machine(systemd());
  await run("gateway", "install");
  await run("gateway", "stop");
  has((await run("gateway", "start")).stdout, "✓ service runtime: active");
});

test("SC-026 SC-061 the log is the gateway's own file; what it prints goes to the journal", async () => {
  const { host } = await machine(systemd())("gateway", "install");
  const text = host.files.snapshot()[unit] ?? "";
  has(text, "StandardOutput=journal");
  assert.not.match(text, "append:");
});

test("SC-062 --port is in the command line and the variable", async () => {
  const { host } = await machine(systemd())("gateway", "install", "--port", "18799");
  has(host.files.snapshot()[unit] ?? "", "gateway --port 18799\n", "CLAWDBOT_GATEWAY_PORT=18799\n");
});

test("SC-062 --token is kept in a file of its own, mode 0600, and nowhere else (threat G)", async () => {
  const { host, stdout } = await machine(systemd())("gateway", "install", "--token", "s3cret-s3cret");
  const files = host.files.snapshot();
  assert.not.match(`${files[unit]}${stdout}${JSON.stringify(host.processes.ran)}`, "s3cret");
  has(files[secrets] ?? "", "CLAWDBOT_GATEWAY_TOKEN=s3cret-s3cret\n");
  assert.is((await host.files.stat(secrets))?.mode, 0o600);
  has(files[unit] ?? "", `CLAWDBOT_SERVICE_ENV_FILE=${secrets}\n`);
});

test("a token that only the environment knows goes along; a configured one needs no copy", async () => {
  const env = { CLAWDBOT_GATEWAY_TOKEN: "from-the-shell" };
  const { host } = await machine(systemd(), { env })("gateway", "install");
  has(host.files.snapshot()[secrets] ?? "", "CLAWDBOT_GATEWAY_TOKEN=from-the-shell\n");
  const files = { "/home/me/.clawdbot/clawdbot.json": '{gateway:{mode:"local",auth:{token:"configured"}}}' };
  const other = await machine(systemd(), { env, files })("gateway", "install");
  assert.not(secrets in other.host.files.snapshot());
});

test("SC-062 --runtime starts the program under another runtime, when it is there", async () => {
  const files = { "/usr/local/bin/bun": "", "/usr/local/bin/deno": "" };
  const env = { PATH: "/usr/local/bin:/usr/bin" };
  const options = { env, files };
  const line = async (runtime: string) => {
    const run = machine(systemd(), options);
    const { host, stderr } = await run("gateway", "install", "--runtime", runtime);
    return /ExecStart=(.*)/.exec(host.files.snapshot()[unit] ?? "")?.[1] ?? stderr;
  };
  assert.match(await line("bun"), /--runtime bun: no bun found on PATH/, "a file that nobody may run is no program");
  assert.is(await line("node"), "/usr/bin/node /usr/bin/clawdbot gateway --port 18789");
  assert.match(await line("binary"), /--runtime binary needs the compiled program/);
});

test("SC-062 SC-063 --runtime with a wrong value: the sentence, on stdout as JSON", async () => {
  const run = machine(systemd());
  const message = 'Invalid --runtime (use "bun", "node", "deno" or "binary")';
  const told = await run("gateway", "install", "--runtime", "java");
  assert.equal([told.code, told.stderr], [2, `${message}\n`]);
  const json = await run("gateway", "install", "--runtime", "java", "--json");
  assert.is(json.code, 2);
  assert.equal(JSON.parse(json.stdout), { action: "install", ok: false, error: message });
});

test("SC-062 --force installs anew; without it a difference is told, with status 0", async () => {
  const run = machine(systemd());
  await run("gateway", "install");
  const told = await run("gateway", "install", "--port", "18799");
  assert.equal([told.code, told.ran], [0, []]);
  assert.is(
    told.stderr,
    "unit differs: port differs: 18789 installed, 18799 configured; run clawdbot gateway install --force\n",
  );
  const forced = await run("gateway", "install", "--port", "18799", "--force");
  assert.is(forced.ran.length, 3);
  has(forced.host.files.snapshot()[unit] ?? "", "--port 18799");
});

test("install anew without --port keeps the port of the service; gateway.port, when it is set, wins", async () => {
  const run = machine(systemd());
  await run("gateway", "install", "--port", "18799");
  const again = await run("gateway", "install");
  assert.equal([again.code, again.stderr], [0, ""], "it does not differ");
  const forced = await run("gateway", "install", "--force");
  has(forced.stdout, "Port: 18799 (as installed)\n");
  has(forced.host.files.snapshot()[unit] ?? "", "gateway --port 18799\n");
  await forced.host.files.write("/home/me/.clawdbot/clawdbot.json", '{gateway:{mode:"local",port:19005}}');
  const told = await run("gateway", "install");
  has(told.stderr, "port differs: 18799 installed, 19005 configured");
  has((await run("gateway", "install", "--force")).stdout, "Port: 19005 (gateway.port)\n");
});

test("SC-062 the alias `daemon install` takes the same options", async () => {
  const { code, host } = await machine(systemd())("daemon", "install", "--port", "18799", "--force");
  assert.is(code, 0);
  has(host.files.snapshot()[unit] ?? "", "--port 18799");
});

test("SC-063 cli.md 3.4: every verb answers one JSON object", async () => {
  const run = machine(systemd());
  const service = { label: "systemd", loaded: true, loadedText: "enabled", notLoadedText: "disabled" };
  const json = async (...args: readonly string[]) => JSON.parse((await run("gateway", ...args, "--json")).stdout);
  const port = { port: 18789, portSource: "default" };
  assert.equal(await json("install"), { action: "install", ok: true, result: "installed", ...port, service });
  assert.equal(await json("install"), {
    action: "install",
    ok: true,
    result: "already-installed",
    message: "Gateway service already enabled.",
    service,
  });
  assert.equal(await json("restart"), { action: "restart", ok: true, result: "restarted", service });
  assert.equal(await json("stop"), { action: "stop", ok: true, result: "stopped", service });
  assert.equal(await json("start"), { action: "start", ok: true, result: "started", service });
  const { result, removed } = await json("uninstall");
  assert.equal([result, removed], ["uninstalled", [unit]]);
  const { message, hints, ...rest } = await json("start");
  assert.equal([rest.ok, rest.result, message, hints.length], [false, "not-loaded", "Gateway service disabled.", 3]);
});

for (const [system, word, own] of [
  [systemd, "disabled", "systemctl --user start clawdbot-gateway.service"],
  [launchd, "not loaded", "launchctl bootstrap gui/$UID ~/Library/LaunchAgents/com.clawdbot.gateway.plist"],
  [schtasks, "missing", 'schtasks /Run /TN "Clawdbot Gateway"'],
] as const)
  test(`cli.md 3.4: not installed: start says so (${word}) and how to start, stop is content`, async () => {
    const run = machine(system());
    const { code, stdout } = await run("gateway", "start");
    const hints = ["clawdbot gateway install", "clawdbot gateway", own].map((hint) => `Start with: ${hint}\n`);
    assert.equal([code, stdout], [1, `Gateway service ${word}.\n${hints.join("")}`]);
    const stopped = await run("gateway", "stop");
    assert.equal([stopped.code, stopped.stdout], [0, `Gateway service ${word}.\n`]);
  });

test("stop of a gateway in the foreground says where it is and how to stop it", async () => {
  const runtime = '{"pid":4242,"port":18789,"url":"ws://127.0.0.1:18789","startedAt":0}';
  const { code, stdout } = await machine(systemd(), { files: { "/home/me/.clawdbot/runtime.json": runtime } })(
    "gateway",
    "stop",
  );
  assert.is(code, 1);
  has(stdout, "A gateway runs in the foreground, not as a service: PID 4242, port 18789.", "or: kill 4242");
});

test("a service that does not stay up: says failed, and where to look", async () => {
  const { code, stderr } = await machine(systemd({ fails: true }))("gateway", "install");
  assert.is(code, 1);
  has(stderr, "Installed systemd service, but it does not run: failed, last exit 78");
  has(stderr, "journalctl --user -u clawdbot-gateway.service -n 200 --no-pager");
});

test("cli.md 3.4: no systemd of the person's own: what is wrong and what to do, status 1", async () => {
  const commands = { systemctl: { code: 1, stderr: "Failed to connect to bus: No medium found\n" } };
  const { code, stderr } = await machine({ os: "linux", commands })("gateway", "install");
  assert.is(code, 1);
  const text = "systemctl --user unavailable: Failed to connect to bus: No medium found\n";
  has(stderr, `Gateway service check failed: Error: ${text}`, "enable-linger", "in a container");
  has(stderr, 'sudo HOME="$HOME" /usr/bin/node /usr/bin/clawdbot gateway install --system\n');
});

test("--dry-run shows files and commands with secrets masked, and does nothing", async () => {
  const { code, stdout, ran, host } = await machine(systemd())("gateway", "install", "--dry-run", "--token", "s3cret");
  assert.is(code, 0);
  has(stdout, "Would write ~/.config/systemd/user/clawdbot-gateway.service (0644):", "CLAWDBOT_GATEWAY_TOKEN=***");
  has(stdout, "Would run:\n  systemctl --user daemon-reload\n");
  assert.not.match(stdout, "s3cret");
  assert.equal(ran, []);
  assert.equal(Object.keys(host.files.snapshot()), ["/home/me/.clawdbot/clawdbot.json"]);
});

test("a profile has a service of its own", async () => {
  const files = { "/home/me/.clawdbot-rescue/clawdbot.json": '{gateway:{mode:"local",port:19001}}' };
  const { code, host, ran } = await machine(systemd(), { files })("--profile", "rescue", "gateway", "install");
  assert.is(code, 0);
  assert.is(ran.at(-1), "systemctl --user restart clawdbot-gateway-rescue.service");
  const text = host.files.snapshot()["/home/me/.config/systemd/user/clawdbot-gateway-rescue.service"] ?? "";
  has(text, "--port 19001", "CLAWDBOT_PROFILE=rescue", "CLAWDBOT_STATE_DIR=/home/me/.clawdbot-rescue");
});

test("--system: needs root, belongs to who called sudo, and is for systemd", async () => {
  const system = systemd();
  const root = (env: Record<string, string>, passwd = "me:x:501:501::/home/me:/bin/sh") =>
    machine(
      { ...system, commands: { ...system.commands, id: { stdout: "0\n" }, getent: { stdout: passwd }, chown: {} } },
      { env },
    )("gateway", "install", "--system");
  const path = "/etc/systemd/system/clawdbot-gateway.service";
  const refused = await machine(systemd())("gateway", "install", "--system");
  assert.is(refused.code, 1);
  has(refused.stderr, "--system installs for the whole machine and needs root");
  has(refused.stderr, 'Try: sudo HOME="$HOME" /usr/bin/node /usr/bin/clawdbot gateway install --system\n');
  const { code, ran, host } = await root({ SUDO_USER: "me" });
  assert.is(code, 0);
  has(host.files.snapshot()[path] ?? "", "\nUser=me\n", "WantedBy=multi-user.target");
  assert.is(ran.at(-1), "systemctl restart clawdbot-gateway.service");
  has((await root({ SUDO_USER: "you" }, "you:x:1:1::/home/you:/bin/sh")).stderr, "not the home folder of you");
  assert.is((await machine(launchd())("gateway", "install", "--system")).code, 2);
});

const systemUnit = "/etc/systemd/system/clawdbot-gateway.service";
const ours = "[Service]\nEnvironment=CLAWDBOT_SERVICE_MARKER=clawdbot CLAWDBOT_SERVICE_KIND=gateway\n";

test("a service of the whole machine: who is not root is told what to type, and nothing is removed", async () => {
  const denied = { code: 4, stderr: "Failed to stop clawdbot-gateway.service: Access denied\n" };
  const { commands } = systemd();
  const { systemctl } = commands;
  const system = {
    os: "linux" as const,
    commands: {
      systemctl: (args: readonly string[]) =>
        /stop|disable/.test(args.join()) ? denied : (systemctl as (args: readonly string[]) => object)(args),
    },
  };
  const run = machine(system, { files: { [systemUnit]: ours } });
  for (const [verb, code] of [
    ["stop", 1],
    ["uninstall", 1],
  ] as const) {
    const told = await run("gateway", verb);
    assert.is(told.code, code);
    has(told.stderr, "Access denied; the service of the whole machine is root's");
    has(told.stderr, `Try: sudo HOME="$HOME" /usr/bin/node /usr/bin/clawdbot gateway ${verb} --system\n`);
  }
  const all = await run("uninstall", "--service", "--yes", "--json");
  assert.is(all.code, 1);
  assert.match(JSON.parse(all.stdout).error.hints[0], /clawdbot gateway uninstall --system$/);
  assert.ok(await all.host.files.stat(systemUnit));
});

test("uninstall --service ends the service of the whole machine too, with what was changed by systemctl edit", async () => {
  const drop = `${systemUnit}.d/override.conf`;
  const run = machine(systemd(), { files: { [systemUnit]: ours, [drop]: "[Service]\nNice=5\n" } });
  const { code, ran, host } = await run("uninstall", "--service", "--yes");
  assert.is(code, 0);
  assert.equal(ran, [
    "systemctl stop clawdbot-gateway.service",
    "systemctl disable --now clawdbot-gateway.service",
    "systemctl daemon-reload",
    "systemctl reset-failed clawdbot-gateway.service",
  ]);
  assert.equal(Object.keys(host.files.snapshot()), ["/home/me/.clawdbot/clawdbot.json"]);
});

test("a program in a cache of npx is warned about; a gateway that is not set up, too", async () => {
  const files = { "/home/me/.clawdbot/clawdbot.json": "{}" };
  const self = ["/usr/bin/node", "/home/me/.npm/_npx/abc/node_modules/.bin/clawdbot"];
  const { stderr } = await machine(systemd(), { self, files })("gateway", "install");
  has(stderr, "lies in a cache and may vanish", "The gateway will refuse to start until it is set up");
});

test("lingering that is off is explained; a script is given the command, a person is asked", async () => {
  const run = machine(systemd({ linger: "no" }));
  has((await run("gateway", "install")).stdout, "Lingering is off", "Switch it on: loginctl enable-linger me");
  const host = scriptedHost({ interactive: true });
  const output = createOutput(host, { json: false, noColor: true });
  const asked: string[] = [];
  let enabled = 0;
  const command = ["loginctl", "enable-linger", "me"];
  const lingering = { state: async () => false, enable: async () => void enabled++, command };
  const answer = (yes: boolean) => async (question: string) => {
    asked.push(question);
    return yes;
  };
  assert.equal(await offerLingering({ host, output }, lingering, answer(true)), ["✓ lingering enabled"]);
  assert.equal(asked, ["Switch lingering on (loginctl enable-linger me)?"]);
  const later = await offerLingering({ host, output }, lingering, answer(false));
  assert.equal([later, enabled], [["Later: loginctl enable-linger me"], 1]);
});

test("a system without a service manager says what to do instead", async () => {
  const { code, stderr } = await machine({ os: "linux", commands: {} }, { os: "none" })("gateway", "install");
  assert.is(code, 1);
  has(stderr, "No service manager is known", "clawdbot gateway");
});

test.run();
