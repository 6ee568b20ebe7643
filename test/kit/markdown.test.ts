import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseMarkdown, sectionsOf } from "../../src/kit/markdown.ts";
import { parseInline, safeHref, type Inline } from "../../src/kit/markdown-inline.ts";

/** The tree as a short text: `strong(a) b`. */
function told(inside: readonly Inline[]): string {
  return inside
    .map((each) => {
      if (each.kind === "text") return each.text;
      if (each.kind === "break") return "⏎";
      if (each.kind === "code") return `code(${each.text})`;
      if (each.kind === "link") return `link<${each.href}>(${told(each.inside)})`;
      return `${each.kind}(${told(each.inside)})`;
    })
    .join("");
}

const inlines: readonly (readonly [string, string])[] = [
  ["plain words", "plain words"],
  ["**bold** and *thin* and ~~gone~~", "strong(bold) and em(thin) and strike(gone)"],
  ["__bold__ and _thin_", "strong(bold) and em(thin)"],
  ["***both***", "strong(em(both))"],
  ["snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"],
  ["**never closed", "**never closed"],
  ["`code with *stars*`", "code(code with *stars*)"],
  ["`` a ` b ``", "code(a ` b)"],
  ["`open", "`open"],
  [String.raw`\*not\* thin`, "*not* thin"],
  ["one\ntwo", "one⏎two"],
  ["[words](https://example.com/a?b=c)", "link<https://example.com/a?b=c>(words)"],
  ['[words](https://example.com "title")', "link<https://example.com/>(words)"],
  ["[a **b**](https://example.com/x_(y))", "link<https://example.com/x_(y)>(a strong(b))"],
  ["![a picture](https://example.com/p.png)", "link<https://example.com/p.png>(a picture)"],
  ["see https://example.com/a_b, or not", "see link<https://example.com/a_b>(https://example.com/a_b), or not"],
  ["(https://example.com/)", "(link<https://example.com/>(https://example.com/))"],
  ["<https://example.com>", "link<https://example.com/>(https://example.com)"],
  ["<mailto:a@example.com>", "link<mailto:a@example.com>(mailto:a@example.com)"],
  ["<b>bold</b>", "<b>bold</b>"],
];

for (const [text, expected] of inlines)
  test(`reads ${JSON.stringify(text)}`, () => assert.is(told(parseInline(text)), expected));

test("threat R only the web and mail are linked; anything else stays the text that it is", () => {
  const hostile = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:null/1",
    "//example.com/",
    "/relative",
    "https://",
    "https:example.com",
  ];
  for (const address of hostile) {
    assert.is(safeHref(address), undefined, address);
    const tree = JSON.stringify(parseMarkdown(`[words](${address}) <${address}> ![words](${address})`));
    assert.not.match(tree, '"link"', address);
  }
  assert.is(safeHref("https://example.com/"), "https://example.com/");
  assert.is(safeHref("mailto:a@example.com"), "mailto:a@example.com");
});

test("threat R markup is text, in every place", () => {
  const markup = `<img src=x onerror="alert(1)">`;
  for (const text of [
    markup,
    `# ${markup}`,
    `- ${markup}`,
    `> ${markup}`,
    `a | b\n-|-\n${markup} | c`,
    `**${markup}**`,
  ]) {
    const kinds = [...JSON.stringify(parseMarkdown(text)).matchAll(/"kind":"(\w+)"/g)].map(([, kind]) => kind);
    assert.equal(
      kinds.filter((kind) => kind === "html" || kind === "link"),
      [],
      text,
    );
    assert.match(JSON.stringify(parseMarkdown(text)), "onerror");
  }
});

test("blocks: headings, code, quotes, lists, tables, rules, paragraphs", () => {
  const text = [
    "# Title #",
    "",
    "A paragraph",
    "of two lines.",
    "```ts",
    "const a = `b`;",
    "  indented",
    "```",
    "> quoted",
    "> - in it",
    "",
    "1. one",
    "2. two",
    "   more of two",
    "   - below",
    "",
    "---",
    "a | b",
    "--|:-:",
    "1 | `x`",
  ].join("\n");
  const kinds = parseMarkdown(text).map((block) => block.kind);
  assert.equal(kinds, ["heading", "paragraph", "code", "quote", "list", "rule", "table"]);
  const [heading, , code, quote, list, , table] = parseMarkdown(text);
  assert.equal(heading, { kind: "heading", level: 1, inside: [{ kind: "text", text: "Title" }] });
  assert.equal(code, { kind: "code", language: "ts", text: "const a = `b`;\n  indented" });
  assert.is(quote?.kind === "quote" && quote.blocks.length, 2);
  assert.is(list?.kind === "list" && list.items.length, 2);
  assert.equal(list?.kind === "list" && list.items[1]?.map(({ kind }) => kind), ["paragraph", "list"]);
  assert.equal(table?.kind === "table" && [table.head.length, table.rows.length], [2, 1]);
});

test("code that is still being written is code already", () => {
  assert.equal(parseMarkdown("Look:\n```py\nprint(1)\n# no heading"), [
    { kind: "paragraph", inside: [{ kind: "text", text: "Look:" }] },
    { kind: "code", language: "py", text: "print(1)\n# no heading" },
  ]);
});

test("of a text that grows, what is finished stays the same section", () => {
  const before = sectionsOf("one\n\ntwo\n\nthr");
  const after = sectionsOf("one\n\ntwo\n\nthree and more");
  assert.equal(
    before.slice(0, 2).map(({ source }) => source),
    after.slice(0, 2).map(({ source }) => source),
  );
  assert.is(after.at(-1)?.source, "three and more");
});

test("nothing that one can write takes long or exhausts the stack", () => {
  const hostile = [
    "*",
    "**",
    "_",
    "~~",
    "`",
    "[",
    "](",
    "![",
    "[a](",
    "> ",
    "- ",
    "  - ",
    "1. ",
    "#",
    "|",
    "\\",
    "<",
    "https://",
    "*a ",
    "**a **b ",
    "`a``b",
  ];
  const started = performance.now();
  for (const piece of hostile) {
    for (const text of [piece.repeat(20_000), `${piece}\n`.repeat(5000), `${piece}x `.repeat(10_000)])
      parseMarkdown(text);
  }
  // Hundreds of times what it takes: a runtime that is only slow today is not what this is about.
  assert.ok(performance.now() - started < 30_000, `${Math.round(performance.now() - started)} ms`);
});

test.run();
