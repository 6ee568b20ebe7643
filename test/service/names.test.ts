import { test } from "uvu";
import * as assert from "uvu/assert";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { serviceNames } from "../../src/service/names.ts";
import { scriptedHost } from "../support/host.ts";

const names = (id: "openclaw" | "clawdbot", profile: string, env: Record<string, string> = {}) => {
  const host = scriptedHost({ env });
  return serviceNames(host, flavours[id], pathsOf(host, flavours[id], profile));
};

test("cli.md 3.1: names by flavour and profile", () => {
  assert.equal(names("clawdbot", ""), {
    launchd: "com.clawdbot.gateway",
    systemd: "clawdbot-gateway.service",
    schtasks: "Clawdbot Gateway",
    taskScript: "/home/me/.clawdbot/gateway.cmd",
  });
  assert.equal(names("openclaw", "p"), {
    launchd: "ai.openclaw.p",
    systemd: "openclaw-gateway-p.service",
    schtasks: "OpenClaw Gateway (p)",
    taskScript: "/home/me/.openclaw-p/gateway.cmd",
  });
});

test("a profile that is called gateway does not take the main one's label", () => {
  assert.is.not(names("openclaw", "gateway").launchd, names("openclaw", "").launchd);
});

test("the environment overrides them, under either prefix", () => {
  const env = {
    OPENCLAW_LAUNCHD_LABEL: "org.me.x",
    CLAWDBOT_SYSTEMD_UNIT: "mine",
    OPENCLAW_WINDOWS_TASK_NAME: "My Task",
  };
  const { launchd, systemd, schtasks } = names("openclaw", "", env);
  assert.equal([launchd, systemd, schtasks], ["org.me.x", "mine.service", "My Task"]);
  assert.is(names("openclaw", "", { OPENCLAW_SYSTEMD_UNIT: "mine.service" }).systemd, "mine.service");
});

test("threat M: a name cannot be a path", () => {
  for (const name of ["SYSTEMD_UNIT", "LAUNCHD_LABEL", "WINDOWS_TASK_NAME"])
    for (const value of ["../../x", "a/b", "a\nb"])
      assert.throws(() => names("openclaw", "", { [`OPENCLAW_${name}`]: value }), new RegExp(`Invalid ${name}`));
});

test.run();
