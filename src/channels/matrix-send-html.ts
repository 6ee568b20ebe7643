import { parseMarkdown, type Block } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/** Markdown as the HTML of Matrix (`org.matrix.custom.html`); undefined where it would show nothing more than the text. */
export function toMatrixHtml(markdown: string): string | undefined {
  const blocks = parseMarkdown(markdown);
  const [only] = blocks;
  if (blocks.length === 1 && only?.kind === "paragraph" && only.inside.every(isPlain)) return undefined;
  return blocksHtml(blocks);
}

function isPlain({ kind }: Inline): boolean {
  return kind === "text" || kind === "break";
}

function blocksHtml(blocks: readonly Block[]): string {
  return blocks.map(blockHtml).join("");
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return tag("p", inlineHtml(block.inside));
    case "heading":
      return tag(`h${block.level}`, inlineHtml(block.inside));
    case "code": {
      const language = /^[\w+#.-]+$/.test(block.language) ? ` class="language-${escaped(block.language)}"` : "";
      return `<pre><code${language}>${escaped(block.text)}\n</code></pre>`;
    }
    case "quote":
      return tag("blockquote", blocksHtml(block.blocks));
    case "list": {
      const items = block.items.map((item) => tag("li", itemHtml(item))).join("");
      if (block.start === undefined) return tag("ul", items);
      return `<ol${block.start === 1 ? "" : ` start="${block.start}"`}>${items}</ol>`;
    }
    case "table": {
      const row = (cells: readonly (readonly Inline[])[], cell: string) =>
        tag("tr", cells.map((each) => tag(cell, inlineHtml(each))).join(""));
      const body = block.rows.map((cells) => row(cells, "td")).join("");
      return tag("table", `${tag("thead", row(block.head, "th"))}${tag("tbody", body)}`);
    }
    default:
      return "<hr>";
  }
}

/** An item of one paragraph is shown without the space around it. */
function itemHtml(item: readonly Block[]): string {
  const [first, ...rest] = item;
  return first?.kind === "paragraph" ? `${inlineHtml(first.inside)}${blocksHtml(rest)}` : blocksHtml(item);
}

function inlineHtml(inlines: readonly Inline[]): string {
  return inlines.map(oneInline).join("");
}

function oneInline(inline: Inline): string {
  switch (inline.kind) {
    case "text":
      return escaped(inline.text);
    case "code":
      return tag("code", escaped(inline.text));
    case "strong":
      return tag("strong", inlineHtml(inline.inside));
    case "em":
      return tag("em", inlineHtml(inline.inside));
    case "strike":
      return tag("del", inlineHtml(inline.inside));
    case "link":
      // Its address was looked at when it was read: the web and mail alone.
      return `<a href="${escaped(inline.href)}">${inlineHtml(inline.inside)}</a>`;
    default:
      return "<br>";
  }
}

function tag(name: string, inside: string): string {
  return `<${name}>${inside}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
