import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JsonObject } from "../../src/kit/json.ts";
import { fakeGateway, type Answer } from "../client/fake-gateway.ts";
import { main } from "../../src/main.ts";
import { scriptedHost } from "../support/host.ts";
import { home, run } from "./run.ts";

const opus = {
  id: "claude-opus-4-5",
  name: "Claude Opus 4.5",
  provider: "anthropic",
  alias: "best",
  tags: ["default"],
  contextWindow: 200_000,
  input: ["text", "image"],
  available: true,
};
const gpt = {
  id: "gpt-5.2",
  name: "GPT-5.2",
  provider: "openai",
  contextWindow: 400_000,
  input: ["text"],
  available: false,
  unavailableReason: "missing-auth",
};
const echo = { ...opus, id: "echo", name: "Echo", provider: "clawlet", alias: undefined, input: ["text"] };

const listOf = (...models: readonly unknown[]): Readonly<Record<string, Answer>> => ({
  "models.list": () => ({ models }),
});

/** `--url` says that there is a gateway: no file is looked at. */
async function asked(methods: Readonly<Record<string, Answer>>, line: string) {
  const gateway = fakeGateway({ methods });
  const ran = await run([...line.split(" "), "--url", "ws://127.0.0.1:1"], { dial: gateway.dial });
  return { ...ran, gateway };
}

for (const line of ["models", "models list"]) {
  test(`${line} is a table, and what is missing says what to do`, async () => {
    const { code, stdout, stderr } = await asked(listOf(opus, gpt), line);
    assert.is(
      stdout,
      [
        "Model                      Name             Input       Context  State         Tags",
        "anthropic/claude-opus-4-5  Claude Opus 4.5  text+image  200k     ok            default alias:best",
        "openai/gpt-5.2             GPT-5.2          text        400k     missing-auth",
        "",
      ].join("\n"),
    );
    assert.is(
      stderr,
      "openai: 1 model without a key: export OPENAI_API_KEY where the gateway runs and restart it, or run clawdbot onboard.\n",
    );
    assert.is(code, 0);
  });
}

test("models list filters by provider, and is plain or JSON when asked", async () => {
  const { stdout, gateway } = await asked(listOf(opus, gpt), "models list --all --provider openai --plain");
  assert.is(stdout, "openai/gpt-5.2\n");
  assert.equal(gateway.calls, [{ method: "models.list", params: { view: "all" } }]);
  const { stdout: json, stderr } = await asked(listOf(opus), "models list --json");
  assert.equal([JSON.parse(json), stderr], [{ count: 1, models: [{ key: "anthropic/claude-opus-4-5", ...opus }] }, ""]);
});

test("while no model is set up, models says so and how to get one", async () => {
  const { stderr } = await asked(listOf(echo), "models");
  assert.match(stderr, /^No model is set up: .* export ANTHROPIC_API_KEY where the gateway runs/);
});

const config = {
  agents: {
    defaults: {
      model: { primary: "anthropic/claude-opus-4-5", fallbacks: ["openai/gpt-5.2"] },
      models: { "anthropic/claude-opus-4-5": { alias: "best" }, "openai/gpt-5.2": {} },
    },
  },
};
const auth = {
  providers: [
    {
      provider: "anthropic",
      displayName: "Anthropic",
      status: "static",
      profiles: [],
      apiKey: { source: "env", envVar: "ANTHROPIC_API_KEY" },
    },
    { provider: "openai", displayName: "OpenAI", status: "missing", profiles: [] },
  ],
};
const patched: Answer = () => ({
  ok: true,
  path: "/c.json",
  hash: "h2",
  config: {},
  changedPaths: ["agents.defaults.model"],
});
const configured = (value: unknown): Readonly<Record<string, Answer>> => ({
  ...listOf(opus, gpt),
  "config.get": () => ({ config: value, hash: "h1", exists: true, path: "/c.json" }),
  "config.patch": patched,
  "models.authStatus": () => auth,
});

test("models status shows the choice and how credentials fare", async () => {
  const { code, stdout, stderr } = await asked(configured(config), "models status");
  assert.is(
    stdout,
    [
      "Config        /c.json",
      "Default       anthropic/claude-opus-4-5",
      "Fallbacks     openai/gpt-5.2",
      "For pictures  -",
      "Aliases       best → anthropic/claude-opus-4-5",
      "Allowed       anthropic/claude-opus-4-5, openai/gpt-5.2",
      "",
      "Provider   State    Credentials",
      "Anthropic  ok       ANTHROPIC_API_KEY",
      "OpenAI     missing  -",
      "",
    ].join("\n"),
  );
  assert.match(stderr, "openai has no usable credential: export OPENAI_API_KEY");
  assert.is(code, 0);
});

test("models status --json is an object of the choice and the credentials", async () => {
  const { stdout } = await asked(configured(config), "models status --json");
  assert.equal(JSON.parse(stdout), {
    configPath: "/c.json",
    defaultModel: "anthropic/claude-opus-4-5",
    resolvedDefault: "anthropic/claude-opus-4-5",
    fallbacks: ["openai/gpt-5.2"],
    imageModel: null,
    imageFallbacks: [],
    aliases: { best: "anthropic/claude-opus-4-5" },
    allowed: ["anthropic/claude-opus-4-5", "openai/gpt-5.2"],
    auth,
  });
});

test("models probe and status --probe ask providers, and fail when one does not answer", async () => {
  const probe: Answer = ({ provider }) =>
    provider === "anthropic"
      ? { provider, status: "ok", results: [{ label: "env:ANTHROPIC_API_KEY", status: "ok", latencyMs: 412.4 }] }
      : { provider, status: "auth", error: "openai has no credential", results: [] };
  const well = await asked({ "models.probe": probe }, "models probe anthropic");
  assert.equal(
    [well.code, well.stdout],
    [0, "Provider   Credential             Result  Time   Error\nanthropic  env:ANTHROPIC_API_KEY  ok      412ms\n"],
  );
  const ill = await asked({ "models.probe": probe }, "models probe openai");
  assert.is(ill.code, 1);
  assert.match(ill.stdout, "openai    -           auth    -     openai has no credential\n");
  assert.match(ill.stderr, "Fix: export OPENAI_API_KEY");
  const both = await asked({ ...configured(config), "models.probe": probe }, "models status --probe");
  assert.is(both.code, 1);
  assert.match(both.stdout, "env:ANTHROPIC_API_KEY  ok");
});

const free = { agents: { defaults: { model: "openai/gpt-5.2" } } };
const changes: readonly (readonly [line: string, config: unknown, patch: JsonObject, said: string])[] = [
  [
    "set best",
    free,
    { model: { primary: "anthropic/claude-opus-4-5" } },
    "✓ Default model: anthropic/claude-opus-4-5\n",
  ],
  [
    "set sonnet",
    free,
    { model: { primary: "anthropic/claude-sonnet-4-5" } },
    "✓ Default model: anthropic/claude-sonnet-4-5\n",
  ],
  [
    "set openai/gpt-5.2",
    config,
    { model: { primary: "openai/gpt-5.2", fallbacks: [] } },
    "✓ Default model: openai/gpt-5.2\n",
  ],
  [
    "set openai/gpt-new",
    config,
    { model: { primary: "openai/gpt-new", fallbacks: ["openai/gpt-5.2"] }, models: { "openai/gpt-new": {} } },
    "✓ Default model: openai/gpt-new\n",
  ],
  [
    "fallbacks add best",
    free,
    { model: { primary: "openai/gpt-5.2", fallbacks: ["anthropic/claude-opus-4-5"] } },
    "✓ Fallbacks: anthropic/claude-opus-4-5\n",
  ],
  [
    "fallbacks remove gpt-5.2",
    config,
    { model: { primary: "anthropic/claude-opus-4-5", fallbacks: [] } },
    "✓ Removed gpt-5.2.\n",
  ],
  ["fallbacks clear", config, { model: { primary: "anthropic/claude-opus-4-5", fallbacks: [] } }, "✓ No fallbacks.\n"],
  [
    "aliases add fast openai/gpt-5.2",
    config,
    { models: { "openai/gpt-5.2": { alias: "fast" } } },
    "✓ fast stands for openai/gpt-5.2.\n",
  ],
  [
    "aliases add top anthropic/claude-opus-4-5",
    free,
    { models: { "openai/gpt-5.2": {}, "anthropic/claude-opus-4-5": { alias: "top" } } },
    "✓ top stands for anthropic/claude-opus-4-5.\n",
  ],
  ["aliases remove BEST", config, { models: { "anthropic/claude-opus-4-5": { alias: null } } }, "✓ Removed BEST.\n"],
];
for (const [line, before, patch, output] of changes) {
  test(`models ${line} patches the gateway's configuration as it was read`, async () => {
    const { code, stdout, gateway } = await asked(configured(before), `models ${line}`);
    assert.equal([code, stdout], [0, output]);
    const { raw, baseHash } = (gateway.calls.at(-1)?.params ?? {}) as { raw: string; baseHash: string };
    assert.equal([JSON.parse(raw), baseHash], [{ agents: { defaults: patch } }, "h1"]);
    assert.equal(gateway.connections.at(-1)?.connect?.["scopes"], ["operator.admin"]);
  });
}

for (const [line, status, message] of [
  ["set nope", 2, 'there is no model "nope": write provider/model or an alias\nSee: clawdbot models list --all\n'],
  ["set nope/x", 2, 'there is no model "nope/x": write provider/model or an alias\nSee: clawdbot models list --all\n'],
  ["fallbacks remove best", 1, "best is not among the fallbacks\nSee: clawdbot models fallbacks list\n"],
  ["aliases remove nope", 1, "nope is no alias\nSee: clawdbot models aliases list\n"],
  ["aliases add be/st openai/gpt-5.2", 2, '"be/st" is no alias: use letters, digits, . _ : and -\n'],
  [
    "aliases add best openai/gpt-5.2",
    1,
    "best already stands for anthropic/claude-opus-4-5\nFix: clawdbot models aliases remove best\n",
  ],
] as const) {
  test(`models ${line} changes nothing and says why`, async () => {
    const { code, stderr, gateway } = await asked(configured(config), `models ${line}`);
    assert.equal([code, stderr], [status, message]);
    assert.not.ok(gateway.calls.some(({ method }) => method === "config.patch"));
  });
}

test("without a gateway the file is read and written, and usual aliases hold", async () => {
  const host = scriptedHost({ name: "clawdbot", files: home, args: ["models", "set", "sonnet"] });
  assert.is(await main(host), 0);
  assert.is(host.terminal.stdout.text, "✓ Default model: anthropic/claude-sonnet-4-5\n");
  const text = await host.files.read("/home/me/.clawdbot/clawdbot.json");
  assert.equal(JSON.parse(text ?? "").agents, { defaults: { model: { primary: "anthropic/claude-sonnet-4-5" } } });
});

test("fallbacks and aliases are listed, as JSON too", async () => {
  const methods = configured(config);
  assert.is((await asked(methods, "models fallbacks list")).stdout, "openai/gpt-5.2\n");
  assert.is((await asked(methods, "models aliases list")).stdout, "Alias  Model\nbest   anthropic/claude-opus-4-5\n");
  const { stdout } = await asked(methods, "models aliases list --json");
  assert.equal(JSON.parse(stdout), { aliases: { best: "anthropic/claude-opus-4-5" } });
  assert.is((await asked(configured(free), "models fallbacks list")).stdout, "No fallbacks.\n");
});

test.run();
