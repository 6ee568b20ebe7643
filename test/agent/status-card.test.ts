import { test } from "uvu";
import * as assert from "uvu/assert";
import { statusCard, type StatusCardInput } from "../../src/agent/status-card.ts";

const card: StatusCardInput = {
  title: "Clawdbot",
  version: "2026.1.24",
  commit: "885167d",
  model: "mock/m1",
  profileId: "mock:default",
  contextUsed: 0,
  contextWindow: 100_000,
  compactions: 0,
  sessionKey: "main",
  updatedAt: 1_795_226_113_000,
  now: 1_795_226_113_994,
  thinking: "off",
  queue: { mode: "collect", depth: 0 },
};

test("a card has the lines of /status", () => {
  assert.equal(statusCard(card).split("\n"), [
    "🦞 Clawdbot 2026.1.24 (885167d)",
    "🧠 Model: mock/m1 · 🔑 mock:default",
    "📚 Context: 0/100k (0%) · 🧹 Compactions: 0",
    "🧵 Session: main • updated just now",
    "⚙️ Runtime: direct · Think: off",
    "🪢 Queue: collect (depth 0)",
  ]);
});

test("what is not known is left out", () => {
  const bare = { ...card, commit: undefined, profileId: undefined, contextUsed: undefined, updatedAt: undefined };
  const lines = statusCard(bare).split("\n");
  assert.is(lines[0], "🦞 Clawdbot 2026.1.24");
  assert.is(lines[1], "🧠 Model: mock/m1");
  assert.is(lines[2], "📚 Context: ?/100k · 🧹 Compactions: 0");
  assert.is(lines[3], "🧵 Session: main");
});

test("tokens and ages are short", () => {
  const line = (contextUsed: number, contextWindow: number) =>
    /Context: (.*) · 🧹/.exec(statusCard({ ...card, contextUsed, contextWindow }))?.[1];
  assert.is(line(999, 1000), "999/1k (100%)");
  assert.is(line(1234, 200_000), "1.2k/200k (1%)");
  assert.is(line(56_789, 1_048_576), "57k/1m (5%)");
  assert.is(line(0, 0), "0/0");
  const age = (ms: number) => /updated (.*)/.exec(statusCard({ ...card, updatedAt: card.now - ms }))?.[1];
  assert.equal([59_000, 60_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000, -5000].map(age), [
    "just now",
    "1m ago",
    "1h ago",
    "47h ago",
    "2d ago",
    "just now",
  ]);
});

test("the model is told the time where the person is", () => {
  const [, time] = statusCard({ ...card, timeZone: "Europe/Vienna" }).split("\n");
  assert.match(time ?? "", /^🕒 Time: Saturday,? 21 November 2026.* 02:55 \(Europe\/Vienna\)$/);
});

test.run();
