import { parseMarkdown, type Block } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/** How a network marks what Markdown marks; an empty mark is left out. */
export interface Marks {
  readonly bold: string;
  readonly italic: string;
  readonly strike: string;
  readonly code: string;
  /** Around lines of code. */
  readonly fence: string;
  readonly bullet: string;
  readonly link: (text: string, url: string) => string;
}

/** Single characters, as WhatsApp and others have them; links stand as they are. */
export const asterisks: Marks = {
  bold: "*",
  italic: "_",
  strike: "~",
  code: "`",
  fence: "```",
  bullet: "•",
  link: (text, url) => `${text} (${url})`,
};

/** No marks at all, for networks that show text as it is. */
export const plain: Marks = { ...asterisks, bold: "", italic: "", strike: "", code: "", fence: "" };

/** A link as `<address|text>`, out of which its text cannot break. */
export function angleLink(text: string, url: string): string {
  return `<${url.replaceAll("|", "%7C")}|${text.replaceAll(/[<>|]/g, " ")}>`;
}

/** Markdown in the marks of a network, about as long as it was. */
export function withMarks(markdown: string, marks: Marks): string {
  return blocksText(parseMarkdown(markdown), marks);
}

function blocksText(blocks: readonly Block[], marks: Marks): string {
  const texts = blocks.map((block, index) => blockText(block, marks) + spaceAfter(block, blocks[index + 1]));
  return texts.join("");
}

/** What belongs together stands close, so that nothing gets longer. */
function spaceAfter(block: Block, next: Block | undefined): string {
  if (!next) return "";
  return block.kind === "heading" || (block.kind === "paragraph" && next.kind === "list") ? "\n" : "\n\n";
}

function blockText(block: Block, marks: Marks): string {
  switch (block.kind) {
    case "paragraph":
      return inlineText(block.inside, marks);
    case "heading":
      return marked(marks.bold, inlineText(block.inside, { ...marks, bold: "" }));
    case "code":
      return marks.fence === "" ? block.text : `${marks.fence}\n${block.text}\n${marks.fence}`;
    case "quote":
      return blocksText(block.blocks, marks).replaceAll(/^/gm, "> ");
    case "list":
      return block.items.map((item, index) => itemText(item, { ...block, index, marks })).join("\n");
    case "table":
      return [block.head, ...block.rows].map((row) => rowText(row, marks)).join("\n");
    default:
      return "———";
  }
}

function itemText(
  item: readonly Block[],
  { start, index, marks }: { readonly start: number | undefined; readonly index: number; readonly marks: Marks },
): string {
  const mark = start === undefined ? marks.bullet : `${start + index}.`;
  const text = item.map((block) => blockText(block, marks)).join("\n");
  return `${mark} ${text.replaceAll("\n", "\n  ")}`;
}

function rowText(row: readonly (readonly Inline[])[], marks: Marks): string {
  return row.map((cell) => inlineText(cell, marks)).join(" | ");
}

function inlineText(inside: readonly Inline[], marks: Marks): string {
  return inside.map((each) => oneInline(each, marks)).join("");
}

function oneInline(inline: Inline, marks: Marks): string {
  switch (inline.kind) {
    case "text":
      return inline.text;
    case "code":
      return marked(marks.code, inline.text);
    case "strong":
      // None of these networks knows bold within bold.
      return marked(marks.bold, inlineText(inline.inside, { ...marks, bold: "" }));
    case "em":
      return marked(marks.italic, inlineText(inline.inside, marks));
    case "strike":
      return marked(marks.strike, inlineText(inline.inside, marks));
    case "link":
      return linkText(inline.href, inlineText(inline.inside, marks), marks);
    default:
      return "\n";
  }
}

function linkText(href: string, text: string, marks: Marks): string {
  // An address that was written as it is may have got a slash when it was read.
  if (text === href || `${text}/` === href) return text;
  return text === "" ? href : marks.link(text, href);
}

function marked(mark: string, text: string): string {
  return text === "" ? "" : mark + text + mark;
}
