import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parsePrint } from "../../../adapters/service/launchd.ts";
import { parseLaunchd, renderLaunchd } from "../../../adapters/service/launchd-plist.ts";
import { canary, failureOf, managerOf, sameAsGolden, unitFor, variants } from "./units.ts";

const textOf = (unit: ReturnType<typeof unitFor>) => renderLaunchd(unit, "/x.plist")[0]?.text ?? "";
const recorded = (name: string) => readFileSync(`test/golden/services/launchctl-${name}.txt`, "utf8");
const notLoaded = 'Could not find service "ai.openclaw.gateway" in domain for user gui: 501\n';

for (const { name, ...choice } of variants) {
  test(`cli.md 3.2: the property list of ${name} is the golden one`, () => {
    const unit = unitFor("launchd", choice);
    sameAsGolden(name, renderLaunchd(unit, `/Users/me/Library/LaunchAgents/${unit.names.launchd}.plist`));
  });
}

test("SC-013 it starts at login, and comes back when it ends", () => {
  assert.match(textOf(unitFor("launchd")), /<key>RunAtLoad<\/key>\s*<true\/>\s*<key>KeepAlive<\/key>\s*<true\/>/);
});

test("threat G: a secret is in the file of mode 0600 and nowhere else", () => {
  const [plist, secrets] = renderLaunchd(unitFor("launchd", { profile: "rescue" }), "/x.plist");
  assert.not.match(plist?.text ?? "", canary);
  assert.match(secrets?.text ?? "", canary);
  assert.is(secrets?.mode, 0o600);
});

const odd = ["/opt/a <b> & 'c' \"d\"/run", "</string><key>x</key>", "日本 🦞", ""];

test("threat M: whatever a path has in it arrives as it was", () => {
  const unit = { ...unitFor("launchd"), program: odd, environment: { ODD: "<&>" } };
  assert.equal(parseLaunchd(textOf(unit)), { program: odd, environment: { ODD: "<&>" } });
  assert.throws(() => textOf({ ...unit, program: ["/a\u0000b"] }), /control characters/);
});

test("cli.md 3.6: launchctl print: running, not loaded, failed, refused", () => {
  assert.equal(parsePrint(0, recorded("running"), ""), {
    loaded: true,
    runtime: { status: "running", state: "running", pid: 4242, lastExitStatus: 1, restarts: 2 },
  });
  assert.equal(parsePrint(113, "", notLoaded), { loaded: false, runtime: { status: "stopped" } });
  assert.equal(parsePrint(0, recorded("spawn-failed"), ""), {
    loaded: true,
    runtime: {
      status: "stopped",
      state: "spawn scheduled",
      lastExitStatus: 78,
      lastExitReason: "EX_CONFIG",
      restarts: 0,
    },
  });
  assert.equal(parsePrint(125, "", "Domain does not support specified action\n"), {
    loaded: false,
    runtime: { status: "unknown", detail: "Domain does not support specified action" },
  });
});

test("cli.md 3.3: install loads the agent only when the former one is gone", async () => {
  let printed = 0;
  const { host, manager } = managerOf("darwin", {
    home: "/Users/me",
    commands: {
      launchctl: ([verb]) => {
        if (verb !== "print") return {};
        // Loaded when looked at first, and twice more while it ends.
        return ++printed <= 3 ? { stdout: recorded("running") } : { code: 113, stderr: notLoaded };
      },
    },
  });
  const install = { over: false };
  const done = manager.install(unitFor("launchd")).finally(() => (install.over = true));
  // A part of it may still be loaded from the disk when the clock begins to move.
  while (!install.over) await host.clock.advance(250);
  await done;
  assert.equal(
    host.processes.ran.map(({ args }) => args.join(" ")).filter((line) => !line.startsWith("print")),
    [
      "bootout gui/501/ai.openclaw.gateway",
      "enable gui/501/ai.openclaw.gateway",
      "bootstrap gui/501 /Users/me/Library/LaunchAgents/ai.openclaw.gateway.plist",
      "kickstart -k gui/501/ai.openclaw.gateway",
    ],
  );
  assert.is(printed, 4);
});

test("cli.md 3.3: start loads an agent that was stopped; stop of one that is not loaded is content", async () => {
  const { host, manager } = managerOf("darwin", {
    home: "/Users/me",
    commands: { launchctl: ([verb]) => (verb === "print" ? { code: 113, stderr: notLoaded } : {}) },
  });
  const { names } = unitFor("launchd");
  await manager.control("stop", names, "user");
  await manager.control("start", names, "user");
  assert.equal(
    host.processes.ran.map(({ args }) => args[0]).filter((verb) => verb !== "print"),
    ["enable", "bootstrap", "kickstart"],
  );
});

test("what launchctl refuses is told in its own words", async () => {
  const { manager } = managerOf("darwin", {
    home: "/Users/me",
    commands: {
      launchctl: ([verb]) =>
        verb === "bootstrap" ? { code: 5, stderr: "Bootstrap failed: 5: Input/output error\n" } : { code: 113 },
    },
  });
  const failure = await failureOf(manager.control("start", unitFor("launchd").names, "user"));
  assert.is(failure.code, "failed");
  assert.match(failure.message, /launchctl enable .* failed: status 113/);
});

test("a Mac without launchctl is unavailable, not broken", async () => {
  const { code } = await failureOf(managerOf("darwin").manager.state(unitFor("launchd").names, "user"));
  assert.is(code, "unavailable");
});

const python = "import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";

if (spawnSync("python3", ["-c", "import plistlib"]).status === 0) {
  test("another reader of property lists reads the same", () => {
    for (const { name, ...choice } of variants) {
      const unit = { ...unitFor("launchd", choice), program: odd };
      const { stdout } = spawnSync("python3", ["-c", python], { input: textOf(unit), encoding: "utf8" });
      const value = JSON.parse(stdout);
      assert.equal(value.ProgramArguments, odd, name);
      assert.equal(value.EnvironmentVariables, unit.environment, name);
      assert.equal([value.Label, value.Umask, value.ExitTimeOut, value.KeepAlive], [unit.names.launchd, 63, 40, true]);
    }
  });
} else test.skip("property lists are read by another reader (skipped: needs python3)", () => undefined);

test.run();
