import { test } from "uvu";
import * as assert from "uvu/assert";
import { scopeOf } from "../../../src/flow/command.ts";
import { parseSlash, slashCommands } from "../../../src/flow/slash/index.ts";
import { random } from "../../config/random.ts";

function parse(text: string): readonly [string, string] | undefined {
  const parsed = parseSlash(text);
  return parsed && [parsed.command.name, parsed.args];
}

test("a message that begins with a command is one, in any case, with a colon or without", () => {
  for (const [text, expected] of [
    ["/status", ["status", ""]],
    ["  /STATUS  ", ["status", ""]],
    ["/status:", ["status", ""]],
    ["/think high", ["think", "high"]],
    ["/Think: high", ["think", "high"]],
    ["/think:high", ["think", "high"]],
    ["/t high\nexplain\nthis", ["think", "high\nexplain\nthis"]],
    ["/thinking off", ["think", "off"]],
    ["/v full", ["verbose", "full"]],
    ["/id", ["whoami", ""]],
    ["/queue collect debounce:2s", ["queue", "collect debounce:2s"]],
    ["/model openai/gpt-5.2", ["model", "openai/gpt-5.2"]],
  ] as const)
    assert.equal(parse(text), expected, text);
});

test("anything else goes to the model as it is", () => {
  for (const text of [
    "",
    "/",
    "status",
    "what does /status do?",
    "/unknown",
    "/usr/bin/env",
    "/statusx",
    "/status2",
    "/ status",
    "//status",
    "/status what is this?",
    "/help me with my taxes",
    "/constructor",
    "/__proto__",
  ])
    assert.is(parse(text), undefined, text);
});

test("no text makes the parser fail or slow", () => {
  const pick = random(3);
  const parts = ["/", ":", " ", "\n", "think", "new", "high", "\u0000", "😀", "/model", "::", "\\"];
  for (let n = 0; n < 2000; n++) parseSlash(Array.from({ length: pick(12) }, () => parts[pick(parts.length)]).join(""));
  assert.is(parse(`/think ${" ".repeat(500_000)}x`)?.[1], "x");
  assert.is(parse("/".repeat(500_000)), undefined);
});

test("names and aliases are unique, and lower-case letters alone", () => {
  const names = slashCommands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.is(new Set(names).size, names.length);
  assert.ok(names.every((name) => /^[a-z]+$/.test(name)));
});

test("threat F each command asks for as much as the method with the same effect", () => {
  assert.equal(scopesWith(""), {
    help: "operator.read",
    commands: "operator.read",
    status: "operator.read",
    whoami: "operator.read",
    context: "operator.write",
    new: "operator.admin",
    reset: "operator.admin",
    compact: "operator.admin",
    stop: "operator.write",
    think: "operator.write",
    model: "operator.write",
    models: "operator.write",
    verbose: "operator.write",
    reasoning: "operator.write",
    usage: "operator.write",
    queue: "operator.write",
    activation: "operator.admin",
    send: "operator.admin",
  });
});

test("threat F a setting is shown to who may write, and changed by an administrator", () => {
  const [shown, changed] = [scopesWith(""), scopesWith("on")];
  const differing = Object.keys(shown).filter((name) => shown[name] !== changed[name]);
  assert.equal(differing, ["verbose", "reasoning", "usage", "queue"]);
  assert.ok(differing.every((name) => changed[name] === "operator.admin"));
});

function scopesWith(args: string): Readonly<Record<string, string>> {
  return Object.fromEntries(slashCommands.map((command) => [command.name, scopeOf({ command, args })]));
}

test("what changes the transcript waits for the run that goes on, and nothing else does", () => {
  const exclusive = slashCommands.filter((command) => command.exclusive).map(({ name }) => name);
  assert.equal(exclusive, ["new", "reset", "compact"]);
});

test.run();
