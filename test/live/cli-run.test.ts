import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { freePort, makeHome, runCommand, startGateway, until } from "../support/gateway-process.ts";
import { calledAs, listening, run } from "./cli-process.ts";
import { endLaunched, launch } from "../support/launch.ts";

test.after(endLaunched);

const home = makeHome();
test.after(() => rmSync(home, { recursive: true, force: true }));

test("SC-004 SC-011 SC-031 SC-032 SC-061 SC-033 SC-034 SC-035 an empty home: model, address with PID, log file, status 0", async () => {
  const empty = makeHome();
  const gateway = await startGateway({ home: empty });
  const log = join(empty, ".openclaw", "logs", "gateway.log");
  assert.is(gateway.pid, gateway.child.pid, "the PID printed is the process");
  assert.is(await gateway.stop(), 0);
  assert.is(gateway.stderr(), "");
  const lines = gateway.stdout().split("\n");
  assert.equal(lines.slice(0, 2), [
    "✓ agent model: anthropic/claude-opus-4-5",
    `✓ listening on ws://127.0.0.1:${gateway.port} (PID ${gateway.pid})`,
  ]);
  assert.ok(lines.includes(`✓ log file: ${log}`));
  assert.match(readFileSync(log, "utf8"), "agent model: anthropic/claude-opus-4-5");
  assert.not.match(gateway.stdout(), "\u001b", "no colour in a pipe");
  rmSync(empty, { recursive: true });
});

test("SC-005 SC-010 SC-163 gateway run --verbose is the same command, and shows socket traffic", async () => {
  const port = await freePort();
  const gateway = await startGateway({ home, port, args: ["run", "--allow-unconfigured", "--verbose"] });
  assert.is((await runCommand(["health", "--url", gateway.url], home)).status, 0);
  await gateway.stop();
  assert.match(gateway.stdout(), /\[ws\] ← open remoteAddr=127\.0\.0\.1/);
  assert.match(gateway.stdout(), /\[ws\] ⇄ res ✓ health/);
});

test("SC-009 SC-036 SC-037 the port: flag, else environment, else configuration", async () => {
  const [flag, environment, configured] = [await freePort(), await freePort(), await freePort()];
  const file = join(home, ".openclaw", "openclaw.json");
  mkdirSync(join(home, ".openclaw"), { recursive: true });
  writeFileSync(file, JSON.stringify({ gateway: { mode: "local", port: configured } }));
  const env = { OPENCLAW_GATEWAY_PORT: String(environment) };
  const portOf = async (args: readonly string[], given: Readonly<Record<string, string>>) => {
    const running = launch(["gateway", ...args], home, { env: given });
    const { port } = await listening(running);
    await running.end();
    return port;
  };
  assert.equal(
    [await portOf(["--port", String(flag)], env), await portOf([], env), await portOf([], {})],
    [flag, environment, configured],
  );
  rmSync(file);
});

interface Refusal {
  readonly ids: string;
  readonly args: readonly string[];
  readonly config?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly status: 2 | 78;
  /** The beginning of stderr. */
  readonly stderr: readonly string[];
}

const refusals: readonly Refusal[] = [
  {
    ids: "SC-130",
    args: ["gateway"],
    status: 78,
    stderr: ["Missing config. Run `clawlet setup` or set gateway.mode=local (or pass --allow-unconfigured)."],
  },
  {
    ids: "SC-130 SC-131 SC-132",
    args: ["gateway"],
    config: {},
    status: 78,
    stderr: [
      "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
      "Set up:          clawlet onboard",
      'Or by hand:      {"gateway":{"mode":"local"}} in ~/.openclaw/openclaw.json',
      "Or just a try:   clawlet gateway --allow-unconfigured",
    ],
  },
  {
    ids: "SC-130",
    args: ["gateway"],
    config: { gateway: { mode: "remote", remote: { url: "ws://127.0.0.1:1" } } },
    status: 78,
    stderr: ["Gateway start blocked: set gateway.mode=local (current: remote) or pass --allow-unconfigured."],
  },
  ...(["lan", "tailnet", "custom"] as const).map((bind): Refusal => ({
    ids: "SC-046 SC-047 SC-048 SC-135",
    args: ["gateway", "--allow-unconfigured", "--bind", bind],
    status: 78,
    stderr: [
      `Refusing to bind gateway to ${bind} without auth.`,
      "Set gateway.auth.token/password (or OPENCLAW_GATEWAY_TOKEN/OPENCLAW_GATEWAY_PASSWORD) or pass --token/--password.",
    ],
  })),
  {
    ids: "SC-160",
    args: ["gateway", "--allow-unconfigured", "--auth", "token"],
    status: 78,
    stderr: ["Gateway auth is set to token, but no token is configured."],
  },
  {
    ids: "SC-160",
    args: ["gateway", "--allow-unconfigured", "--auth", "password"],
    status: 78,
    stderr: ["Gateway auth is set to password, but no password is configured."],
  },
  {
    ids: "SC-160",
    args: ["gateway", "--auth", "foo"],
    status: 2,
    stderr: ['Invalid --auth (use "none", "token", or "password")'],
  },
  {
    ids: "SC-044",
    args: ["gateway", "--bind", "foo"],
    status: 2,
    stderr: ['Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")'],
  },
  {
    ids: "SC-165",
    args: ["gateway", "--ws-log", "foo"],
    status: 2,
    stderr: ['Invalid --ws-log (use "auto", "full", or "compact")'],
  },
  {
    ids: "SC-104",
    args: ["gateway", "--tailscale", "foo"],
    status: 2,
    stderr: ['Invalid --tailscale (use "off", "serve", or "funnel")'],
  },
  {
    ids: "SC-036",
    args: ["gateway", "--port", "abc"],
    status: 2,
    stderr: ['Invalid port "abc" (use a number from 1 to 65535, for example 18789)'],
  },
  {
    ids: "SC-036",
    args: ["gateway", "--port", "99999"],
    status: 2,
    stderr: ['Invalid port "99999" (use a number from 1 to 65535, for example 18789)'],
  },
  {
    ids: "SC-037",
    args: ["gateway", "--allow-unconfigured"],
    env: { OPENCLAW_GATEWAY_PORT: "0" },
    status: 2,
    stderr: ['Invalid port "0" in GATEWAY_PORT'],
  },
  { ids: "SC-145", args: ["gateway", "--reset"], status: 2, stderr: ["Use --reset with --dev.\n"] },
  {
    ids: "2.2",
    args: ["gateway", "--prot", "1"],
    status: 2,
    stderr: ["unknown option --prot", "Did you mean --port?", "Try: clawlet gateway --help"],
  },
  {
    ids: "2.2",
    args: ["gateway", "frobnicate"],
    status: 2,
    stderr: ["unknown command gateway frobnicate", "Try: clawlet gateway --help"],
  },
  { ids: "2.2", args: ["statsu"], status: 2, stderr: ["unknown command statsu", "Did you mean status?"] },
  { ids: "2.2", args: [], status: 2, stderr: ["Usage: clawlet <command> [options]"] },
  {
    ids: "2.11",
    args: ["--dev", "--profile", "x", "gateway"],
    status: 2,
    stderr: ["[clawlet] Cannot combine --dev with --profile"],
  },
  {
    ids: "2.11",
    args: ["--profile", "a/b", "gateway"],
    status: 2,
    stderr: ['[clawlet] Invalid --profile (use letters, numbers, "_", "-" only)'],
  },
];

for (const { ids, args, config, env = {}, status, stderr } of refusals) {
  const line = ["clawlet", ...args].join(" ");
  const beside = config === undefined ? "" : ` with ${JSON.stringify(config)}`;
  test(`${ids} \`${line}\`${beside} is refused with status ${status} on stderr`, async () => {
    const place = makeHome();
    if (config !== undefined) {
      mkdirSync(join(place, ".openclaw"));
      writeFileSync(join(place, ".openclaw", "openclaw.json"), JSON.stringify(config));
    }
    const ran = await runCommand(args, place, env);
    assert.is(ran.stdout, "");
    assert.is(ran.stderr.slice(0, stderr.join("\n").length), stderr.join("\n"));
    assert.is(ran.status, status);
    rmSync(place, { recursive: true });
  });
}

test("SC-041 SC-045 SC-136 SC-137 SC-138 lan starts with a secret from configuration, flag or environment", async () => {
  const secret = "a-secret-of-this-test";
  const ways: readonly Parameters<typeof startGateway>[0][] = [
    { args: ["--allow-unconfigured", "--bind", "lan", "--token", secret] },
    { args: ["--allow-unconfigured", "--bind", "lan"], env: { OPENCLAW_GATEWAY_PASSWORD: secret } },
    { args: [], config: { gateway: { mode: "local", bind: "lan", auth: { mode: "token", token: secret } } } },
  ];
  for (const way of ways) {
    const gateway = await startGateway(way);
    assert.not.match(gateway.stdout(), /listening on ws:\/\/127/, "names addresses that others can dial");
    assert.is(gateway.stdout().match(/\(PID \d+\)/g)?.length, 1, "the PID stands on the first line alone");
    assert.not.match(gateway.stdout() + gateway.stderr(), secret);
    const open = await runCommand(["health", "--url", gateway.url], gateway.home);
    assert.match(open.stderr, "gateway url override requires explicit credentials");
    await gateway.stop();
  }
});

test("names: clawdbot, openclaw and clawlet keep to their own folder, variables and texts", async () => {
  const place = makeHome();
  const missing = async (name: string) =>
    (await run(["gateway"], place, { program: calledAs(name) })).stderr.split("\n")[0];
  const text = (name: string) =>
    `Missing config. Run \`${name} setup\` or set gateway.mode=local (or pass --allow-unconfigured).`;
  for (const name of ["clawdbot", "openclaw", "clawlet"]) assert.is(await missing(name), text(name));

  const clawdbot = calledAs("clawdbot");
  const refused = await run(["gateway", "--bind", "lan", "--allow-unconfigured"], place, { program: clawdbot });
  assert.match(refused.stderr, "(or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD)");
  assert.is((await run(["setup"], place, { program: clawdbot })).status, 0);
  assert.ok(existsSync(join(place, ".clawdbot", "clawdbot.json")));
  assert.ok(existsSync(join(place, "clawd", "AGENTS.md")));
  assert.not(existsSync(join(place, ".openclaw")));

  const file = async (name: string) =>
    (await run(["config", "file"], place, { program: calledAs(name) })).stdout.trim();
  assert.is(await file("clawlet"), join(place, ".clawdbot", "clawdbot.json"), "follows the only one here");
  assert.is(await file("openclaw"), join(place, ".openclaw", "openclaw.json"));
  const env = { CLAWDBOT_GATEWAY_TOKEN: "t", CLAWDBOT_GATEWAY_PORT: String(await freePort()) };
  const gateway = launch(["gateway"], place, { program: clawdbot, env });
  await listening(gateway);
  await until("log file line", () => gateway.stdout().includes("log file") || undefined);
  assert.match(gateway.stdout(), `log file: ${join(place, ".clawdbot", "logs", "gateway.log")}`);
  await gateway.end();
  rmSync(place, { recursive: true });
});

test("--version is one line, and JSON with --json", async () => {
  assert.match((await runCommand(["--version"], home)).stdout, /^\d+\.\d+\.\d+ \((abc1234, )?(bun|deno|node) \S+\)\n$/);
  assert.match(JSON.parse((await runCommand(["--version", "--json"], home)).stdout).version, /^\d+\.\d+\.\d+$/);
});

test.run();
