import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { serviceEnvironment } from "../../adapters/machine/service-environment.ts";

test("the secrets of the service are read from the file that the unit names, and what is set already stays", () => {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  try {
    const file = join(folder, "service.env");
    writeFileSync(file, "# comment\nCLAWDBOT_GATEWAY_TOKEN=abc\nCLAWDBOT_GATEWAY_PASSWORD=file\n");
    const given = { CLAWDBOT_SERVICE_ENV_FILE: file, CLAWDBOT_GATEWAY_PASSWORD: "env" };
    const env = serviceEnvironment(given);
    assert.equal([env["CLAWDBOT_GATEWAY_TOKEN"], env["CLAWDBOT_GATEWAY_PASSWORD"]], ["abc", "env"]);
    assert.not("CLAWDBOT_GATEWAY_TOKEN" in process.env, "what the gateway starts does not inherit them");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("without such a file nothing changes", () => {
  const env = { A: "1" };
  assert.is(serviceEnvironment(env), env);
});

test.run();
