import type { Block } from "../kit/markdown.ts";
import { parseMarkdown } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/**
 * Markdown in Slack's own marks (docs.slack.dev, "Formatting message text"). Nothing that stands in it can become a
 * mention: whatever Slack would read as one is escaped.
 */
export function toMrkdwn(markdown: string): string {
  return blocksText(parseMarkdown(markdown), "\n\n");
}

function blocksText(blocks: readonly Block[], between: string): string {
  return blocks.map(blockText).join(between);
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return inlineText(block.inside);
    case "heading":
      return bold(block.inside);
    case "code":
      return `\`\`\`\n${escaped(block.text).replaceAll("```", "`\u200b``")}\n\`\`\``;
    case "quote":
      return blocksText(block.blocks, "\n\n").replaceAll(/^/gm, "> ");
    case "list":
      return block.items.map((item, index) => itemText(item, block.start, index)).join("\n");
    case "table":
      return tableText([block.head, ...block.rows]);
    default:
      return "──────────";
  }
}

function itemText(item: readonly Block[], start: number | undefined, index: number): string {
  const mark = start === undefined ? "•" : `${start + index}.`;
  return `${mark} ${blocksText(item, "\n").replaceAll("\n", "\n    ")}`;
}

/** Slack has no tables: letters of one width keep the columns. */
function tableText(rows: readonly (readonly (readonly Inline[])[])[]): string {
  const cells = rows.map((row) => row.map(plainText));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    widths
      .map((width, column) => (row[column] ?? "").padEnd(width))
      .join("  ")
      .trimEnd(),
  );
  return `\`\`\`\n${escaped(lines.join("\n")).replaceAll("```", "`\u200b``")}\n\`\`\``;
}

function inlineText(inlines: readonly Inline[]): string {
  return inlines.map(oneInline).join("");
}

function oneInline(inline: Inline): string {
  switch (inline.kind) {
    case "text":
      return escaped(inline.text);
    case "code":
      return `\`${escaped(inline.text).replaceAll("`", "ˋ")}\``;
    case "strong":
      return bold(inline.inside);
    case "em":
      return `_${inlineText(inline.inside)}_`;
    case "strike":
      return `~${inlineText(inline.inside)}~`;
    case "link":
      return linkText(inline.href, plainText(inline.inside));
    default:
      return "\n";
  }
}

/** Slack knows no bold within bold. */
function bold(inside: readonly Inline[]): string {
  const flat = inside.flatMap((each) => (each.kind === "strong" ? each.inside : [each]));
  return flat.length === 0 ? "" : `*${inlineText(flat)}*`;
}

function linkText(href: string, words: string): string {
  const address = escaped(href.replaceAll("<", "%3C").replaceAll(">", "%3E").replaceAll("|", "%7C"));
  const label = escaped(words.replaceAll("|", "¦"));
  return label === "" || words === href || `${words}/` === href ? `<${address}>` : `<${address}|${label}>`;
}

function plainText(inlines: readonly Inline[]): string {
  return inlines
    .map((each) => {
      if (each.kind === "break") return " ";
      return "text" in each ? each.text : plainText(each.inside);
    })
    .join("");
}

/** The three characters by which Slack's entities are made. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
