import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CheckContext } from "../../src/checks/check.ts";
import { hooks } from "../../src/checks/hooks.ts";
import { scriptedConfig } from "../support/app.ts";

const token = "a-secret-of-hooks-0123456789";

async function codes(section: object, environment: object = {}): Promise<readonly string[]> {
  const snapshot = scriptedConfig({ hooks: section }).current();
  const context = { program: "openclaw", config: { snapshot, environment, included: [] } } as unknown as CheckContext;
  const found = await hooks.look(context);
  assert.not(JSON.stringify(found).includes(token), "no finding shows the secret");
  return found.map(({ code }) => code);
}

test("hooks that are off, or have a good secret, are in order", async () => {
  assert.equal(await codes({}), []);
  assert.equal(await codes({ enabled: true, token }), []);
});

test("threat K a secret that is missing, weak, or the gateway's own is an error", async () => {
  assert.equal(await codes({ enabled: true }), ["hooks.token_weak"]);
  assert.equal(await codes({ enabled: true, token: "1234" }), ["hooks.token_weak"]);
  assert.equal(await codes({ enabled: true, token }, { OPENCLAW_GATEWAY_TOKEN: token }), ["hooks.token_weak"]);
});

test("a token in addresses, a transform and a mapping without a match are told", async () => {
  const mappings = [
    { match: { path: "a" }, transform: { module: "x.js" } },
    { action: "wake" },
    { match: { path: "b" } },
  ];
  assert.equal(await codes({ enabled: true, token, allowQueryToken: true, mappings }), [
    "hooks.query_token",
    "hooks.mapping_transform",
    "hooks.mapping_unmatched",
  ]);
});

test("a hook that would be code is said to do nothing, unless it is switched off", async () => {
  const internal = { entries: { "boot-md": {}, mine: {}, other: { enabled: false } }, load: { extraDirs: ["/x"] } };
  const unknown = ["hooks.internal_unknown", "hooks.internal_unknown"];
  assert.equal(await codes({ internal }), unknown);
  assert.equal(await codes({ internal: { handlers: [{ event: "command", module: "./x.ts" }] } }), [unknown[0]]);
  assert.equal(await codes({ internal: { ...internal, enabled: false } }), []);
});

test.run();
