/** A table as the formatter of this project writes it: columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => head.map((_, column) => cell(row[column] ?? "")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}

/** Text in the type of a program. */
export function code(text: string): string {
  return `\`${text}\``;
}

export function fence(language: string, lines: readonly string[]): string {
  return ["```" + language, ...lines, "```"].join("\n");
}

/** A sentence from the code: names of options, variables and places in it become code, so that nothing is markup. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : part.replace(technical, (word) => code(word))))
    .join("");
}

const technical = /\*_[A-Z_]+(?:=\w+)?|\$\{?[A-Z_]+\}?|<[^<>\s]+>|--[a-z][\w-]*|\b[A-Z]+_[A-Z_]+(?:=\w+)?\b/g;

/** A link to the heading of this text, as GitHub and most others make anchors. */
export function linkTo(heading: string, page = ""): string {
  return `[${code(heading)}](${page}#${anchor(heading)})`;
}

export function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** Paragraphs and blocks as one page. */
export function page(blocks: readonly string[]): string {
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|");
}
