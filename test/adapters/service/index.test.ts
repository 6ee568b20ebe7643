import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveGatewayService } from "../../../adapters/service/index.ts";

const untouched = (): never => {
  throw new Error("nothing of the machine was asked for");
};

test("SC-244 resolveGatewayService() picks launchd, systemd or schtasks by platform, and asks nothing of it yet", () => {
  const kindOn = (os: Parameters<typeof resolveGatewayService>[0]) => resolveGatewayService(os, untouched)?.kind;
  assert.is(kindOn("darwin"), "launchd");
  assert.is(kindOn("linux"), "systemd");
  assert.is(kindOn("windows"), "schtasks");
  assert.is(kindOn("none"), undefined);
});

test("cli.md 3.1: each has its label, and its words for loaded and not loaded", () => {
  const words = (["darwin", "linux", "windows"] as const).map((os) => resolveGatewayService(os, untouched)?.words);
  assert.equal(words, [
    { label: "LaunchAgent", loaded: "loaded", notLoaded: "not loaded" },
    { label: "systemd", loaded: "enabled", notLoaded: "disabled" },
    { label: "Scheduled Task", loaded: "registered", notLoaded: "missing" },
  ]);
});

test.run();
