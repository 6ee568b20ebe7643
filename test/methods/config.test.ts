import { Ajv } from "ajv";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import type { App } from "../../src/app.ts";
import type { ConfigStore } from "../../src/config/config.ts";
import { openConfig } from "../../src/config/file.ts";
import { flavours } from "../../src/host/flavour.ts";
import { pathsOf } from "../../src/host/paths.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { REDACTED } from "../../src/kit/redact.ts";
import { configMethods } from "../../src/methods/config.ts";
import { type Call, type Method, Prepared } from "../../src/methods/method.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";

const file = "/home/me/.openclaw/openclaw.json";
const published = JSON.parse(readFileSync("node_modules/@openclaw/gateway-protocol/protocol.schema.json", "utf8"));

test("threat G: config.get shows how it is without its secrets, and no raw text that holds one", async () => {
  const { call } = await gateway('{ gateway: { auth: { token: "canary" } }, env: { K: "canary" } } // note');
  const result = await call("config.get");
  assert.not.match(JSON.stringify(result), "canary");
  assert.is(result["raw"], null);
  assert.equal(result["parsed"], { gateway: { auth: { token: REDACTED } }, env: { K: REDACTED } });
  assert.match(String(result["hash"]), /^[0-9a-f]{64}$/);
  for (const key of [
    "sourceConfig",
    "resolved",
    "runtimeConfig",
    "config",
    "configRevisionHash",
    "appliedConfigHash",
  ]) {
    assert.ok(result[key], key);
  }
});

test("config.get gives the raw text when it holds no secret", async () => {
  const { call } = await gateway("{ ui: {} } // mine");
  assert.is((await call("config.get"))["raw"], "{ ui: {} } // mine");
});

test("config.get tells of mistakes", async () => {
  const { call } = await gateway("{ gateway: { port: 0 }, discovery: 1 }");
  const { valid, issues, disabled } = await call("config.get");
  assert.is(valid, false);
  assert.is((issues as unknown[]).length, 2);
  assert.is((disabled as { section: string }[])[0]?.section, "discovery");
});

test("config.schema and config.schema.lookup answer in the published shape", async () => {
  const { call } = await gateway("{}");
  for (const [definition, answer] of [
    ["ConfigSchemaResponse", await call("config.schema")],
    ["ConfigSchemaLookupResult", await call("config.schema.lookup", { path: "gateway" })],
    ["ConfigSchemaLookupResult", await call("config.schema.lookup", { path: "models.providers.*.apiKey" })],
    ["ConfigSchemaLookupResult", await call("config.schema.lookup", { path: "channels.slack.botToken" })],
  ] as const) {
    const check = new Ajv({ strict: false }).compile({
      ...published.definitions[definition],
      definitions: published.definitions,
    });
    assert.ok(check(JSON.parse(JSON.stringify(answer))), JSON.stringify(check.errors));
  }
});

test("an unknown key is not found", async () => {
  const { fails } = await gateway("{}");
  assert.is((await fails("config.schema.lookup", { path: "gateway.nope" })).code, "not-found");
});

test("the published parameters are accepted, others are not", () => {
  const good: Readonly<Record<string, unknown>> = {
    "config.get": {},
    "config.schema": {},
    "config.schema.lookup": { path: "agents.list[0].id" },
    "config.set": { raw: "{}", baseHash: "x" },
    "config.patch": {
      raw: "{}",
      baseHash: "x",
      sessionKey: "s",
      deliveryContext: { threadId: 1 },
      note: "n",
      restartDelayMs: 0,
      replacePaths: ["a"],
    },
    "config.apply": { raw: "{}", baseHash: "x", sessionKey: "s", note: "n", restartDelayMs: 5 },
  };
  for (const { name, params } of configMethods) {
    assert.ok(v.safeParse(params, good[name]).success, name);
    assert.not.ok(v.safeParse(params, { ...(good[name] as object), extra: 1 }).success, name);
  }
});

test("reading needs operator.read, writing operator.admin", () => {
  for (const { name, scope } of configMethods) {
    const writes = ["config.set", "config.patch", "config.apply"].includes(name);
    assert.is(scope, writes ? "operator.admin" : "operator.read", name);
  }
});

test("config.patch changes what it names and answers what changed", async () => {
  const { call, host } = await gateway("{\n  // keep\n  ui: { a: 1 },\n}\n");
  const { hash } = await call("config.get");
  const result = await call("config.patch", { raw: "{ ui: { a: null, b: 2 } }", baseHash: hash });
  assert.equal([result["ok"], result["path"], result["changedPaths"]], [true, file, ["ui.a", "ui.b"]]);
  assert.match((await host.files.read(file)) ?? "", "// keep");
  assert.is.not(result["hash"], hash);
});

test("the session that asks is told after a restart, where there is one; what is no key changes nothing", async () => {
  const { call, fails, told } = await gateway("{}");
  const { hash } = await call("config.get");
  const bad = { raw: "{ gateway: { port: 20000 } }", baseHash: hash, sessionKey: "agent:main" };
  assert.match((await fails("config.patch", bad)).message, "is not complete");
  assert.is((await call("config.get"))["hash"], hash);
  await call("config.patch", { ...bad, sessionKey: "main", note: "n" });
  assert.equal(told, [{ sessionKey: "agent:main:main", by: "config.patch", note: "n" }]);
  const { hash: next } = await call("config.get");
  await call("config.patch", { raw: "{ logging: { level: 'debug' } }", baseHash: next, sessionKey: "main" });
  assert.is(told.length, 1, "nothing that needs a restart");
});

test("config.set and config.patch name a missing or stale base hash and a wrong value", async () => {
  const { call, fails } = await gateway("{}");
  assert.match(
    (await fails("config.set", { raw: "{}" })).message,
    "config base hash required; re-run config.get and retry",
  );
  const stale = await fails("config.patch", { raw: "{}", baseHash: "x" });
  assert.match(stale.message, "config changed since last load; re-run config.get and retry");
  const { hash } = await call("config.get");
  const wrong = await fails("config.set", { raw: "{ gateway: { bind: 'x' } }", baseHash: hash });
  assert.match(wrong.message, /^invalid config: gateway\.bind: /);
  assert.equal((wrong.details as { issues: { allowedValues: unknown }[] }).issues[0]?.allowedValues, [
    "loopback",
    "lan",
    "tailnet",
    "auto",
    "custom",
  ]);
  assert.match((await fails("config.patch", { raw: "{ oops", baseHash: hash })).message, "JSON5 parse failed");
});

test("config.apply tells of the restart that a changed key needs, and when; other keys need none", async () => {
  const { call, wanted } = await gateway("{}");
  const first = await call("config.apply", { raw: "{ ui: {} }", baseHash: (await call("config.get"))["hash"] });
  assert.is(first["restart"], undefined);
  const hash = first["hash"];
  const second = await call("config.apply", { raw: "{ gateway: { port: 5 } }", baseHash: hash, restartDelayMs: 50 });
  assert.equal(second["restart"], { delayMs: 50, reason: "config change: gateway.port" });
  assert.equal(wanted, [2000, 50]);
});

test("config.set leaves the restart to the mode of reloading", async () => {
  const { call, wanted } = await gateway("{ gateway: { reload: { mode: 'hybrid', debounceMs: 200 } } }");
  const raw = (mode: string, port: number) =>
    `{ gateway: { port: ${port}, reload: { mode: '${mode}', debounceMs: 200 } } }`;
  const set = async (text: string) => call("config.set", { raw: text, baseHash: (await call("config.get"))["hash"] });
  assert.equal((await set(raw("hybrid", 5)))["restart"], { delayMs: 200, reason: "config change: gateway.port" });
  assert.is((await set(raw("hot", 6)))["restart"], undefined);
  assert.equal(wanted, [undefined, undefined]);
});

test("config.get shows the file as it is while an older version stays in force", async () => {
  const { call, host, store } = await gateway("{ ui: { a: 1 } }");
  const before = await call("config.get");
  host.files.put(file, "{ ui: { a: 2 }, models: 5 }");
  await store.reload();
  const { raw, valid, config, hash, appliedConfigHash } = await call("config.get");
  assert.equal([raw, valid], ["{ ui: { a: 2 }, models: 5 }", false]);
  assert.equal((config as { ui: unknown }).ui, { a: 1 });
  assert.is.not(hash, before["hash"]);
  assert.is(appliedConfigHash, before["hash"]);
});

test.run();

interface Opened {
  /** Sessions that are to be told of a restart. */
  readonly told: readonly object[];
  readonly host: ScriptedHost;
  readonly store: ConfigStore;
  /** The delays of restarts that writes came with. */
  readonly wanted: readonly (number | undefined)[];
  readonly call: (name: string, params?: object) => Promise<Readonly<Record<string, unknown>>>;
  readonly fails: (name: string, params: object) => Promise<Failure>;
}

async function gateway(text: string): Promise<Opened> {
  const host = scriptedHost({ files: { [file]: text } });
  const log = createLogger(() => 0, []);
  const store = await openConfig(host, flavours.openclaw, pathsOf(host, flavours.openclaw, ""), log);
  const wanted: (number | undefined)[] = [];
  const told: object[] = [];
  store.onChange(({ restartDelayMs }) => wanted.push(restartDelayMs));
  const app = {
    clock: host.clock,
    log,
    config: store,
    tellAfterRestart: async (note: object) => void told.push(note),
  } as unknown as App;
  const call = async (name: string, given: object = {}) => {
    const found = configMethods.find((method) => method.name === name);
    if (!found) throw new Error(`no method ${name}`);
    const declared = found as unknown as Method;
    const answer = await declared.run({ app, params: v.parse(declared.params, given) } as Call<unknown>);
    const sent: unknown = answer instanceof Prepared ? JSON.parse(answer.json) : answer;
    return v.parse(declared.result, sent) as Readonly<Record<string, unknown>>;
  };
  const fails = async (name: string, given: object) =>
    Failure.from(
      await call(name, given).then(
        () => assert.unreachable("was not refused"),
        (error: unknown) => error,
      ),
    );
  return { host, store, wanted, told, call, fails };
}
