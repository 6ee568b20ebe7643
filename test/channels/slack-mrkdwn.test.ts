import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromMrkdwn, mentionedIn } from "../../src/channels/slack-inbound-mrkdwn.ts";
import { toMrkdwn } from "../../src/channels/slack-send-mrkdwn.ts";

test("Markdown is written in Slack's marks", () => {
  const cases = [
    ["**bold** _italic_ ~~gone~~ `code`", "*bold* _italic_ ~gone~ `code`"],
    ["# A **big** title", "*A big title*"],
    ["[words](https://a.test/?a=1&b=2)", "<https://a.test/?a=1&amp;b=2|words>"],
    ["https://a.test/x", "<https://a.test/x>"],
    ["<mailto:a@b.test>", "<mailto:a@b.test>"],
    ["- one\n- two\n  - three", "• one\n• two\n    • three"],
    ["3. three\n4. four", "3. three\n4. four"],
    ["> quoted\n> twice", "> quoted\n> twice"],
    ["```ts\na < b && c\n```", "```\na &lt; b &amp;&amp; c\n```"],
    ["| a | b |\n|---|---|\n| 1 | long |", "```\na  b\n1  long\n```"],
    ["one\n\ntwo", "one\n\ntwo"],
  ] as const;
  for (const [markdown, mrkdwn] of cases) assert.is(toMrkdwn(markdown), mrkdwn);
});

test("threat A: nothing that a model writes becomes a mention or a link that shows another address", () => {
  for (const text of [
    "<!channel>",
    "<@U0ALICE001>",
    "`<!here>`",
    "# <!everyone>",
    "**<!channel>**",
    "&lt;!channel&gt;",
  ])
    assert.not.match(toMrkdwn(text), /<[!@]/);
  assert.is(toMrkdwn("[a|b>c](https://a.test/|x)"), "<https://a.test/%7Cx|a¦b&gt;c>");
  assert.not.match(toMrkdwn("[x](slack://open)"), /<slack/);
});

test("a fence within code does not end it", () => {
  assert.is(toMrkdwn("~~~\n```\n~~~").match(/```/g)?.length, 2);
});

test("what people wrote is read as they see it", () => {
  const names = (id: string) => (id === "U0BOB00001" ? "Bob" : undefined);
  const cases = [
    ["<@U0BOB00001> and <@U0EVE00001> and <@U0EVE00001|eve>", "@Bob and @U0EVE00001 and @eve"],
    ["<#C0GENERAL1|general> <#C0GENERAL1>", "#general #C0GENERAL1"],
    [
      "<https://a.test> <https://a.test|words> <mailto:a@b.test|a@b.test>",
      "https://a.test words (https://a.test) a@b.test",
    ],
    ["<!here> <!subteam^S01|@team> <!date^1^{date}|today>", "@here @team today"],
    ["1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;", "1 < 2 && 3 > 2 &lt;"],
  ] as const;
  for (const [mrkdwn, text] of cases) assert.is(fromMrkdwn(mrkdwn, names), text);
});

test("people who are named are found, each once", () => {
  assert.equal(mentionedIn("<@U0BOB00001> <@U0BOB00001|bob> <@W0EVE00001> @U0NOBODY1 <!here>"), [
    "U0BOB00001",
    "W0EVE00001",
  ]);
});

test.run();
