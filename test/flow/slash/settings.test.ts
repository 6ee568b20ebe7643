import { test } from "uvu";
import * as assert from "uvu/assert";
import { conversation } from "./conversation.ts";

test("/think by itself shows the level, and with one sets it", async () => {
  const { reply, row, writes } = conversation();
  assert.is(await reply("/think"), "Current thinking level: off.\nOptions: off, minimal, low, medium, high.");
  assert.is(await reply("/think high"), "Thinking level set to high.");
  assert.is(row().thinkingLevel, "high");
  assert.is(await reply("/t MAX"), "Thinking level set to high.");
  assert.is(await reply("/thinking off"), "Thinking disabled.");
  assert.is(row().thinkingLevel, "off");
  assert.is(writes.length, 3);
});

test("a level that there is not is named with those that there are, and nothing changes", async () => {
  const { reply, row, writes } = conversation({ row: { thinkingLevel: "low" } });
  const answer = await reply("/think big");
  assert.is(answer, 'Unrecognized thinking level "big". Valid levels: off, minimal, low, medium, high.');
  assert.match(await reply("/think big deal"), /^Unrecognized/);
  assert.is(row().thinkingLevel, "low");
  assert.equal(writes, []);
});

test("xhigh is for models that have it", async () => {
  const other = conversation({ row: { providerOverride: "anthropic", modelOverride: "claude-opus-4-5" } });
  assert.match(
    await other.reply("/think xhigh"),
    /^Thinking level "xhigh" is not supported by anthropic\/claude-opus-4-5\. Valid/,
  );
  const gpt = conversation({ row: { providerOverride: "openai", modelOverride: "gpt-5.2" } });
  assert.is(await gpt.reply("/think xhigh"), "Thinking level set to xhigh.");
});

test("with a message behind it, the level is for that message alone", async () => {
  const { outcome, writes } = conversation();
  assert.equal(await outcome("/think high explain\nmonads"), { run: "explain\nmonads", thinking: "high" });
  assert.equal(writes, []);
});

test("what is quoted back is short and plain", async () => {
  const { reply } = conversation();
  const answer = await reply(`/think ${"\u202e😀".repeat(5000)}`);
  assert.ok(answer.length < 250, String(answer.length));
  assert.not.match(answer, /[\u202e\ufffd]/);
});

test("/verbose and /reasoning", async () => {
  const { reply, row } = conversation();
  assert.is(await reply("/verbose"), "Current verbose level: off.\nOptions: off, on, full.");
  assert.is(await reply("/verbose on"), "⚙️ Verbose logging enabled.");
  assert.is(await reply("/v full"), "⚙️ Verbose logging set to full.");
  assert.is(row().verboseLevel, "full");
  assert.is(await reply("/v OFF"), "⚙️ Verbose logging disabled.");
  assert.is(await reply("/v loud"), 'Unrecognized verbose level "loud". Valid levels: off, on, full.');
  assert.is(await reply("/v constructor"), 'Unrecognized verbose level "constructor". Valid levels: off, on, full.');
  assert.is(row().verboseLevel, "off");
  assert.is(await reply("/reasoning on"), "⚙️ Reasoning visibility enabled.");
  assert.is(await reply("/reasoning stream"), "⚙️ Reasoning stream enabled.");
  assert.is(row().reasoningLevel, "stream");
  assert.is(await reply("/reasoning off"), "⚙️ Reasoning visibility disabled.");
});

test("/queue shows and sets how messages wait", async () => {
  const { reply, row, writes } = conversation();
  assert.match(
    await reply("/queue"),
    /^Current queue settings: mode=collect, debounce=1000ms, cap=20, drop=summarize\.\nOptions: /,
  );
  assert.is(
    await reply("/queue collect debounce:2s cap:25 drop:summarize"),
    "⚙️ Queue mode set to collect. ⚙️ Queue debounce set to 2000ms. ⚙️ Queue cap set to 25. ⚙️ Queue drop set to summarize.",
  );
  assert.equal(row().queue, { mode: "collect", debounceMs: 2000, cap: 25, drop: "summarize" });
  assert.is(await reply("/queue STEER"), "⚙️ Queue mode set to steer.");
  assert.equal(row().queue, { mode: "steer", debounceMs: 2000, cap: 25, drop: "summarize" });
  assert.is(await reply("/queue default"), "⚙️ Queue settings reset to default.");
  assert.is(row().queue, undefined);
  assert.is(writes.length, 3);
});

test("a wrong part of /queue changes nothing, and every one is named", async () => {
  const { reply, writes } = conversation();
  const answer = await reply("/queue steer debounce:soon cap:0 drop:all later");
  assert.equal(
    answer.split("\n").map((line) => line.split(".")[0]),
    ['Invalid debounce "soon"', 'Invalid cap "0"', 'Invalid drop "all"', 'Unrecognized queue mode "later"'],
  );
  for (const wrong of [
    "debounce:",
    "debounce:11m",
    "debounce:-1s",
    "debounce:1e3",
    "cap:1001",
    "cap:1.5",
    "cap:",
    "drop:",
  ])
    assert.match(await reply(`/queue ${wrong}`), /^Invalid/, wrong);
  assert.equal(writes, []);
});

test("/usage sets the footer", async () => {
  const { reply, row } = conversation();
  assert.is(await reply("/usage tokens"), "⚙️ Usage footer: tokens.");
  assert.is(row().responseUsage, "tokens");
  assert.is(await reply("/usage some"), 'Unrecognized usage footer "some". Valid footers: off, tokens, full, cost.');
  assert.is(await reply("/usage off"), "⚙️ Usage footer: off.");
});

test("/usage by itself sums up the session, the day and the month", async () => {
  const usage = {
    input: 1000,
    output: 200,
    cacheRead: 30_000,
    cacheWrite: 500,
    totalTokens: 31_700,
    cost: { input: 0.1, output: 0.2, cacheRead: 0, cacheWrite: 0, total: 0.3 },
  };
  const entry = { ts: 0, agentId: "main", sessionKey: "agent:main:main", provider: "mock", model: "m1", usage };
  const { reply, asked } = conversation({ ledger: [entry, entry], row: { startedAt: 5 } });
  assert.equal((await reply("/usage")).split("\n"), [
    "📊 Usage",
    "Session: 63k in / 400 out · $0.6000",
    "Last 24 hours: 63k in / 400 out · $0.6000",
    "Last 30 days: 63k in / 400 out · $0.6000",
    "Footer: off. Options: off, tokens, full, cost.",
  ]);
  assert.equal((asked[0] as { since: number; sessionKey: string }).sessionKey, "agent:main:main");
  assert.is((asked[0] as { since: number }).since, 5);
});

test("/activation is for groups", async () => {
  const direct = conversation();
  assert.is(await direct.reply("/activation always"), "⚙️ Group activation only applies to group chats.");
  assert.equal(direct.writes, []);
  const group = conversation({ row: { kind: "group" } });
  assert.is(await group.reply("/activation"), "Current group activation: mention.\nOptions: mention, always.");
  assert.is(await group.reply("/activation always"), "⚙️ Group activation set to always.");
  assert.is(group.row().groupActivation, "always");
  assert.match(await group.reply("/activation never"), /^Unrecognized group activation "never"\./);
});

test("/send allows, denies, or leaves it to the configuration", async () => {
  const { reply, row } = conversation();
  assert.is(await reply("/send off"), "⚙️ Send policy set to off.");
  assert.is(row().sendPolicy, "deny");
  assert.is(await reply("/send"), "Current send policy: off.\nOptions: on, off, inherit.");
  assert.is(await reply("/send on"), "⚙️ Send policy set to on.");
  assert.is(await reply("/send inherit"), "⚙️ Send policy set to inherit.");
  assert.is(row().sendPolicy, undefined);
  assert.match(await reply("/send toString"), /^Unrecognized send policy "toString"\./);
});

test.run();
