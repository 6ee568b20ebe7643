import { test } from "uvu";
import * as assert from "uvu/assert";
import { knownModel } from "../../src/providers/facts.ts";
import { openaiCompletions } from "../../src/providers/openai-completions.ts";
import { openaiResponses } from "../../src/providers/openai-responses.ts";
import type { ModelSpec, Provider } from "../../src/providers/provider.ts";
import { callOf, collect, play, requestOf, sameHoweverSplit, type Script } from "../support/vendors/double.ts";
import { completions, responses } from "../support/vendors/openai-scripts.ts";

const model = knownModel("openai", "gpt-5.2") as ModelSpec;

for (const name of ["text", "parallelCalls", "reasoningContent", "openrouter", "thinkTags"] as const)
  test(`Chat Completions: ${name} means the same wherever its bytes are split`, () =>
    same(openaiCompletions, completions[name]));

for (const name of ["reasoning", "parallelCalls"] as const)
  test(`Responses: ${name} means the same wherever its bytes are split`, () => same(openaiResponses, responses[name]));

async function same(provider: Provider, script: Script): Promise<void> {
  const wrong = await sameHoweverSplit(script.body, (chunking) => {
    const answer = async (): Promise<Response> => play(script, { type: "text/event-stream", chunking });
    return collect(provider.stream(requestOf(model), callOf({ answer })));
  });
  assert.is(wrong, undefined);
}

test.run();
