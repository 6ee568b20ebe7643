import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseShow } from "../../../adapters/service/systemd.ts";
import { parseSystemd, renderSystemd } from "../../../adapters/service/systemd-unit.ts";
import { canary, failureOf, managerOf, sameAsGolden, unitFor, variants } from "./units.ts";

const textOf = (unit: ReturnType<typeof unitFor>) => renderSystemd(unit, "/unit/x.service")[0]?.text ?? "";

for (const { name, ...choice } of variants) {
  test(`cli.md 3.2: the unit of ${name} is the golden one`, () => {
    const unit = unitFor("systemd", choice);
    sameAsGolden(name, renderSystemd(unit, `/home/me/.config/systemd/user/${unit.names.systemd}`));
  });
}

test("SC-013 it starts with the machine, and comes back whatever happens but a refusal", () => {
  const text = textOf(unitFor("systemd"));
  for (const line of ["WantedBy=default.target", "Restart=always", "RestartPreventExitStatus=78"])
    assert.ok(text.includes(`\n${line}\n`), line);
  assert.ok(text.indexOf("StartLimitIntervalSec=0") < text.indexOf("[Service]"), "no latch: a setting of [Unit]");
  assert.ok(text.includes("\nTimeoutStopSec=40\n"), "the drain budget of 30 seconds, and a margin");
});

test("what an older systemd does not know is left out", () => {
  const text = textOf(unitFor("systemd", { notifies: false, backsOff: false }));
  assert.not.match(text, /RestartSteps|RestartMaxDelaySec|WatchdogSec|NotifyAccess/);
  assert.match(text, "Type=exec");
});

test("a service of the machine names its account and its target", () => {
  const text = textOf(unitFor("systemd", { scope: "system", user: "me" }));
  assert.match(text, "\nUser=me\n");
  assert.match(text, "\nWantedBy=multi-user.target\n");
});

test("threat G: a secret is in the file of mode 0600 and nowhere else", () => {
  const [unit, secrets] = renderSystemd(unitFor("systemd", { profile: "rescue" }), "/unit");
  assert.not.match(unit?.text ?? "", canary);
  assert.match(secrets?.text ?? "", canary);
  assert.is(secrets?.mode, 0o600);
});

const odd = ["/opt/a b/100%/$HOME/run", 'say "hi"', "back\\slash", "$x", "%h", "it's", ";", ""];

test("whatever a path has in it arrives as it was", () => {
  const unit = { ...unitFor("systemd"), program: odd, environment: { ODD: 'a "b" %n $c \\d' } };
  const parsed = parseSystemd(textOf(unit));
  assert.equal(parsed.program, odd);
  assert.equal(parsed.environment, { ODD: 'a "b" %n $c \\d' });
});

test("threat M: a line break cannot begin a setting of its own", () => {
  const unit = { ...unitFor("systemd"), environment: { X: "a\nExecStartPre=/bin/evil" } };
  assert.throws(() => textOf(unit), /control characters/);
});

test("a unit that somebody else wrote is read as well", () => {
  const { program, environment } = parseSystemd(
    '[Service]\nExecStart="/usr/bin/node" "/x/entry.js" gateway \\\n  --port 18789\nEnvironment="A=1 2" B=3\nEnvironment=C=4\n',
  );
  assert.equal(program, ["/usr/bin/node", "/x/entry.js", "gateway", "--port", "18789"]);
  assert.equal(environment, { A: "1 2", B: "3", C: "4" });
});

const shown = (state: string, sub: string, more = "") =>
  parseShow(`MainPID=0\nExecMainStatus=0\nActiveState=${state}\nSubState=${sub}\nUnitFileState=enabled\n${more}`);

test("cli.md 3.6: systemctl show: each state", () => {
  const running = parseShow(
    "MainPID=4242\nNRestarts=3\nExecMainCode=0\nExecMainStatus=0\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n",
  );
  assert.equal(running, {
    loaded: true,
    runtime: {
      status: "running",
      state: "active",
      subState: "running",
      pid: 4242,
      lastExitStatus: 0,
      lastExitReason: "0",
      restarts: 3,
    },
  });
  assert.is(shown("reloading", "reload").runtime.status, "running");
  assert.is(shown("inactive", "dead").runtime.status, "stopped");
  assert.is(shown("failed", "failed", "ExecMainStatus=78\n").runtime.lastExitStatus, 78);
  assert.is(shown("activating", "auto-restart").runtime.status, "stopped");
  assert.is(shown("activating", "auto-restart").runtime.pid, undefined);
  const absent = parseShow("MainPID=0\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n");
  assert.equal([absent.loaded, absent.runtime.status], [false, "stopped"]);
  assert.is(parseShow("").runtime.status, "unknown");
});

test("no bus of the person's own: says so, and what to do", async () => {
  const stderr = "Failed to connect to bus: No medium found\n";
  const { host, manager } = managerOf("linux", { commands: { systemctl: { code: 1, stderr } } });
  const failure = await failureOf(manager.install(unitFor("systemd")));
  assert.is(failure.message, "systemctl --user unavailable: Failed to connect to bus: No medium found");
  assert.match(failure.hints.join("\n"), "enable-linger");
  assert.equal(host.files.snapshot(), {}, "nothing was written");
});

test("a machine without systemd is unavailable, not broken", async () => {
  const { manager } = managerOf("linux");
  const { code, message } = await failureOf(manager.state(unitFor("systemd").names, "user"));
  assert.equal([code, message], ["unavailable", "systemctl is not on this machine"]);
});

test("abilities follow the version, and whether systemd-notify is there", async () => {
  const ask = (version: string, more = {}) =>
    managerOf("linux", {
      commands: { "systemctl --version": { stdout: `systemd ${version}\n+PAM` }, ...more },
    }).manager.abilities();
  assert.equal(await ask("252 (252.39-1~deb12u2)"), { notifies: false, backsOff: false });
  assert.equal(await ask("254 (254.1)", { "systemd-notify --version": {} }), { notifies: true, backsOff: true });
});

test("lingering: on, off, and unknown to the system", async () => {
  const ask = (answer: object) =>
    managerOf("linux", { commands: { "loginctl show-user me -p Linger": answer } }).manager.lingering?.state();
  assert.is(await ask({ stdout: "Linger=yes\n" }), true);
  assert.is(await ask({ stdout: "Linger=no\n" }), false);
  assert.is(
    await ask({ code: 1, stderr: "Failed to get user: User ID 501 is not logged in or lingering\n" }),
    undefined,
  );
});

test("SC-189 foreign services: what looks like a gateway and is not ours", async () => {
  const theirs = "[Service]\nExecStart=/opt/openclaw/bin/openclaw gateway\n";
  const ours = "[Service]\nEnvironment=OPENCLAW_SERVICE_MARKER=openclaw\nEnvironment=OPENCLAW_SERVICE_KIND=gateway\n";
  const { manager } = managerOf("linux", {
    files: {
      "/home/me/.config/systemd/user/my-other-gateway.service": theirs,
      "/home/me/.config/systemd/user/openclaw-gateway-p.service": `${ours}${theirs}`,
      "/home/me/.config/systemd/user/cups.service": "[Service]\nExecStart=/usr/sbin/cupsd\n",
      "/etc/systemd/system/moltbot.service": "[Service]\nExecStart=/opt/moltbot gateway\n",
    },
  });
  const { names } = unitFor("systemd");
  const shallow = await manager.foreign(names, { deep: false });
  assert.equal(shallow, [
    {
      platform: "linux",
      label: "my-other-gateway.service",
      detail: "unit: /home/me/.config/systemd/user/my-other-gateway.service",
      scope: "user",
      remove: [
        "systemctl --user disable --now my-other-gateway.service",
        "rm /home/me/.config/systemd/user/my-other-gateway.service",
      ],
    },
  ]);
  const deep = await manager.foreign(names, { deep: true });
  assert.equal(
    deep.map(({ label, scope }) => `${scope} ${label}`),
    ["user my-other-gateway.service", "system moltbot.service"],
  );
});

test("kill -9 during an installation: the unit is there whole or not at all, and never without its secrets", async () => {
  for (let n = 1; n < 40; n++) {
    const { host, manager } = managerOf("linux", { commands: { systemctl: {} } });
    const unit = unitFor("systemd", { profile: "rescue" });
    host.files.crashAfter(n);
    const crashed = await manager.install(unit).then(
      () => false,
      () => true,
    );
    host.files.recover();
    const found = await manager.installed(unit.names, "user");
    if (found) assert.equal([found.program, found.secrets], [unit.program, unit.secrets]);
    if (!crashed) return assert.ok(found);
  }
  assert.unreachable("the installation never ended");
});

test("kill -9 during an uninstallation: who does it again finishes it, and nothing is left", async () => {
  for (let n = 1; n < 40; n++) {
    const { host, manager } = managerOf("linux", { commands: { systemctl: {} } });
    const unit = unitFor("systemd", { profile: "rescue" });
    await manager.install(unit);
    const path = await manager.path(unit.names, "user");
    host.files.put(`${path}.d/override.conf`, "[Service]\nNice=5\n");
    host.files.crashAfter(n);
    const crashed = await manager.uninstall(unit.names, "user").then(
      () => false,
      () => true,
    );
    host.files.recover();
    await manager.uninstall(unit.names, "user");
    assert.equal(host.files.snapshot(), {}, `killed at ${n}`);
    if (!crashed) return;
  }
  assert.unreachable("the uninstallation never ended");
});

test("what was changed by systemctl edit stays with a unit that somebody else wrote", async () => {
  const { names } = unitFor("systemd");
  const path = `/home/me/.config/systemd/user/${names.systemd}`;
  const files = { [path]: "[Service]\nExecStart=/opt/mine gateway\n", [`${path}.d/override.conf`]: "[Service]\n" };
  const { host, manager } = managerOf("linux", { files, commands: { systemctl: {} } });
  assert.equal(await manager.uninstall(names, "user"), [path]);
  assert.equal(Object.keys(host.files.snapshot()), [`${path}.d/override.conf`]);
});

test("cli.md 3.4: without a bus nothing is uninstalled: the service would run on", async () => {
  const down = { code: 1, stderr: "Failed to connect to bus: No medium found\n" };
  const { names } = unitFor("systemd");
  const path = `/home/me/.config/systemd/user/${names.systemd}`;
  const { host, manager } = managerOf("linux", { files: { [path]: "[Service]\n" }, commands: { systemctl: down } });
  const failure = await failureOf(manager.uninstall(names, "user"));
  assert.is(failure.code, "unavailable");
  assert.ok(await host.files.stat(path));
});

test("threat M: the name of a file cannot become a command in what is to be typed", async () => {
  const where = "/home/me/.config/systemd/user";
  const label = "openclaw $(calc) 'x'.service";
  const { manager } = managerOf("linux", {
    files: { [`${where}/${label}`]: "[Service]\nExecStart=/o/openclaw gateway\n" },
  });
  const [found] = await manager.foreign(unitFor("systemd").names, { deep: false });
  assert.is(found?.remove[1], `rm '${where}/openclaw $(calc) '\\''x'\\''.service'`);
});

if (spawnSync("systemd-analyze", ["--version"]).status === 0) {
  test("systemd-analyze finds nothing to say, of odd names neither", () => {
    const folder = mkdtempSync(join(tmpdir(), "units-"));
    try {
      const program = join(folder, "a b 100% $HOME", "run");
      mkdirSync(join(folder, "a b 100% $HOME"));
      writeFileSync(program, "#!/bin/sh\n");
      chmodSync(program, 0o755);
      const [version = ""] = execFileSync("systemd-analyze", ["--version"], { encoding: "utf8" }).split("\n");
      const backsOff = Number(version.split(" ")[1]) >= 254;
      for (const { name, ...choice } of variants) {
        const unit = { ...unitFor("systemd", { ...choice, backsOff }), program: [program, "gateway", "a $b %c"] };
        const file = join(folder, unit.names.systemd);
        writeFileSync(file, renderSystemd(unit, file)[0]?.text ?? "");
        const { stderr, status } = spawnSync("systemd-analyze", ["--user", "verify", file], {
          encoding: "utf8",
          env: { ...process.env, XDG_RUNTIME_DIR: folder },
        });
        assert.equal([status, stderr], [0, ""], name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
} else test.skip("units are verified (skipped: needs systemd-analyze)", () => undefined);

test.run();
