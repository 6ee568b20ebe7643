import { test } from "uvu";
import * as assert from "uvu/assert";
import { validate } from "../../src/config/validate.ts";
import { random, type Random } from "./random.ts";

test("nothing gives the defaults", () => {
  const { value, issues, unsafe } = validate(undefined);
  assert.is(value.gateway.port, 18_789);
  assert.is(value.gateway.bind, "loopback");
  assert.is(value.gateway.auth.rateLimit.maxAttempts, 10);
  assert.equal([issues, unsafe], [[], []]);
});

test("a wrong value falls to the default of its key alone, and the issue names value and fix", () => {
  const { value, issues, unsafe } = validate({ gateway: { port: "abc", controlUi: { enabled: false } } });
  assert.is(value.gateway.port, 18_789);
  assert.is(value.gateway.controlUi.enabled, false);
  assert.equal(issues, [
    { path: "gateway.port", message: 'is "abc"; set it to a port number from 1 to 65535, or remove it' },
  ]);
  assert.equal(unsafe, []);
});

test("a wrong choice comes with the allowed values", () => {
  const [issue] = validate({ gateway: { bind: "wan" } }).unsafe;
  assert.is(issue?.path, "gateway.bind");
  assert.match(issue?.message ?? "", 'is "wan"; set it to one of "loopback", "lan"');
  assert.equal(issue?.allowedValues, ["loopback", "lan", "tailnet", "auto", "custom"]);
});

test("one value with two mistakes is one issue", () => {
  assert.equal(
    validate({ gateway: { port: -0.5, mode: "local" } }).issues.map(({ path }) => path),
    ["gateway.port"],
  );
});

test("unknown keys are kept and reported", () => {
  const { value, valid, unknownKeys } = {
    valid: true,
    ...validate({ gateway: { nope: 1 }, foo: 2, skills: { any: 1 } }),
  };
  assert.is(value.gateway["nope"], 1);
  assert.is(value["foo"], 2);
  assert.ok(valid);
  assert.equal(unknownKeys, ["gateway.nope", "foo"]);
});

test("the legacy gateway.token is named as ignored and grants nothing", () => {
  const { value, warnings } = validate({ gateway: { token: "abc" } });
  assert.is(value.gateway.auth.token, undefined);
  assert.is(
    warnings[0]?.message,
    'Config uses "gateway.token". This key is ignored; use "gateway.auth.token" instead.',
  );
});

test("a wrong section switches off the part that it configures, a channel or provider alone", () => {
  const { disabled, value } = validate({
    discovery: { mdns: 5 },
    models: { providers: { a: { baseUrl: 1 }, b: { baseUrl: "http://b" } } },
    logging: { level: "loud" },
  });
  assert.equal(
    disabled.map(({ section }) => section),
    ["models.providers.a", "discovery"],
  );
  assert.is(value.models.providers["b"]?.baseUrl, "http://b");
  assert.is(value.logging.level, "info");
});

test("an agent without an id is left out, the others stay", () => {
  const { value, issues } = validate({ agents: { list: [{ id: "a" }, { name: "B" }, { id: "c" }] } });
  assert.equal(
    value.agents.list?.map(({ id }) => id),
    ["a", "c"],
  );
  assert.equal(
    issues.map(({ path }) => path),
    ["agents.list[1].id"],
  );
});

test("a wrong guarded value closes the doors and never asks for less proof", () => {
  const cases: readonly (readonly [unknown, string | undefined])[] = [
    [{ bind: "lan", auth: { mode: "nobody" } }, "token"],
    [{ bind: "lan", auth: { token: 5 } }, "token"],
    [{ bind: "lan", auth: { token: " " } }, "token"],
    [{ bind: "lan", auth: { password: [] } }, "password"],
    [{ bind: "lan", auth: { mode: "password", password: {} } }, "password"],
    [{ bind: "lan", auth: "token" }, "token"],
    ["lan", "token"],
    [{ bind: 0, tailscale: { mode: "funnel" } }, undefined],
    [{ bind: "lan", trustedProxies: "10.0.0.1" }, undefined],
    [{ bind: "lan", nodes: { denyCommands: "system.run" } }, undefined],
  ];
  for (const [gateway, mode] of cases) {
    const { value, unsafe } = validate({ gateway });
    const shown = JSON.stringify(gateway);
    assert.ok(unsafe.length > 0, shown);
    assert.is(value.gateway.bind, "loopback", shown);
    assert.is(value.gateway.tailscale.mode, "off", shown);
    assert.is(value.gateway.auth.mode, mode, shown);
  }
});

test("threat G: an issue does not show a wrong secret", () => {
  const { issues } = validate({
    gateway: { auth: { token: 987_654_321 } },
    models: { providers: { a: { apiKey: ["canary"] } } },
  });
  assert.not.match(JSON.stringify(issues), /987654321|canary/);
});

test("whatever the file holds, there is a whole value, and what is unsafe is closed", () => {
  for (let seed = 1; seed <= 10_000; seed++) {
    const source = mutated(random(seed));
    const { value, unsafe, issues } = validate(source);
    assert.type(value.gateway.port, "number");
    assert.ok(unsafe.every(({ path }) => issues.some((issue) => issue.path === path)));
    if (unsafe.length > 0) assert.is(value.gateway.bind, "loopback", JSON.stringify(source));
    const asked = source as { gateway?: { auth?: { mode?: unknown } } } | undefined;
    if (value.gateway.auth.mode === "none") assert.is(asked?.gateway?.auth?.mode, "none", JSON.stringify(source));
  }
});

test.run();

const good = {
  gateway: {
    mode: "local",
    port: 1,
    bind: "lan",
    auth: { mode: "token", token: "t", rateLimit: { maxAttempts: 3 } },
    tailscale: { mode: "off" },
    trustedProxies: ["10.0.0.1"],
    nodes: { pairing: { autoApproveLocal: false } },
  },
  agents: { list: [{ id: "a", model: { primary: "x/y", fallbacks: ["z"] } }] },
  models: { providers: { p: { baseUrl: "http://p", models: [{ id: "m" }] } } },
  channels: { telegram: { botToken: "x" } },
};
const odd: readonly unknown[] = [
  null,
  0,
  -1,
  Number.POSITIVE_INFINITY,
  "",
  "x",
  true,
  [],
  {},
  [[]],
  { a: 1 },
  "none",
  "${X}",
  [null],
  { id: 1 },
];

function mutated(next: Random): unknown {
  const mutate = (value: unknown): unknown => {
    if (next(12) === 0) return odd[next(odd.length)];
    if (Array.isArray(value)) return value.map(mutate);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, child]): [string, unknown][] => (next(12) ? [[key, mutate(child)]] : [])),
    );
  };
  return mutate(good);
}
