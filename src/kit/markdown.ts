import { parseInline, type Inline } from "./markdown-inline.ts";

/** A block of Markdown. */
export type Block =
  | { readonly kind: "paragraph"; readonly inside: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly inside: readonly Inline[] }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | {
      readonly kind: "table";
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: "rule" };

/** A part of a text that is one block, to be read when it is shown. */
export interface Section {
  readonly source: string;
  readonly block: () => Block;
}

/**
 * Cuts Markdown into its blocks. Cutting is cheap and reading is left to whoever shows them: of an answer that grows only
 * the last block is new. What is not closed yet, such as code that is still being written, goes to the end.
 */
export function sectionsOf(text: string): readonly Section[] {
  return cut(text.replaceAll(/\r\n?/g, "\n").split("\n"), 0);
}

export function parseMarkdown(text: string): readonly Block[] {
  return sectionsOf(text).map(({ block }) => block());
}

/** Deeper quotes and lists are text. */
const maxDepth = 8;

function cut(lines: readonly string[], depth: number): readonly Section[] {
  const sections: Section[] = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at++;
      continue;
    }
    const { end, read } = blockAt(lines, at, depth);
    const own = lines.slice(at, end);
    sections.push({ source: own.join("\n"), block: () => read(own) });
    at = end;
  }
  return sections;
}

interface Found {
  readonly end: number;
  readonly read: (lines: readonly string[]) => Block;
}

function blockAt(lines: readonly string[], at: number, depth: number): Found {
  const line = lines[at] ?? "";
  const fence = fenceOf(line);
  if (fence) return codeAt(lines, at, fence);
  const heading = /^ {0,3}(#{1,6})(?=\s|$)/.exec(line)?.[1];
  if (heading !== undefined) return { end: at + 1, read: () => headingOf(line.trim(), heading.length) };
  if (isRule(line)) return { end: at + 1, read: () => ({ kind: "rule" }) };
  if (depth < maxDepth && isQuote(line)) return quoteAt(lines, at, depth);
  if (depth < maxDepth && marker(line)) return listAt(lines, at, depth);
  if (isTable(lines, at)) return tableAt(lines, at);
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !interrupts(lines, end)) end++;
  return {
    end,
    read: (own) => ({ kind: "paragraph", inside: parseInline(own.map((each) => each.trim()).join("\n")) }),
  };
}

/** What begins a block even right below a paragraph. */
function interrupts(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  return Boolean(fenceOf(line) || /^ {0,3}#{1,6}\s/.test(line) || isRule(line) || isQuote(line) || marker(line));
}

interface Fence {
  readonly mark: string;
  readonly length: number;
  readonly indent: number;
  readonly language: string;
}

function fenceOf(line: string): Fence | undefined {
  const [, indent = "", run, language = ""] = /^( {0,3})(`{3,}|~{3,})\s{0,9}([\w+#.-]{0,40})[^`]*$/.exec(line) ?? [];
  if (run === undefined) return undefined;
  return { mark: run[0] ?? "", length: run.length, indent: indent.length, language };
}

function codeAt(lines: readonly string[], at: number, { mark, length, indent, language }: Fence): Found {
  const closes = (line: string) => {
    const text = line.trim();
    return text.length >= length && text === mark.repeat(text.length);
  };
  let end = at + 1;
  while (end < lines.length && !closes(lines[end] ?? "")) end++;
  const isClosed = end < lines.length;
  const inner = (own: readonly string[]) => own.slice(1, isClosed ? -1 : undefined);
  const dedent = new RegExp(`^ {0,${indent}}`);
  return {
    end: isClosed ? end + 1 : end,
    read: (own) => ({
      kind: "code",
      language,
      text: inner(own)
        .map((each) => each.replace(dedent, ""))
        .join("\n"),
    }),
  };
}

function headingOf(line: string, level: number): Block {
  const text = line.slice(level).trim();
  const bare = text.replace(/#{1,20}$/, "");
  return { kind: "heading", level, inside: parseInline(bare === "" || bare.endsWith(" ") ? bare.trim() : text) };
}

function isRule(line: string): boolean {
  const bare = line.replaceAll(/\s/g, "");
  return bare.length >= 3 && /^[-*_]/.test(bare) && bare === (bare[0] ?? "").repeat(bare.length);
}

function isQuote(line: string | undefined): boolean {
  return /^ {0,3}>/.test(line ?? "");
}

function quoteAt(lines: readonly string[], at: number, depth: number): Found {
  let end = at + 1;
  while (end < lines.length && isQuote(lines[end])) end++;
  const inner = (own: readonly string[]) => own.map((each) => each.replace(/^ {0,3}> ?/, ""));
  return { end, read: (own) => ({ kind: "quote", blocks: within(inner(own), depth) }) };
}

interface Marker {
  readonly indent: number;
  /** Where the item's own text begins. */
  readonly content: number;
  readonly start: number | undefined;
}

function marker(line: string | undefined): Marker | undefined {
  const [whole, indent = "", sign] = /^( {0,12})([-*+]|\d{1,9}[.)])(?: {1,4}(?=\S)|\s*$)/.exec(line ?? "") ?? [];
  if (whole === undefined || sign === undefined) return undefined;
  const start = /\d/.test(sign) ? Number.parseInt(sign, 10) : undefined;
  return { indent: indent.length, content: Math.max(whole.length, indent.length + 2), start };
}

function listAt(lines: readonly string[], at: number, depth: number): Found {
  const first = marker(lines[at]);
  const isNumbered = first?.start !== undefined;
  const base = first?.indent ?? 0;
  let content = first?.content ?? 0;
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    const item = marker(line);
    const isSibling = item !== undefined && item.indent >= base && item.indent < content;
    if (isSibling && (item.start !== undefined) === isNumbered && !isRule(line)) content = item.content;
    else if (isSibling) break;
    else if (isBlank(line)) {
      const next = lines.slice(end + 1, end + 3).find((each) => !isBlank(each));
      if (next === undefined || (indentOf(next) < content && !marker(next))) break;
      if (marker(next) && indentOf(next) < base) break;
    } else if (indentOf(line) < content && (isBlank(lines[end - 1]) || interrupts(lines, end))) break;
    end++;
  }
  return { end, read: (own) => ({ kind: "list", start: first?.start, items: itemsOf(own, base, depth) }) };
}

/** The lines of each item without its mark and indent, read as blocks of their own. */
function itemsOf(lines: readonly string[], base: number, depth: number): readonly (readonly Block[])[] {
  const items: string[][] = [];
  let content = 0;
  for (const line of lines) {
    const item = marker(line);
    if (item && (items.length === 0 || (item.indent >= base && item.indent < content))) {
      content = item.content;
      items.push([line.slice(item.content)]);
    } else items.at(-1)?.push(line.slice(Math.min(indentOf(line), content)));
  }
  return items.map((each) => within(each, depth));
}

function within(lines: readonly string[], depth: number): readonly Block[] {
  return cut(lines, depth + 1).map(({ block }) => block());
}

function isTable(lines: readonly string[], at: number): boolean {
  const [head = "", rule = ""] = lines.slice(at, at + 2);
  if (!head.includes("|") || !rule.includes("-") || rule.length > 2000) return false;
  const columns = cellsOf(rule);
  return columns.every((cell) => /^:?-+:?$/.test(cell)) && columns.length === cellsOf(head).length;
}

function tableAt(lines: readonly string[], at: number): Found {
  let end = at + 2;
  while (end < lines.length && (lines[end] ?? "").includes("|")) end++;
  const cells = (line: string) => cellsOf(line).map((cell) => parseInline(cell));
  return {
    end,
    read: ([head = "", , ...rows]) => ({ kind: "table", head: cells(head), rows: rows.map((row) => cells(row)) }),
  };
}

function cellsOf(line: string): readonly string[] {
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  // A bar behind a backslash is a letter.
  return bare.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function isBlank(line: string | undefined): boolean {
  return (line ?? "").trim() === "";
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
