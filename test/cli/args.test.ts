import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseArgs } from "../../src/cli/args.ts";
import { clientOptions } from "../../src/cli/options.ts";
import { command, type Command, type OptionTable } from "../../src/commands/command.ts";
import type { CommandTable } from "../../src/commands/command.ts";
import { Failure } from "../../src/kit/error.ts";

const make = (words: string, options: OptionTable, names: readonly string[] = []): Command =>
  command({
    path: words.split(" "),
    summary: `Does ${words}.`,
    options,
    positionals: names.map((name) => ({ name, description: `the ${name}` })),
    run: async () => 0,
  });

const gateway = make("gateway", {
  port: { value: "<port>", description: "", number: { min: 1, max: 65_535 }, invalid: "Invalid port {}" },
  bind: { value: "<mode>", description: "", choices: ["loopback", "lan", "tailnet", "auto", "custom"] },
  auth: { value: "<mode>", description: "", choices: ["none", "token", "password"] },
  "ws-log": {
    value: "<style>",
    description: "",
    choices: ["auto", "full", "compact"],
    default: "auto",
    invalid: 'Invalid --ws-log (use "auto", "full", "compact")',
  },
  tailscale: { value: "<mode>", description: "", choices: ["off", "serve", "funnel"] },
  token: { value: "<token>", description: "" },
  allow: { value: "<name>", description: "", repeated: true },
  force: { description: "" },
  dev: { description: "" },
});
const table: CommandTable = {
  gateway: async () => gateway,
  "gateway run": async () => gateway,
  "gateway health": async () => make("gateway health", clientOptions),
  "gateway call": async () => make("gateway call", { params: { value: "<json>", description: "" } }, ["method"]),
  "config set": async () => make("config set", {}, ["path", "value"]),
};

const parse = (...argv: readonly string[]) => parseArgs(argv, table, "clawdbot");

async function refused(...argv: readonly string[]): Promise<Failure> {
  try {
    await parse(...argv);
  } catch (error) {
    return Failure.from(error);
  }
  throw new Error(`not refused: ${argv.join(" ")}`);
}

test("the longest run of words that is a command is the command", async () => {
  const { path, command: found } = await parse("gateway", "health");
  assert.equal(
    [path, found?.path],
    [
      ["gateway", "health"],
      ["gateway", "health"],
    ],
  );
});

test("SC-005 gateway run has the options of gateway", async () => {
  const { command: found, options } = await parse("gateway", "run", "--port", "19001");
  assert.is(found, gateway);
  assert.is(options["port"], 19_001);
});

test("an option stands before or after the sub-command, and the sub-command's wins", async () => {
  assert.is((await parse("gateway", "--token", "x", "health")).options["token"], "x");
  assert.is((await parse("gateway", "health", "--token", "x")).options["token"], "x");
  assert.is((await parse("gateway", "--token", "x", "health", "--token", "y")).options["token"], "y");
  assert.is((await parse("--token", "x", "gateway", "health")).options["token"], "x");
});

test("a value that is also the name of a command stays a value", async () => {
  const { path, options } = await parse("gateway", "--token", "health");
  assert.equal([path, options["token"]], [["gateway"], "health"]);
});

test("an option that only the sub-command knows may stand before it", async () => {
  const { args, options } = await parse("gateway", "--params", "{}", "call", "status");
  assert.equal([args, options["params"]], [["status"], "{}"]);
});

test("an option of the parent that the sub-command does not have is refused", async () => {
  assert.is((await refused("gateway", "--force", "health")).message, "unknown option --force");
});

test("values stay the text that was typed", async () => {
  const { args } = await parse("config", "set", "channels.x.allowFrom", "+15551234567");
  assert.equal(args, ["channels.x.allowFrom", "+15551234567"]);
  assert.is((await parse("gateway", "--token", "007")).options["token"], "007");
  assert.is((await parse("gateway", "--token=0x10")).options["token"], "0x10");
  assert.is((await parse("gateway", "--token", "-abc")).options["token"], "-abc");
  assert.is((await parse("gateway", "call", "x", "--params=a=b")).options["params"], "a=b");
});

test("a negative number and everything after -- are arguments", async () => {
  assert.equal((await parse("config", "set", "a", "-5")).args, ["a", "-5"]);
  assert.equal((await parse("config", "set", "a", "--", "--json")).args, ["a", "--json"]);
});

test("global options are accepted anywhere", async () => {
  for (const argv of [
    ["--dev", "gateway"],
    ["gateway", "--dev"],
  ])
    assert.ok((await parse(...argv)).global.dev);
  assert.is((await parse("--profile", "rescue", "gateway")).global.profile, "rescue");
  assert.is((await parse("gateway", "health", "--profile=rescue")).global.profile, "rescue");
  assert.ok((await parse("gateway", "health", "-h")).global.help);
  assert.ok((await parse("-V")).global.version);
  assert.ok((await parse("gateway", "--json", "health")).global.json);
});

test("an unknown option names the closest one and where to read on", async () => {
  const failure = await refused("gateway", "health", "--tokne", "x");
  assert.is(failure.code, "usage");
  assert.is(failure.message, "unknown option --tokne");
  assert.equal(failure.hints, ["Did you mean --token?", "Try: clawdbot gateway health --help"]);
  assert.equal((await refused("gateway", "-x")).message, "unknown option -x");
  assert.equal((await refused("gateway", "--__proto__")).message, "unknown option --__proto__");
});

test("an unknown command names the closest one", async () => {
  const failure = await refused("gateway", "heath");
  assert.is(failure.message, "unknown command gateway heath");
  assert.equal(failure.hints, ["Did you mean health?", "Try: clawdbot gateway --help"]);
  assert.equal((await refused("gatway")).hints, ["Did you mean gateway?", "Try: clawdbot --help"]);
  assert.equal((await refused("zzzzzz")).hints, ["Try: clawdbot --help"]);
});

test("a missing value, a value too many and an argument too many or too few are refused", async () => {
  assert.is((await refused("gateway", "--token")).message, "--token needs a value: --token <token>");
  assert.is((await refused("gateway", "--token", "--force")).message, "--token needs a value: --token <token>");
  assert.is((await refused("gateway", "--token=")).message, "--token needs a value: --token <token>");
  assert.is((await refused("gateway", "--force=yes")).message, "--force takes no value (given: yes)");
  assert.is((await refused("gateway", "call")).message, "missing <method>: the method");
  assert.is((await refused("gateway", "call", "a", "b")).message, "too many arguments for gateway call: b");
});

test("SC-160 SC-165 a choice that is not one lists the choices", async () => {
  const texts = {
    bind: 'Invalid --bind (use "loopback", "lan", "tailnet", "auto", or "custom")',
    auth: 'Invalid --auth (use "none", "token", or "password")',
    "ws-log": 'Invalid --ws-log (use "auto", "full", "compact")',
    tailscale: 'Invalid --tailscale (use "off", "serve", or "funnel")',
  };
  for (const [name, text] of Object.entries(texts))
    assert.is((await refused("gateway", `--${name}`, "zzz")).message, text);
  assert.is((await parse("gateway", "--bind", "lan")).options["bind"], "lan");
});

test("a number outside its bounds, or none, is refused", async () => {
  for (const text of ["abc", "0", "65536", "1.5", "0x10", "1e3"])
    assert.is((await refused("gateway", "--port", text)).message, `Invalid port "${text}"`);
  assert.match(
    (await refused("gateway", "health", "--timeout", "soon")).message,
    /^Invalid --timeout soon \(use a whole/,
  );
});

test("an option that may be repeated keeps every value, any other its last", async () => {
  const { options } = await parse("gateway", "--allow", "a", "--allow=b", "--token", "x", "--token", "y");
  assert.equal([options["allow"], options["token"]], ["a,b", "y"]);
});

test("what is not given has its default, a switch false", async () => {
  const { options } = await parse("gateway");
  assert.is(options["ws-log"], "auto");
  assert.is(options["token"], undefined);
  assert.is(options["force"], false);
});

test.run();
