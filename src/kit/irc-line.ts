import { Failure } from "./error.ts";

/** A message of IRC (RFC 1459 2.3.1), with the tags of IRCv3. */
export interface IrcLine {
  readonly tags: ReadonlyMap<string, string>;
  /** Who it is from: `nick!user@host`, or a server's name; empty where the line says nothing of it. */
  readonly source: string;
  /** In capitals, or three digits. */
  readonly command: string;
  readonly params: readonly string[];
}

/** Tags have 8191 bytes at most (IRCv3 message-tags), the rest 512; some servers allow themselves more. */
const MAX_LINE = 16 * 1024;
const MAX_PARAMS = 32;

/** What a line says; undefined when it is none. */
export function parseIrcLine(text: string): IrcLine | undefined {
  const [, tags = "", source = "", command = "", rest = ""] =
    /^(?:@([^ ]+) +)?(?::([^ ]+) +)?([A-Za-z]{1,32}|\d{3})((?: .*)?)$/.exec(text) ?? [];
  if (command === "") return undefined;
  const params: string[] = [];
  for (let left = rest.replace(/^ +/, ""); left !== "";) {
    if (left.startsWith(":") || params.length === MAX_PARAMS) {
      params.push(left.replace(/^:/, ""));
      break;
    }
    const [, param = "", more = ""] = /^([^ ]+)(?: +(.*))?$/.exec(left) ?? [];
    params.push(param);
    left = more;
  }
  return { tags: parseTags(tags), source, command: command.toUpperCase(), params };
}

/** The name in front of a source such as `nick!user@host`. */
export function nickOf(source: string): string {
  return /^[^!@]*/.exec(source)?.[0] ?? "";
}

/** Whether a name is a channel's, and no person's. */
export function isRoom(name: string): boolean {
  return /^[#&+!]/.test(name);
}

/** Folds what a server takes for the same name (its CASEMAPPING); capitals of ASCII alone before it has said so. */
export function foldName(name: string, mapping = "ascii"): string {
  const lower = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (mapping === "ascii") return lower;
  const folded = lower.replaceAll("[", "{").replaceAll("]", "}").replaceAll("\\", "|");
  return mapping === "rfc1459" ? folded.replaceAll("~", "^") : folded;
}

/**
 * A line to be sent, without its end. Throws `invalid-request` for what would be another line, or another parameter, than
 * was meant: nobody's text becomes a command (threat M).
 */
export function ircLine(command: string, ...params: readonly string[]): string {
  const last = params.length - 1;
  const words = params.map((param, at) => {
    if (/[\r\n\0]/.test(param))
      throw new Failure("invalid-request", `a parameter of ${command} has more than one line`);
    const isWord = param !== "" && !param.startsWith(":") && !param.includes(" ");
    if (at < last && !isWord) throw new Failure("invalid-request", `a parameter of ${command} is not one word`);
    return at === last && (!isWord || command === "PRIVMSG") ? `:${param}` : param;
  });
  return [command, ...words].join(" ");
}

/** Gives `line` each line of what comes in pieces, without its end; lines that are too long are left out. */
export function ircLines(line: (text: string) => void): (piece: string | Uint8Array) => void {
  const decoder = new TextDecoder();
  let open = "";
  let tooLong = false;
  const end = (): void => {
    const text = tooLong ? "" : open.replace(/\r$/, "");
    open = "";
    tooLong = false;
    if (text !== "") line(text);
  };
  return (piece) => {
    const text = typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
    const [first = "", ...others] = text.split("\n");
    open += first;
    for (const next of others) {
      end();
      open = next;
    }
    if (open.length <= MAX_LINE) return;
    tooLong = true;
    open = "";
  };
}

/** Text without the codes that colour it (modern.ircdocs.horse/formatting) and other control characters. */
export function withoutCodes(text: string): string {
  // eslint-disable-next-line no-control-regex -- the codes are control characters
  return text.replaceAll(/\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-fA-F]{6})?|[\0-\x08\x0b-\x1f\x7f]/g, "");
}

/** Lines of at most so many bytes of UTF-8 each, broken at spaces where there are some, never inside a character. */
export function fitLines(text: string, maxBytes: number): readonly string[] {
  return text.split(/\r\n|\r|\n/).flatMap((line) => fitLine(withoutCodes(line).trimEnd(), maxBytes));
}

function fitLine(line: string, maxBytes: number): readonly string[] {
  const fitting: string[] = [];
  let left = line;
  while (left !== "") {
    const room = unitsWithin(left, maxBytes);
    if (room === left.length) return [...fitting, left];
    const space = left.lastIndexOf(" ", room);
    const end = space > room / 2 ? space : room;
    fitting.push(left.slice(0, end).trimEnd());
    left = left.slice(end).trimStart();
  }
  return fitting;
}

/** How much of a text, in UTF-16 code units, has at most so many bytes; one character at least. */
function unitsWithin(text: string, maxBytes: number): number {
  let [bytes, units] = [0, 0];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > maxBytes && units > 0) return units;
    units += character.length;
  }
  return units;
}

function parseTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  if (text === "") return tags;
  for (const tag of text.split(";")) {
    const [, key = "", value = ""] = /^([^=]+)(?:=(.*))?$/.exec(tag) ?? [];
    if (key !== "")
      tags.set(
        key,
        value.replaceAll(/\\(.?)/g, (_, mark: string) => escapes[mark] ?? mark),
      );
  }
  return tags;
}

const escapes: Readonly<Record<string, string>> = { ":": ";", s: " ", r: "\r", n: "\n" };
