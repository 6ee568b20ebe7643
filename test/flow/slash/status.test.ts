import { test } from "uvu";
import * as assert from "uvu/assert";
import { slashCommands } from "../../../src/flow/slash/index.ts";
import { conversation } from "./conversation.ts";

test("/status is the card of the session", async () => {
  const { reply } = conversation();
  assert.equal((await reply("/status")).split("\n"), [
    "🦞 Clawdbot 1.2.3",
    "🧠 Model: mock/m1 · 🔑 mock:default",
    "📚 Context: 0/100k (0%) · 🧹 Compactions: 0",
    "🧵 Session: main • updated just now",
    "⚙️ Runtime: direct · Think: off",
    "🪢 Queue: collect (depth 2)",
  ]);
});

test("/status shows what was chosen, and works when no model can be asked", async () => {
  const chosen = conversation({
    row: {
      providerOverride: "openai",
      modelOverride: "gpt-5.2",
      thinkingLevel: "high",
      totalTokens: 5000,
      compactionCount: 2,
    },
    config: { agents: { defaults: { model: "mock/m1", contextTokens: 50_000 } } },
  });
  const card = await chosen.reply("/status");
  assert.match(card, /Model: openai\/gpt-5\.2 · 🔑 openai:default\n📚 Context: 5k\/50k \(10%\) · 🧹 Compactions: 2/);
  assert.match(card, /Think: high/);
  const locked = conversation({ locked: true });
  assert.match(await locked.reply("/status"), /🧠 Model: mock\/m1\n/);
});

test("/help is short, and /commands has every command once", async () => {
  const { reply } = conversation();
  const help = (await reply("/help")).split("\n");
  assert.is(help[0], "ℹ️ Help");
  assert.is(help.length, 5);
  const list = await reply("/commands");
  assert.match(list, /^ℹ️ Slash commands\n\nSession\n/);
  assert.match(
    list,
    /\n\/think off\|minimal\|low\|medium\|high\|xhigh \(\/t, \/thinking\) - Show or set how hard the model thinks\.\n/,
  );
  for (const { name } of slashCommands)
    assert.is(list.split("\n").filter((line) => new RegExp(`^/${name}\\b`).test(line)).length, 1, name);
});

test("/whoami says as whom the sender is known", async () => {
  const { reply } = conversation();
  assert.is(await reply("/whoami"), "🧭 Identity\nChannel: webchat\nUser id: cli\nAllowFrom: cli");
});

test("/stop ends what runs", async () => {
  assert.is(await conversation().reply("/stop"), "⚙️ Nothing was running.");
  assert.is(await conversation({ running: ["a"] }).reply("/stop"), "⚙️ Agent was aborted.");
  assert.is(await conversation({ running: ["a", "b"] }).reply("/stop"), "⚙️ Agent was aborted. 2 runs ended.");
});

test("/compact says what came of it", async () => {
  const plain = conversation();
  assert.is(await plain.reply("/compact"), "⚙️ Compacted • Context ?/100k");
  assert.is(plain.compactions[0]?.instructions, undefined);
  const told = conversation({ compact: { compacted: true, tokensBefore: 84_000, tokensAfter: 9_950 } });
  assert.is(await told.reply("/compact keep the names"), "⚙️ Compacted (84k → 10k) • Context 10k/100k");
  assert.is(told.compactions[0]?.instructions, "keep the names");
  const skipped = { compacted: false, reason: "nothing to sum up", tokensBefore: 5, tokensAfter: 5 };
  assert.is(
    await conversation({ compact: skipped }).reply("/compact"),
    "⚙️ Compaction skipped: nothing to sum up • Context 5/100k",
  );
});

test("/context breaks the prompt down", async () => {
  const promptReport = () =>
    Promise.resolve({
      workspaceDir: "/home/me/clawd",
      bootstrapMaxChars: 20_000,
      systemPrompt: { chars: 4000, projectContextChars: 1000, nonProjectContextChars: 3000 },
      injectedWorkspaceFiles: [
        { name: "AGENTS.md", path: "/a", missing: false, rawChars: 30_000, injectedChars: 18_000, truncated: true },
        { name: "SOUL.md", path: "/s", missing: true, rawChars: 0, injectedChars: 0, truncated: false },
      ],
      tools: [
        { name: "read", schemaChars: 200 },
        { name: "write", schemaChars: 100 },
      ],
    });
  const { reply } = conversation({ promptReport });
  assert.match(await reply("/context"), /^🧠 \/context\n/);
  assert.equal((await reply("/context list")).split("\n"), [
    "🧠 Context breakdown",
    "Workspace: /home/me/clawd",
    "Most characters of a file: 20000",
    "Sandbox: off",
    "System prompt: 4000 chars (~1000 tokens), project context 1000 chars (~250 tokens)",
    "",
    "Workspace files:",
    "- AGENTS.md: TRUNCATED, raw 30000 chars (~7500 tokens), injected 18000 chars (~4500 tokens)",
    "- SOUL.md: MISSING",
    "",
    "Tools: 2, schemas 300 chars (~75 tokens)",
  ]);
  assert.match(
    await reply("/context detail"),
    /\nTools:\n- read: schema 200 chars \(~50 tokens\)\n- write: .*\nTools: 2, /,
  );
  assert.is(await reply("/context all"), 'Unrecognized context view "all". Valid views: list, detail.');
  assert.match(await conversation().reply("/context list"), /no model can be asked now/);
});

test.run();
