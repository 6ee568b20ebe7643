import { test } from "uvu";
import * as assert from "uvu/assert";
import * as v from "valibot";
import { slashCommands } from "../../../src/flow/slash/index.ts";
import { commandMethods } from "../../../src/methods/commands.ts";
import type { Call } from "../../../src/methods/method.ts";
import { checkResult } from "../../support/official.ts";
import { conversation } from "./conversation.ts";

const [list] = commandMethods;

function answer(params: unknown, config?: unknown) {
  const { context } = conversation(config === undefined ? {} : { config });
  const call = { app: { config: context.config }, params: v.parse(list.params, params) };
  // The method asks for nothing else.
  return v.parse(list.result, list.run(call as unknown as Call<v.InferOutput<typeof list.params>>)).commands;
}

test("commands.list has every command in the published shape", () => {
  const commands = answer({ agentId: "main", scope: "text" });
  checkResult("commands.list", { commands });
  assert.equal(
    commands.map(({ name }) => name),
    slashCommands.map(({ name }) => name),
  );
  assert.equal(commands[0], {
    name: "help",
    nativeName: "help",
    textAliases: ["/help"],
    description: "Show the commands used most.",
    category: "status",
    source: "native",
    scope: "both",
    acceptsArgs: false,
  });
});

test("what may follow is listed word by word where it is a choice, unless it is not asked for", () => {
  const verbose = answer({}).find(({ name }) => name === "verbose");
  assert.equal(verbose?.textAliases, ["/verbose", "/v"]);
  assert.equal(
    verbose?.args?.[0]?.choices?.map(({ value }) => value),
    ["off", "on", "full"],
  );
  const compact = answer({}).find(({ name }) => name === "compact");
  assert.equal(compact?.args?.[0], { name: "value", description: "[instructions]", type: "string", required: false });
  assert.ok(answer({ includeArgs: false }).every(({ args }) => args === undefined));
});

test("there are none where commands are switched off", () => {
  assert.equal(answer({}, { commands: { text: false } }), []);
});

test.run();
