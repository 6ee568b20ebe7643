import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseArgs } from "../../src/cli/args.ts";
import { globalOptions } from "../../src/cli/options.ts";
import type { OptionTable } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import { run } from "../commands/run.ts";
import { shellWords } from "../support/shell-line.ts";

const all = await Promise.all(
  Object.entries(commands).map(async ([words, load]) => ({ words, command: await load() })),
);

test("every command has examples, and each of them is a command line that it understands", async () => {
  for (const { words, command } of all) {
    const { examples = [] } = command;
    assert.ok(examples.length > 0, words);
    const called = [];
    for (const example of examples) {
      assert.match(example.description, /^[A-Z].*\.$/, words);
      called.push((await parseArgs(shellWords(example.command), commands, "clawlet")).command?.path.join(" "));
    }
    assert.ok(called.includes(command.path.join(" ")), `${words} has no example of itself`);
  }
});

test("every option and argument says in a sentence what it is", () => {
  for (const { words, command } of all) {
    const options: OptionTable = { ...globalOptions, ...command.options };
    for (const [name, { description }] of Object.entries(options))
      // One network spells itself with a small letter.
      assert.match(description, /^(?:[A-Z\d]|iMessage).*\.$/, `${words} --${name}`);
    for (const { name, description } of command.positionals ?? [])
      assert.match(description, /^[A-Z\d].*\.$/, `${words} <${name}>`);
  }
});

test("help <command> and <command> --help show the same: usage, options, examples", async () => {
  for (const { words, command } of all) {
    const path = words.split(" ");
    const asked = await run(["help", ...path]);
    assert.equal(asked, await run([...path, "--help"]), words);
    assert.is(asked.code, 0);
    assert.match(asked.stdout, `Usage: clawdbot ${words}`);
    assert.match(asked.stdout, "\nExamples:\n");
    for (const name of Object.keys(command.options)) assert.match(asked.stdout, `  --${name}`);
  }
});

test.run();
