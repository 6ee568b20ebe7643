import { type Block, parseMarkdown } from "../kit/markdown.ts";
import type { Inline } from "../kit/markdown-inline.ts";

/** Text and its styles as Signal has them: `start:length:STYLE`, counted in UTF-16 code units. */
export interface StyledText {
  readonly text: string;
  readonly styles: readonly string[];
}

/** Markdown as Signal shows it. */
export function styledText(markdown: string): StyledText {
  const styles: string[] = [];
  let text = "";

  const add = (more: string): void => void (text += more);
  const styledAs = (style: string, write: () => void): void => {
    const start = text.length;
    write();
    if (text.length > start) styles.push(`${start}:${text.length - start}:${style}`);
  };
  const apart = <T>(parts: readonly T[], between: string, write: (part: T, at: number) => void): void =>
    parts.forEach((part, at) => {
      if (at > 0) add(between);
      write(part, at);
    });

  function inlines(parts: readonly Inline[]): void {
    for (const part of parts) {
      if (part.kind === "text") add(part.text);
      else if (part.kind === "code") styledAs("MONOSPACE", () => add(part.text));
      else if (part.kind === "break") add("\n");
      else if (part.kind === "link") link(part.href, part.inside);
      else styledAs(marks[part.kind], () => inlines(part.inside));
    }
  }
  function link(href: string, inside: readonly Inline[]): void {
    const start = text.length;
    inlines(inside);
    const shown = text.slice(start);
    const same = [shown, `${shown}/`, `mailto:${shown}`].includes(href);
    if (!same) add(shown === "" ? href : ` (${href})`);
  }
  function block(one: Block): void {
    switch (one.kind) {
      case "paragraph":
        return inlines(one.inside);
      case "heading":
        return styledAs("BOLD", () => inlines(one.inside));
      case "code":
        return styledAs("MONOSPACE", () => add(one.text));
      case "rule":
        return add("———");
      case "quote":
        add("> ");
        return apart(one.blocks, "\n> ", block);
      case "list":
        return apart(one.items, "\n", (item, at) => {
          add(one.start === undefined ? "• " : `${one.start + at}. `);
          apart(item, "\n", block);
        });
      case "table":
        return apart([one.head, ...one.rows], "\n", (row, at) => {
          const cells = (): void => apart(row, " | ", inlines);
          if (at === 0) styledAs("BOLD", cells);
          else cells();
        });
    }
  }
  apart(parseMarkdown(markdown), "\n\n", block);
  return { text, styles };
}

const marks = { strong: "BOLD", em: "ITALIC", strike: "STRIKETHROUGH" } as const;
