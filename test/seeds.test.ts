import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseArgs } from "../src/cli/args.ts";
import { commands } from "../src/commands/index.ts";
import { flavourOf } from "../src/host/flavour.ts";
import { root } from "./support/runtime.ts";

// What the pages that this project began from say of its code (cli.md 1.14): their names, in the files of our layout.
const places = [
  ["SC-230 SC-241 the command that starts a gateway", "src/commands/gateway.ts", "runGatewayCommand"],
  ["SC-231 SC-244 the services of an operating system", "adapters/service/index.ts", "resolveGatewayService"],
  ["SC-232 SC-233 SC-242 the gateway's server and what it starts beside it", "src/boot.ts", "startGatewayServer"],
  ["SC-234 what a service runs", "src/service/program.ts", "serviceProgram"],
  ["SC-235 SC-245 the lines at start", "src/gateway/startup-log.ts", "logGatewayStartup"],
  ["SC-236 the dev profile", "src/gateway/dev-profile.ts", "bootstrapDev"],
  ["SC-237 SC-243 the release of a port", "src/host/free-port.ts", "forceFreePortAndWait"],
] as const;

for (const [title, file, name] of places) {
  test(`${title}: ${name} in ${file}`, () => {
    assert.ok(existsSync(`${root}/${file}`));
    assert.match(readFileSync(`${root}/${file}`, "utf8"), new RegExp(`^export (async )?function ${name}\\b`, "m"));
  });
}

test("SC-246 the name it had for some days is Clawdbot too", () => {
  assert.is(flavourOf("moltbot", false).id, "clawdbot");
});

for (const line of [
  "gateway install",
  "gateway start",
  "gateway --dev",
  "gateway",
  "gateway --force",
  "gateway --bind lan --token xxx",
  "gateway --tailscale serve",
  "gateway status",
  "gateway health",
]) {
  test(`SC-249 the quick reference's line is understood: ${line}`, async () => {
    const { path, command, global } = await parseArgs(line.split(" "), commands, "clawdbot");
    const words = line.split(" ").filter((word) => /^(gateway|install|start|status|health)$/.test(word));
    assert.equal(path, words);
    assert.ok(command);
    assert.is(global.help, false);
  });
}

test.run();
