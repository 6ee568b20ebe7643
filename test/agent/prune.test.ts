import { test } from "uvu";
import * as assert from "uvu/assert";
import { fit } from "../../src/agent/fit.ts";
import { answerTokens, limitsOf } from "../../src/agent/limits.ts";
import { prune, type Pruning } from "../../src/agent/prune.ts";
import { messageTokens } from "../../src/agent/tokens.ts";
import { noUsage, textOf, type Message } from "../../src/session/message.ts";
import { scriptedConfig } from "../support/app.ts";
import { modelSpec } from "../support/scripted-model.ts";

test("pruning that is off changes nothing", () => {
  const messages = rounds(5, 20_000);
  assert.is(prune(messages, settings({ mode: "off" }), 1000), messages);
});

test("old results are shortened from a third of the window on, the newest three answers' stay whole", () => {
  const pruned = prune(rounds(6, 6000), settings({ mode: "adaptive" }), 22_000);
  assert.equal(
    sizes(pruned).map((size) => size < 4000),
    [true, true, true, false, false, false],
  );
  assert.match(results(pruned)[0] ?? "", /^x{1500}\n\[… 3000 characters/);
});

test("below a third of the window nothing is cut", () => {
  assert.equal(sizes(prune(rounds(6, 6000), settings({ mode: "adaptive" }), 100_000)), Array(6).fill(6000));
});

test("old results are cleared when half of the window is still taken and it is worth it", () => {
  const cleared = results(prune(rounds(40, 3900), settings({ mode: "adaptive" }), 20_000));
  assert.is(cleared[0], "[Old tool result content cleared]");
  assert.is(cleared.at(-1)?.length, 3900);
});

test("results with pictures are left alone", () => {
  const messages = rounds(6, 6000).map((message): Message => {
    if (message.role !== "toolResult") return message;
    return { ...message, content: [...message.content, { type: "image", mimeType: "image/png", data: "AAAA" }] };
  });
  assert.equal(prune(messages, settings({ mode: "aggressive" }), 1000), messages);
});

test("with cache-ttl only what lies before a pause longer than the cache lives is cut", () => {
  const messages = rounds(12, 6000);
  const warm = settings({ mode: "cache-ttl", keepLastAssistants: 0 });
  assert.equal(prune(messages, warm, 5000), messages);
  const paused = messages.map((message, index) => ({ ...message, timestamp: index < 18 ? 0 : 400_000 }));
  const cut = sizes(prune(paused, warm, 5000));
  assert.ok(cut.slice(0, 9).every((size) => size < 6000));
  assert.ok(cut.slice(9).every((size) => size === 6000));
});

test("a request that does not fit loses of its results first, then its oldest messages, never the last", () => {
  const messages = rounds(8, 6000);
  assert.is(fit(messages, 1_000_000), messages);
  const shorter = fit(messages, 6000);
  assert.is(shorter.length, messages.length);
  assert.ok(total(shorter) <= 6000);
  const fewer = fit(messages, 300);
  assert.ok(total(fewer) <= 350, String(total(fewer)));
  assert.is(fewer[1]?.role, "assistant");
  assert.match(fewer[0] ? textOf(fewer[0]) : "", /Older messages are left out/);
  const huge: Message = { role: "user", content: [{ type: "text", text: "y".repeat(9000) }], timestamp: 0 };
  assert.equal(fit([huge], 10), [huge]);
});

test("in every window the reserve and what is kept leave room", () => {
  const { defaults } = scriptedConfig().current().value.agents;
  for (const window of [1, 1000, 8192, 32_000, 200_000, 1_000_000]) {
    const limits = limitsOf(defaults, window);
    assert.ok(limits.reserve + limits.keep + limits.summary <= limits.window, String(window));
  }
  assert.equal(limitsOf(defaults, 200_000), { window: 200_000, reserve: 20_000, keep: 20_000, summary: 4096 });
  assert.is(limitsOf({ ...defaults, contextTokens: 50_000 }, 200_000).window, 50_000);
});

test("an answer may not be longer than the window has room for", () => {
  const { defaults } = scriptedConfig().current().value.agents;
  const limits = limitsOf(defaults, 10_000);
  assert.is(answerTokens(limits, modelSpec({ maxTokens: 2000 }), 1000), undefined);
  assert.is(answerTokens(limits, modelSpec({ maxTokens: 8000 }), 6000), 4000);
  assert.is(answerTokens(limits, modelSpec({ maxTokens: 8000 }), 99_000), 1024);
});

function settings(more: Partial<Pruning>): Pruning {
  return { ...scriptedConfig().current().value.agents.defaults.contextPruning, ...more };
}

/** Rounds of a call and its result of so many letters. */
function rounds(count: number, letters: number): readonly Message[] {
  return Array.from({ length: count }, (_, index): readonly Message[] => [
    {
      role: "assistant",
      content: [{ type: "toolCall", id: `c${index}`, name: "read", arguments: {} }],
      api: "echo",
      provider: "test",
      model: "one",
      usage: noUsage,
      stopReason: "toolUse",
      timestamp: 0,
    },
    {
      role: "toolResult",
      toolCallId: `c${index}`,
      toolName: "read",
      content: [{ type: "text", text: "x".repeat(letters) }],
      isError: false,
      timestamp: 0,
    },
  ]).flat();
}

function results(messages: readonly Message[]): readonly string[] {
  return messages.filter(({ role }) => role === "toolResult").map(textOf);
}

function sizes(messages: readonly Message[]): readonly number[] {
  return results(messages).map((text) => text.length);
}

function total(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}

test.run();
