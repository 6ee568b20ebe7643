import { Failure } from "../kit/error.ts";

/** Where the parts of a JSON5 text are: offsets into it, ends exclusive. */
export interface Tree {
  readonly kind: "object" | "list" | "scalar";
  readonly start: number;
  readonly end: number;
  readonly members: readonly Member[];
}

export interface Member {
  /** Undefined in a list. */
  readonly key: string | undefined;
  /** Whether the key stands in quotes. */
  readonly quoted: boolean;
  /** Where the key begins, or the value when there is none. */
  readonly start: number;
  readonly value: Tree;
  /** Offset of the comma after the value, undefined when there is none. */
  readonly comma: number | undefined;
}

/** The layout of a text that is known to be JSON5. A Failure `internal` means that the text was not. */
export function parseTree(text: string): Tree {
  let at = 0;
  skip();
  return readValue();

  function readValue(): Tree {
    const start = at;
    const open = text[at];
    if (open === '"' || open === "'") return { kind: "scalar", start, end: readString(), members: [] };
    if (open === "{" || open === "[") return readMembers(open === "{");
    while (at < text.length && !/[\s,\]}/]/.test(text[at] ?? "")) at++;
    if (at === start) throw unexpected();
    return { kind: "scalar", start, end: at, members: [] };
  }

  function readMembers(object: boolean): Tree {
    const start = at++;
    const members: Member[] = [];
    for (skip(); text[at] !== (object ? "}" : "]"); skip()) {
      const memberStart = at;
      const quoted = text[at] === '"' || text[at] === "'";
      const key = object ? readKey() : undefined;
      const value = readValue();
      skip();
      const comma = text[at] === "," ? at++ : undefined;
      members.push({ key, quoted, start: memberStart, value, comma });
    }
    return { kind: object ? "object" : "list", start, end: ++at, members };
  }

  function readKey(): string {
    const start = at;
    if (text[at] === '"' || text[at] === "'") readString();
    else while (at < text.length && !/[\s:/]/.test(text[at] ?? "")) at++;
    const key = decode(text.slice(start, at));
    skip();
    if (text[at++] !== ":") throw unexpected();
    skip();
    return key;
  }

  function readString(): number {
    const quote = text[at++];
    for (; text[at] !== quote; at++) {
      if (at >= text.length) throw unexpected();
      if (text[at] === "\\") at++;
    }
    return ++at;
  }

  function skip(): void {
    at = endOfSpace(text, at);
  }

  function unexpected(): Failure {
    return new Failure("internal", `config text is not JSON5 at offset ${at}`);
  }
}

/** The offset after white space and comments. */
function endOfSpace(text: string, from: number): number {
  const space = /(?:\s|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/)*/y;
  space.lastIndex = from;
  return from + (space.exec(text)?.[0].length ?? 0);
}

/** A key without its quotes and escapes (JSON5 5.1, ECMAScript 11.8.4). */
function decode(key: string): string {
  const inner = /^["']/.test(key) ? key.slice(1, -1) : key;
  const letters: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "0": "\0" };
  return inner.replace(
    /\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|\r\n|([\s\S]))/g,
    (_, unicode?: string, hex?: string, letter = "") => {
      const code = unicode ?? hex;
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return /[\n\r\u2028\u2029]/.test(letter) ? "" : (letters[letter] ?? letter);
    },
  );
}
