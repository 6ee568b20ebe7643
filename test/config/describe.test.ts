import { test } from "uvu";
import * as assert from "uvu/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describeKeys, jsonSchema, lookUp, uiHints } from "../../src/config/describe.ts";
import { effectOf, reloadKind } from "../../src/config/reload.ts";

test("every key has help, and secrets are marked", () => {
  const keys = describeKeys();
  assert.ok(keys.length > 80);
  assert.equal(
    keys.filter(({ help }) => help === ""),
    [],
  );
  const secrets = keys.filter(({ secret }) => secret).map(({ path }) => path);
  for (const path of ["gateway.auth.token", "gateway.auth.password", "models.providers.*.apiKey", "env"]) {
    assert.ok(secrets.includes(path), path);
    assert.is(uiHints()[path]?.sensitive, true);
  }
});

test("a key's one literal gives type, default, choices and reload", () => {
  const port = describeKeys().find(({ path }) => path === "gateway.port");
  assert.equal(port, {
    path: "gateway.port",
    type: "integer",
    help: "TCP port the gateway listens on.",
    default: 18_789,
    secret: false,
    reload: "restart",
  });
  assert.equal(describeKeys().find(({ path }) => path === "gateway.mode")?.allowedValues, ["local", "remote"]);
});

test("the JSON Schema is one, and judges as the configuration does", () => {
  const check = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema());
  assert.ok(
    check({ gateway: { port: 1, auth: { mode: "token" } }, agents: { list: [{ id: "a", model: "x/y" }] }, foo: 1 }),
  );
  for (const wrong of [{ gateway: { port: 0 } }, { gateway: { bind: "x" } }, { agents: { list: [{}] } }, { env: [] }]) {
    assert.not.ok(check(wrong), JSON.stringify(wrong));
  }
});

test("a look-up answers the key and its children, through names and indexes", () => {
  assert.equal(lookUp("gateway.port"), {
    path: "gateway.port",
    schema: {
      type: "integer",
      minimum: 1,
      maximum: 65_535,
      description: "TCP port the gateway listens on.",
      default: 18_789,
    },
    reloadKind: "restart",
    hint: { label: "Gateway Port", help: "TCP port the gateway listens on." },
    hintPath: "gateway.port",
    children: [],
  });
  assert.is(lookUp("agents.list[0].id")?.children.length, 0);
  assert.equal(
    lookUp("models.providers")?.children.map(({ key, hasChildren }) => [key, hasChildren]),
    [["*", true]],
  );
  assert.is(lookUp("gateway.nope"), undefined);
});

test("the longest prefix decides what a change needs; unknown keys need a restart", () => {
  assert.is(effectOf("gateway.port"), "restart");
  assert.is(effectOf("gateway.remote.url"), "none");
  assert.is(effectOf("agents.list[0].name"), "live");
  assert.is(effectOf("agents.defaults.heartbeat.every"), "part");
  assert.is(effectOf("toString"), "restart");
  assert.is(reloadKind("cron.enabled"), "hot");
});

test.run();
