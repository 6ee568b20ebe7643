/** What stands in a line of Markdown. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "em" | "strike"; readonly inside: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly inside: readonly Inline[] }
  | { readonly kind: "break" };

/**
 * Reads the inline part of Markdown: code, emphasis, links, and breaks where lines end, as people write in chats. Takes
 * time in proportion to the text, whatever is in it: what has no end is looked for once.
 */
export function parseInline(text: string, depth = 0): readonly Inline[] {
  const out: Inline[] = [];
  const endless = new Set<string>();
  let plain = "";
  let at = 0;

  const push = (inline: Inline, end: number): void => {
    if (plain !== "") out.push({ kind: "text", text: plain });
    plain = "";
    out.push(inline);
    at = end;
  };
  while (at < text.length) {
    const found = special(text, at);
    plain += text.slice(at, found);
    at = found;
    if (at >= text.length) break;
    const token = tokenAt(text, at, { endless, depth });
    if (!token) plain += text[at++];
    else if (token.literal !== undefined) {
      plain += token.literal;
      at = token.end;
    } else push(token.inline, token.end);
  }
  if (plain !== "") out.push({ kind: "text", text: plain });
  return out;
}

/** The address if it leads where a link may lead: the web and mail. Anything else, `javascript:` first of all, does not. */
export function safeHref(text: string): string | undefined {
  if (!/^(https?:\/\/|mailto:)/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).href;
}

/** Deeper nesting is text: nobody writes it, and it must not exhaust the stack. */
const maxDepth = 8;

interface Where {
  /** Delimiters that do not come again. */
  readonly endless: Set<string>;
  readonly depth: number;
}

type Token =
  | { readonly inline: Inline; readonly end: number; readonly literal?: undefined }
  | { readonly literal: string; readonly end: number };

function special(text: string, from: number): number {
  specials.lastIndex = from;
  return specials.exec(text)?.index ?? text.length;
}

const specials = /[\\`*_~[!<\n]|https?:\/\//g;

function tokenAt(text: string, at: number, where: Where): Token | undefined {
  switch (text[at]) {
    case "\\":
      return escaped(text, at);
    case "`":
      return codeAt(text, at, where);
    case "\n":
      return { inline: { kind: "break" }, end: at + 1 };
    case "*":
    case "_":
    case "~":
      return emphasisAt(text, at, where);
    case "[":
      return linkAt(text, at, where);
    case "!":
      return text[at + 1] === "[" ? linkAt(text, at + 1, where) : undefined;
    case "<":
      return angleAt(text, at);
    default:
      return addressAt(text, at);
  }
}

function escaped(text: string, at: number): Token | undefined {
  const next = text[at + 1] ?? "";
  if (next === "\n") return { inline: { kind: "break" }, end: at + 2 };
  return /[!-/:-@[-`{-~]/.test(next) ? { literal: next, end: at + 2 } : undefined;
}

function codeAt(text: string, at: number, { endless }: Where): Token {
  let length = 1;
  while (text[at + length] === "`") length++;
  const fence = "`".repeat(length);
  const end = endless.has(fence) ? -1 : runOf(text, fence, at + length);
  if (end < 0) {
    endless.add(fence);
    return { literal: fence, end: at + length };
  }
  const inside = text.slice(at + length, end).replaceAll("\n", " ");
  const trimmed = /^ .*[^ ].* $/.test(inside) ? inside.slice(1, -1) : inside;
  return { inline: { kind: "code", text: trimmed }, end: end + length };
}

/** Where the same number of backticks stands, and not one more. */
function runOf(text: string, fence: string, from: number): number {
  for (let at = text.indexOf(fence, from); at >= 0;) {
    let end = at + fence.length;
    while (text[end] === "`") end++;
    if (end === at + fence.length) return at;
    at = text.indexOf(fence, end);
  }
  return -1;
}

function emphasisAt(text: string, at: number, { endless, depth }: Where): Token | undefined {
  const mark = text[at] ?? "";
  const isDouble = text[at + 1] === mark;
  const fence = isDouble ? mark + mark : mark;
  const start = at + fence.length;
  const kind = mark === "~" ? "strike" : isDouble ? "strong" : "em";
  if ((mark === "~" && !isDouble) || depth >= maxDepth || endless.has(fence)) return { literal: fence, end: start };
  // Between letters an underscore is a part of a name.
  const opens = /\S/.test(text[start] ?? " ") && !(mark === "_" && isWord(text[at - 1]));
  const end = opens ? closing(text, fence, start + 1) : undefined;
  if (end === -1) endless.add(fence);
  if (end === undefined || end === -1) return { literal: fence, end: start };
  return { inline: { kind, inside: parseInline(text.slice(start, end), depth + 1) }, end: end + fence.length };
}

/** Where an emphasis ends: behind something that is no space, and for one mark not at the first of two. */
function closing(text: string, fence: string, from: number): number {
  const mark = fence[0];
  for (let at = text.indexOf(fence, from); at >= 0; at = text.indexOf(fence, at + 1)) {
    // Of three in a row, two close what is further out, and one alone closes nothing.
    if (fence.length === 2) while (text[at + 2] === mark) at++;
    const after = text[at + fence.length];
    if (after === mark) {
      at++;
      continue;
    }
    if (/\S/.test(text[at - 1] ?? " ") && text[at - 1] !== "\\" && !(mark === "_" && isWord(after))) return at;
  }
  return -1;
}

function isWord(letter: string | undefined): boolean {
  return letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
}

/** `[words](address "title")`. A picture is shown as a link to it: the page loads nothing from anywhere else. */
function linkAt(text: string, at: number, { depth }: Where): Token | undefined {
  link.lastIndex = at;
  const match = link.exec(text);
  if (!match || depth >= maxDepth) return undefined;
  const [whole, words = "", address = ""] = match;
  const href = safeHref(address);
  if (href === undefined) return { literal: whole, end: at + whole.length };
  const inside = parseInline(words === "" ? address : words, depth + 1).flatMap((each) =>
    each.kind === "link" ? each.inside : [each],
  );
  return { inline: { kind: "link", href, inside }, end: at + whole.length };
}

const link =
  /\[((?:[^[\]\\]|\\.|\[[^[\]]{0,500}\]){0,1000})\]\(\s{0,9}<?([^\s<>()]{0,2000}(?:\([^\s()]{0,500}\)[^\s<>()]{0,500}){0,5})>?(?:\s{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'))?\s{0,9}\)/sy;

/** `<https://…>`. */
function angleAt(text: string, at: number): Token | undefined {
  angle.lastIndex = at;
  const address = angle.exec(text)?.[1];
  const href = address === undefined ? undefined : safeHref(address);
  if (address === undefined || href === undefined) return undefined;
  return { inline: { kind: "link", href, inside: [{ kind: "text", text: address }] }, end: at + address.length + 2 };
}

const angle = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/iy;

/** An address as it is, without the sentence's punctuation behind it. */
function addressAt(text: string, at: number): Token | undefined {
  if (isWord(text[at - 1])) return undefined;
  address.lastIndex = at;
  let found = (address.exec(text)?.[0] ?? "").replace(/[.,;:!?'"*_~]{1,9}$/, "");
  if (found.endsWith(")") && !found.includes("(")) found = found.slice(0, -1);
  const href = safeHref(found);
  if (href === undefined) return undefined;
  return { inline: { kind: "link", href, inside: [{ kind: "text", text: found }] }, end: at + found.length };
}

const address = /https?:\/\/[^\s<>"`\]]{1,2000}/iy;
