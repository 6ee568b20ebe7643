import { test } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../../src/commands/index.ts";
import { VERSION } from "../../src/kit/version.ts";
import { run } from "../commands/run.ts";

test("every command is found under its own path and says what it does", async () => {
  for (const [words, load] of Object.entries(commands)) {
    const { path, summary, examples = [] } = await load();
    const aliases = [
      path.join(" "),
      "gateway run",
      "health",
      "tui",
      "sessions",
      "models",
      "update",
      "cron",
      "hooks",
      "channels",
    ];
    assert.ok(aliases.includes(words.replace(/^daemon /, "gateway ")), words);
    assert.match(summary, /^[A-Z].*\.$/);
    for (const { command } of examples)
      assert.ok(command.replace(/^--profile \S+ /, "").startsWith(path[0] ?? ""), command);
  }
});

test("--version prints one line: the version, and what it runs on", async () => {
  for (const line of [["--version"], ["-V"], ["gateway", "--version"]])
    assert.equal(await run(line), { code: 0, stdout: `${VERSION} (node 1.0.0)\n`, stderr: "" });
  assert.equal(JSON.parse((await run(["--version", "--json"])).stdout), { version: VERSION, runtime: "node 1.0.0" });
});

test("without a command the usage is on stderr, exit 2; with --help on stdout, exit 0", async () => {
  const bare = await run([]);
  assert.equal([bare.code, bare.stdout], [2, ""]);
  assert.match(bare.stderr, /^Usage: clawdbot <command> \[options\]\n/);
  const asked = await run(["--help"]);
  assert.equal([asked.code, asked.stderr, asked.stdout], [0, "", bare.stderr]);
});

test("help is that of the command it stands with", async () => {
  for (const line of [
    ["gateway", "health", "--help"],
    ["help", "gateway", "health"],
    ["-h", "gateway", "health"],
  ]) {
    const { code, stdout } = await run(line);
    assert.is(code, 0);
    assert.match(stdout, "Usage: clawdbot gateway health [options]");
    for (const option of ["--url <url>", "--token <token>", "--password <password>", "--timeout <ms>"])
      assert.match(stdout, option); // SC-184
  }
});

test("SC-187 the help of gateway status shows its options and defaults", async () => {
  const { stdout } = await run(["gateway", "status", "--help"]);
  for (const text of ["--no-probe", "--deep", "default: 10000", "--json"]) assert.match(stdout, text);
});

test("a group without a verb shows its verbs on stderr, exit 2", async () => {
  const { code, stdout, stderr } = await run(["devices"]);
  assert.equal([code, stdout], [2, ""]);
  assert.match(stderr, "Usage: clawdbot devices <command> [options]");
});

test("wrong usage: stderr, exit 2; with --json one object on stdout", async () => {
  const human = await run(["gateway", "health", "--tokn", "x"]);
  assert.equal(human, {
    code: 2,
    stdout: "",
    stderr: "unknown option --tokn\nDid you mean --token?\nTry: clawdbot gateway health --help\n",
  });
  const json = await run(["gateway", "health", "--tokn", "x", "--json"]);
  assert.equal([json.code, json.stderr], [2, ""]);
  assert.equal(JSON.parse(json.stdout), {
    ok: false,
    error: {
      code: "usage",
      message: "unknown option --tokn",
      hints: ["Did you mean --token?", "Try: clawdbot gateway health --help"],
    },
  });
});

test("2.11 --dev with --profile, and a profile that is not a name, are refused with the program's name", async () => {
  assert.equal(await run(["--dev", "--profile", "x", "config", "file"]), {
    code: 2,
    stdout: "",
    stderr: "[clawdbot] Cannot combine --dev with --profile\n",
  });
  assert.equal(await run(["config", "file", "--profile", "a/b"]), {
    code: 2,
    stdout: "",
    stderr: '[clawdbot] Invalid --profile (use letters, numbers, "_", "-" only)\n',
  });
});

test("a fault of our own shows where it came from; a Failure does only with --verbose", async () => {
  const quiet = await run(["config", "get", "x.y"]);
  assert.is(quiet.stderr, "Config path not found: x.y\n");
  const loud = await run(["config", "get", "x.y", "--verbose"]);
  assert.match(loud.stderr, /Config path not found: x\.y\n.*\n\s+at /s);
});

test.run();
