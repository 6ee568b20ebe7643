import { test } from "uvu";
import * as assert from "uvu/assert";
import { toMatrixHtml } from "../../src/channels/matrix-send-html.ts";

test("Markdown is written in Matrix's HTML", () => {
  const cases = [
    ["**b** _i_ ~~s~~ `c`\nnext", "<p><strong>b</strong> <em>i</em> <del>s</del> <code>c</code><br>next</p>"],
    ["## Title", "<h2>Title</h2>"],
    ["```ts\na < b\n```", '<pre><code class="language-ts">a &lt; b\n</code></pre>'],
    ["> quoted", "<blockquote><p>quoted</p></blockquote>"],
    ["- one\n- two", "<ul><li>one</li><li>two</li></ul>"],
    ["3. three", '<ol start="3"><li>three</li></ol>'],
    ["| a |\n|---|\n| 1 |", "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"],
    ["a\n\n---", "<p>a</p><hr>"],
  ] as const;
  for (const [markdown, html] of cases) assert.is(toMatrixHtml(markdown), html);
});

test("a text without marks needs no HTML", () => {
  assert.is(toMatrixHtml("one\ntwo & <three>"), undefined);
});

test("threat R: no tag and no address of a model's own gets through", () => {
  const hostile = [
    "<img src=x onerror=alert(1)> **b**",
    '[x](https://a.test/"><script>) **b**',
    '```"><script>\nx\n```',
  ];
  for (const text of hostile) assert.not.match(toMatrixHtml(text) ?? "", /<(?:img|script)|onerror=alert\(1\)>/);
  assert.not.match(toMatrixHtml("[x](javascript:alert(1)) **b**") ?? "", /href/);
});

test.run();
