import { test } from "uvu";
import * as assert from "uvu/assert";
import { closest } from "../../../src/flow/slash/closest.ts";
import { conversation } from "./conversation.ts";

const overrideOf = ({ row }: ReturnType<typeof conversation>) => {
  const { providerOverride, modelOverride, modelOverrideSource, authProfileOverride } = row();
  return [providerOverride, modelOverride, modelOverrideSource, authProfileOverride];
};

test("/model by itself says which one and how to change it", async () => {
  const { reply } = conversation();
  assert.is(
    await reply("/model"),
    "Current: mock/m1\n\nSwitch: /model <provider/model>\nBrowse: /models (providers) or /models <provider> (models)\nMore: /model status",
  );
});

test("/model list has the providers with how many models each has, and /models is the same", async () => {
  const { reply } = conversation();
  const list = await reply("/model list");
  assert.match(list, /^Providers:\n- mock \(2\)\n- anthropic \(1\)\n- openai \(2\)\n- openrouter \(90\)\n/);
  assert.is(await reply("/models"), list);
  assert.match(
    await reply("/models openai"),
    /^Models \(openai\), 2 in all:\n4\. openai\/gpt-5\.2\n5\. openai\/gpt-5-mini\n/,
  );
});

test("a long list comes in pages", async () => {
  const { reply } = conversation();
  const first = await reply("/models openrouter");
  assert.match(first, /page 1 of 3:\n6\. openrouter\/vendor\/model-0\n/);
  assert.match(first, /More: \/models openrouter 2$/);
  assert.match(
    await reply("/model list OpenRouter 3"),
    /page 3 of 3:\n86\. [^]*95\. openrouter\/vendor\/model-89\n\nSwitch[^]*>$/,
  );
  assert.is(await reply("/models openrouter 4"), 'Unrecognized page "4". Valid pages: 1 to 3.');
  assert.is(await reply("/models openrout"), 'Unrecognized provider "openrout". Close to it: openrouter, openai.');
});

test("a model is chosen by its reference, its id, an alias or its number", async () => {
  for (const [word, expected] of [
    ["anthropic/claude-opus-4-5", "anthropic/claude-opus-4-5"],
    ["gpt-5.2", "openai/gpt-5.2"],
    ["OPUS", "anthropic/claude-opus-4-5"],
    ["5", "openai/gpt-5-mini"],
  ] as const) {
    const chat = conversation();
    assert.is(await chat.reply(`/model ${word}`), `Model set to ${expected}.`);
    const [provider, id] = expected.split("/");
    assert.equal(overrideOf(chat), [provider, id, "user", undefined]);
  }
});

test("the agent's own model is not written down, so that the session follows the configuration", async () => {
  const row = { providerOverride: "openai", modelOverride: "gpt-5.2", modelOverrideSource: "user" } as const;
  for (const text of ["/model default", "/model mock/m1", "/model 1"]) {
    const chat = conversation({ row });
    assert.match(await chat.reply(text), /^Model (reset to default \(mock\/m1\)|set to mock\/m1)\.$/);
    assert.equal(overrideOf(chat), [undefined, undefined, undefined, undefined]);
  }
});

test("a level of thinking goes with the model that had it", async () => {
  const chat = conversation({ row: { providerOverride: "openai", modelOverride: "gpt-5.2", thinkingLevel: "xhigh" } });
  await chat.reply("/model gpt-5-mini");
  assert.is(chat.row().thinkingLevel, undefined);
  const other = conversation({ row: { providerOverride: "openai", modelOverride: "gpt-5.2", thinkingLevel: "high" } });
  await other.reply("/model gpt-5-mini");
  assert.is(other.row().thinkingLevel, "high");
});

test("a credential can be named with the model", async () => {
  const chat = conversation();
  assert.is(await chat.reply("/model opus@work"), "Model set to anthropic/claude-opus-4-5 with anthropic:work.");
  assert.equal(overrideOf(chat), ["anthropic", "claude-opus-4-5", "user", "anthropic:work"]);
  assert.is(
    await chat.reply("/model opus@home"),
    'Unrecognized credential "home" for anthropic/claude-opus-4-5. Credentials: anthropic:default, anthropic:work.',
  );
  assert.match(await chat.reply("/model opus@work and a message"), /^A credential holds for the session: /);
  assert.is(chat.writes.length, 1);
});

test("a model that there is not is named with what is close to it, and nothing changes", async () => {
  const { reply, writes } = conversation();
  assert.match(
    await reply("/model gpt5.2"),
    /^Unrecognized model "gpt5\.2"\. Close to it: openai\/gpt-5\.2, .* See \/models/,
  );
  assert.match(await reply("/model opsu"), /Close to it: opus/);
  assert.is(await reply("/model zzzzqqq"), 'Unrecognized model "zzzzqqq". See /models for those that can be chosen.');
  assert.match(await reply("/model 999"), /^Unrecognized model "999"\./);
  assert.match(await reply("/model 0"), /^Unrecognized model "0"\./);
  assert.equal(writes, []);
});

test("threat F a model outside the allow list cannot be chosen, for a message alone either", async () => {
  const { reply, writes } = conversation({ allowed: ({ provider }) => provider === "mock" });
  assert.match(
    await reply("/model gpt-5.2"),
    /^Model "openai\/gpt-5\.2" is not allowed: agents\.defaults\.models does not list it\./,
  );
  assert.match(await reply("/model gpt-5.2 and a message"), /is not allowed/);
  assert.match(await reply("/new gpt-5.2"), /is not allowed/);
  assert.is(await reply("/model 3"), 'Unrecognized model "3". See /models for those that can be chosen.');
  assert.not.match(await reply("/models"), /openai/);
  assert.equal(writes, []);
});

test("with a message behind it, the model is for that message alone", async () => {
  const { outcome, writes } = conversation();
  assert.equal(await outcome("/model opus say hi"), { run: "say hi", model: "anthropic/claude-opus-4-5" });
  assert.equal(await outcome("/model default say hi"), { run: "say hi", model: "mock/m1" });
  assert.equal(writes, []);
});

test("/model status says what is asked in which order, by the names of credentials", async () => {
  const chosen = conversation({ row: { providerOverride: "openai", modelOverride: "gpt-5.2" } });
  assert.equal((await chosen.reply("/model status")).split("\n"), [
    "Current: openai/gpt-5.2 (chosen for this session)",
    "Default: mock/m1",
    "Asked in this order:",
    "1. openai/gpt-5.2 · 🔑 openai:default",
    "2. openai/gpt-5.2 · 🔑 openai:work",
  ]);
  const locked = conversation({ locked: true });
  assert.match(await locked.reply("/model status"), /No credential for mock: set MOCK_API_KEY\.$/);
});

test("/new and /reset begin anew and greet", async () => {
  for (const name of ["new", "reset"]) {
    const { outcome, row, writes } = conversation();
    const { run, ...rest } = await outcome(`/${name}`);
    assert.match(run ?? "", /Greet the person/);
    assert.equal(rest, {});
    assert.is(row().sessionId, "session-1-next");
    assert.equal(writes, [name]);
  }
});

test("/new with a model switches to it, and with a message says that first", async () => {
  const model = conversation();
  const outcome = await model.outcome("/new opus");
  assert.is(outcome.reply, "Model set to anthropic/claude-opus-4-5.");
  assert.match(outcome.run ?? "", /Greet/);
  assert.is(model.row().modelOverride, "claude-opus-4-5");

  const both = conversation();
  assert.is((await both.outcome("/new gpt-5.2 plan my week")).run, "plan my week");
  assert.is(both.row().modelOverride, "gpt-5.2");

  const message = conversation();
  assert.equal(await message.outcome("/new 3 ideas for dinner"), { run: "3 ideas for dinner" });
  assert.is(message.row().modelOverride, undefined);
});

test("/new with a reference that leads nowhere says so, and the session stays", async () => {
  const { reply, writes } = conversation();
  assert.match(await reply("/new nobody/nothing"), /^Unrecognized model "nobody\/nothing"\./);
  assert.equal(writes, []);
});

test("names are close when they share most of their letters", () => {
  const names = ["openai/gpt-5.2", "anthropic/claude-opus-4-5", "opus", "google/gemini-3-pro"];
  assert.equal(closest("claude-opus", names)[0], "anthropic/claude-opus-4-5");
  assert.equal(closest("GEMINI-3", names)[0], "google/gemini-3-pro");
  assert.equal(closest("", names), []);
  assert.equal(closest("x".repeat(100_000), names), []);
});

test.run();
