import { parseMarkdown, type Block } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/** Markdown as the HTML that Telegram takes (Bot API, "HTML style"), which has neither headings nor lists nor tables. */
export function telegramHtml(markdown: string): string {
  return joined(parseMarkdown(markdown), false);
}

/** A quote cannot stand in a quote. */
function joined(blocks: readonly Block[], isQuoted: boolean): string {
  return blocks
    .map((block, index) => {
      const gap = block.kind === "list" && blocks[index - 1]?.kind === "paragraph" ? "\n" : "\n\n";
      return (index === 0 ? "" : gap) + htmlOf(block, isQuoted);
    })
    .join("");
}

function htmlOf(block: Block, isQuoted: boolean): string {
  switch (block.kind) {
    case "paragraph":
      return inlines(block.inside);
    case "heading":
      return `<b>${inlines(block.inside)}</b>`;
    case "code":
      return preformatted(block.text, block.language);
    case "quote":
      return isQuoted ? joined(block.blocks, true) : `<blockquote>${joined(block.blocks, true)}</blockquote>`;
    case "list":
      return listed(block, isQuoted);
    case "table":
      return preformatted([block.head, ...block.rows].map(rowOf).join("\n"), "");
    default:
      return "———";
  }
}

function preformatted(code: string, language: string): string {
  return language === ""
    ? `<pre>${escaped(code)}</pre>`
    : `<pre><code class="language-${escaped(language)}">${escaped(code)}</code></pre>`;
}

function listed({ start, items }: Block & { readonly kind: "list" }, isQuoted: boolean): string {
  return items
    .map((blocks, index) => {
      const mark = start === undefined ? "•" : `${start + index}.`;
      const parts = blocks.map((block) => {
        const html = htmlOf(block, isQuoted);
        return block.kind === "list" ? html.replaceAll(/^/gm, "  ") : html;
      });
      return `${mark} ${parts.join("\n")}`;
    })
    .join("\n");
}

function rowOf(cells: readonly (readonly Inline[])[]): string {
  return cells.map(textOf).join(" | ");
}

function inlines(inside: readonly Inline[]): string {
  return inside.map(inlineOf).join("");
}

function inlineOf(inline: Inline): string {
  switch (inline.kind) {
    case "text":
      return escaped(inline.text);
    case "code":
      return `<code>${escaped(inline.text)}</code>`;
    case "strong":
      return `<b>${inlines(inline.inside)}</b>`;
    case "em":
      return `<i>${inlines(inline.inside)}</i>`;
    case "strike":
      return `<s>${inlines(inline.inside)}</s>`;
    case "link":
      return `<a href="${escaped(inline.href)}">${inlines(inline.inside)}</a>`;
    default:
      return "\n";
  }
}

function textOf(inside: readonly Inline[]): string {
  return inside.map((each) => ("text" in each ? each.text : "inside" in each ? textOf(each.inside) : " ")).join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
