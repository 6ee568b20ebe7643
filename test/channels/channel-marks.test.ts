import { test } from "uvu";
import * as assert from "uvu/assert";
import { angleLink, asterisks, plain, withMarks } from "../../src/channels/channel-marks.ts";

const cases: readonly (readonly [markdown: string, marked: string, plain: string])[] = [
  ["**a** __b__", "*a* *b*", "a b"],
  ["*a* _b_", "_a_ _b_", "a b"],
  ["~~a~~", "~a~", "a"],
  ["`**a**`", "`**a**`", "**a**"],
  ["snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"],
  ["## A **title**\ntext", "*A title*\ntext", "A title\ntext"],
  ["* a\n* b", "• a\n• b", "• a\n• b"],
  ["3. a\n4. b", "3. a\n4. b", "3. a\n4. b"],
  ["> a\n> b", "> a\n> b", "> a\n> b"],
  ["| a | b |\n|---|---|\n| 1 | **2** |", "a | b\n1 | *2*", "a | b\n1 | 2"],
  ["[a](https://x.example/a_b_c)", "a (https://x.example/a_b_c)", "a (https://x.example/a_b_c)"],
  ["see https://x.example", "see https://x.example", "see https://x.example"],
  ["```js\n**a**\n- b\n```\n**c**", "```\n**a**\n- b\n```\n\n*c*", "**a**\n- b\n\nc"],
  ["a:\n- b\n\nc", "a:\n• b\n\nc", "a:\n• b\n\nc"],
  ["a\n\nb\nc", "a\n\nb\nc", "a\n\nb\nc"],
  ["**open", "**open", "**open"],
  ["", "", ""],
];

for (const [markdown, marked, text] of cases)
  test(`${JSON.stringify(markdown)} is marked as a chat network does`, () => {
    assert.is(withMarks(markdown, asterisks), marked);
    assert.is(withMarks(markdown, plain), text);
  });

test("a link's text cannot break out of it", () => {
  assert.is(angleLink("a|b> <users/all>", "https://x.example/|"), "<https://x.example/%7C|a b   users/all >");
});

test.run();
