import { test } from "uvu";
import * as assert from "uvu/assert";
import { factsOf, knownModel, knownModelsOf, type ProviderFacts, providerFacts } from "../../src/providers/facts.ts";
import { providers } from "../../src/providers/index.ts";
import { apis } from "../../src/providers/provider.ts";

const all: readonly ProviderFacts[] = providerFacts;

test("every dialect has the provider that speaks it", () => {
  for (const api of apis) assert.is(providers[api].api, api);
});

test("ids, models and aliases are there once", () => {
  unique(all.map(({ id }) => id));
  for (const facts of all) unique(knownModelsOf(facts).map(({ id }) => id));
  unique(all.flatMap(knownModelsOf).flatMap(({ alias }) => alias ?? []));
});

test("the providers of the issue are there", () => {
  const named = "anthropic openai openrouter google ollama lmstudio vllm llamacpp groq mistral deepseek xai together";
  const more = "moonshot zai minimax cerebras opencode vercel-ai-gateway venice synthetic clawlet";
  for (const id of `${named} ${more}`.split(" ")) assert.ok(factsOf(id), id);
});

test("threat A a key is sent to an https address, or to this machine", () => {
  for (const { id, baseUrl, credential } of all.filter((facts) => facts.credential !== "none")) {
    const { protocol, hostname } = new URL(baseUrl);
    const local = protocol === "http:" && hostname === "127.0.0.1";
    assert.ok(credential === "optional" ? local : protocol === "https:", id);
    assert.not.match(baseUrl, /\/$/, id);
  }
});

test("who needs a key says where it is looked for, and set-up begins with a model that is known", () => {
  for (const facts of all) {
    assert.is(facts.credential === "none", facts.variables.length === 0, facts.id);
    if (facts.begin !== undefined) assert.ok(knownModel(facts.id, facts.begin), facts.id);
    if (facts.setup) assert.ok(facts.begin !== undefined && facts.variables.length > 0, facts.id);
  }
});

test("windows hold answers, and prices are in a sensible order", () => {
  for (const model of all.flatMap(knownModelsOf)) {
    const name = `${model.provider}/${model.id}`;
    assert.ok(model.maxTokens > 0 && model.maxTokens <= model.contextWindow, name);
    const { input, output, cacheRead } = model.cost;
    assert.ok(output >= input && cacheRead <= input, name);
  }
});

test("a model carries what is special of its provider and of itself", () => {
  const model = knownModel("deepseek", "deepseek-v4-flash");
  assert.equal(model?.compat, { thinkingFormat: "zai", replaysReasoning: true, efforts: "high max" });
  assert.is(knownModel("opencode", "claude-opus-4-5")?.api, "anthropic-messages");
  assert.is(knownModel("openai", "gpt-99"), undefined);
  assert.is(knownModel("nobody", "gpt-5"), undefined);
});

function unique(names: readonly string[]): void {
  assert.equal(names, [...new Set(names)]);
}

test.run();
