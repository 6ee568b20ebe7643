import { suite, test } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../support/gateway-process.ts";
import { runtime } from "../support/runtime.ts";
import type { LoadFigures } from "../support/systemd/load.ts";
import { addAccount, bootMachine, enableLinger, expectOk, missing, userManager } from "../support/systemd/machine.ts";
import { serviceOn } from "../support/systemd/service.ts";
import { underLoad } from "../support/systemd/under-load.ts";

// Each test goes on where the one before it left the machine: from the installation to its end.
const why = runtime === "bun" ? missing() : "needs Bun: one boot is enough for all";
if (why) {
  test("a real systemd keeps the gateway running", () => void process.stdout.write(`skipped: ${why}\n`));
  test.run();
} else {
  const life = suite("systemd");
  const machine = await bootMachine();
  life.after(() => machine.powerOff());
  const somebody = await addAccount(machine, "somebody");
  await enableLinger(machine, somebody);
  const another = await addAccount(machine, "another");
  const unit = "openclaw-gateway.service";
  const own = serviceOn(machine, { unit, owner: somebody, scope: "user" });
  const everybodys = serviceOn(machine, { unit, owner: another, scope: "system" });
  const token = "a-token-of-this-test";
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token } },
    commands: { restart: true },
    agents: { defaults: { skipBootstrap: true } },
  };
  const target = { url: "ws://127.0.0.1:18789", token, as: somebody };
  const before = await left();

  life("SC-001 SC-002 install and start: enabled, running and ready", async () => {
    await own.writeConfig(config);
    const { stdout } = await own.cli("gateway", "install", "--json");
    assert.is(JSON.parse(stdout).result, "installed");
    await expectOk(own.cli("gateway", "start"));
    await own.pid();
    assert.is(await own.property("Type"), "notify");
    assert.is(await own.property("UnitFileState"), "enabled");
    await expectOk(own.cli("health"));
  });

  life("SC-002 what is installed is installed once: the gateway goes on", async () => {
    const pid = await own.pid();
    const { stdout } = await own.cli("gateway", "install", "--json");
    assert.is(JSON.parse(stdout).result, "already-installed");
    assert.is(await own.pid(), pid);
  });

  life("SC-052 status tells what systemd tells", async () => {
    const { service, rpc } = JSON.parse(await expectOk(own.cli("gateway", "status", "--json")));
    assert.is(service.loaded, true);
    assert.is(service.runtime.status, "running");
    assert.is(String(service.runtime.pid), await own.pid());
    assert.is(rpc.ok, true);
  });

  life("SC-026 the journal has the lines of the start", async () => {
    await told(`listening on ws://127.0.0.1:18789 (PID ${await own.pid()})`);
  });

  life("kill -9: it is back, and systemd has counted", async () => {
    const pid = await own.pid();
    await expectOk(machine.run(["kill", "-KILL", pid]));
    await own.pid(pid);
    assert.is(await own.property("NRestarts"), "1");
    await expectOk(own.cli("health"));
  });

  life("one that hangs is ended and started anew", async () => {
    await own.dropIn("[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\nRestartSec=100ms\n");
    await expectOk(own.systemctl("restart", unit));
    const pid = await own.pid();
    await expectOk(machine.run(["kill", "-STOP", pid]));
    await own.pid(pid);
    await told("Watchdog timeout");
  });

  life("a configuration that forbids the start: status 78, and no second try", async () => {
    await own.writeConfig({ gateway: { mode: "local", bind: "lan" } });
    try {
      await own.systemctl("restart", unit);
      // With a restart to come it would be `activating`.
      assert.is(await own.property("ActiveState"), "failed");
      assert.is(await own.property("ExecMainStatus"), "78");
      await told("Refusing to bind gateway to lan without auth");
    } finally {
      await own.writeConfig(config);
    }
    await expectOk(own.cli("gateway", "start"));
    await own.pid();
  });

  life("SC-169 reload under load: no connection is refused and nothing is lost", async () => {
    const pid = await own.pid();
    const figures = await underLoad(machine, target, async () => {
      for (let time = 0; time < 5; time++) {
        const starts = await started();
        await expectOk(own.systemctl("reload", unit));
        await until("restart in the process", async () => (await started()) > starts || undefined, 40_000);
      }
    });
    assert.is(await own.pid(), pid, "the same process");
    assert.is(figures.failures["ECONNREFUSED"] ?? 0, 0);
    nothingLost(figures);
  });

  life("SC-053 restart under load: nothing that was acknowledged is lost", async () => {
    const pid = await own.pid();
    const figures = await underLoad(machine, target, async () => {
      await expectOk(own.cli("gateway", "restart"));
      await own.pid(pid);
    });
    nothingLost(figures);
  });

  life("a service of the machine: runs as who called sudo, its token in no unit and no process list", async () => {
    const secret = "only-for-the-gateway";
    await everybodys.writeConfig({ gateway: { mode: "local" } });
    const options = ["--system", "--port", "18790", "--runtime", "node", "--token", secret];
    await expectOk(everybodys.cli("gateway", "install", ...options));
    const pid = await everybodys.pid();
    assert.is(await owner(`/proc/${pid}`), "another");
    assert.match(await expectOk(machine.run(["readlink", `/proc/${pid}/exe`])), /\/node$/m);
    assert.not.match(await expectOk(machine.run(["ps", "-eo", "args"])), secret);
    assert.not.match(await expectOk(everybodys.systemctl("cat", unit)), secret);
    await expectOk(machine.run(["kill", "-KILL", pid]));
    await everybodys.pid(pid);
  });

  life("SC-013 after a reboot both are back, with nobody logged in", async () => {
    await machine.reboot();
    await userManager(machine, somebody);
    await own.pid();
    await everybodys.pid();
    await expectOk(own.cli("health"));
  });

  life("SC-055 uninstall: nothing is left", async () => {
    await expectOk(everybodys.cli("gateway", "uninstall", "--system"));
    await expectOk(own.cli("gateway", "uninstall"));
    for (const service of [own, everybodys]) {
      assert.is(await service.property("LoadState"), "not-found");
      assert.is(await service.property("ActiveState"), "inactive");
    }
    assert.is(await left(), before);
  });

  life.run();

  async function started(): Promise<number> {
    return (await own.journal()).split("listening on ws://127.0.0.1").length;
  }

  /** What a process says as it ends is in the journal a moment later. */
  async function told(text: string): Promise<void> {
    await until(`line in the journal: ${text}`, async () => (await own.journal()).includes(text) || undefined, 10_000);
  }

  async function owner(path: string): Promise<string> {
    return (await expectOk(machine.run(["stat", "--format=%U", path]))).trim();
  }

  /** What a service leaves on a disk: units, links to them, changes of them, files with secrets. */
  async function left(): Promise<string> {
    const names = ["(", "-path", "*systemd*", "-o", "-name", "*.env", ")"];
    return (await machine.run(["find", "/etc/systemd", "/home", "-not", "-type", "d", ...names])).stdout;
  }
}

function nothingLost({ written, wrong, calls }: LoadFigures): void {
  assert.ok(calls > 0);
  assert.ok(written > 0);
  assert.equal(wrong, []);
}
