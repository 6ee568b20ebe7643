import { clip } from "../agent/clip.ts";
import type { Attachment, Inbound } from "../channels/channel.ts";
import { bytesText } from "../kit/amounts.ts";
import { shortName } from "./content.ts";

/** The text of a message as it may be shown: one kind of line end, no control characters, of bounded length. */
export function textOf({ text }: Pick<Inbound, "text">): string {
  return plain(clip(text, LONGEST_TEXT)).trim();
}

/** What is said in a direct chat: the text alone, after what it answers. */
export function directWords(message: Inbound, files: readonly string[]): string {
  return joined([quoteOf(message), textOf(message), ...files]);
}

/**
 * What somebody says in a group: `Alice: text`. Whatever follows on later lines is set in, so that a line that begins
 * with a name is the gateway's own, and nobody speaks in the name of another.
 */
export function spokenWords(speaker: string, message: Inbound, files: readonly string[]): string {
  const quote = quoteOf(message);
  const words = setIn(`${speaker}: ${joined([textOf(message), ...files])}`.trim());
  return quote === "" ? words : `${quote}\n${words}`;
}

/** The same for a message that is only shown together with a later one. */
export function overheardWords(speaker: string, message: Inbound): string {
  const words = joined([textOf(message), ...(message.attachments ?? []).map((file) => fileLine(file))]);
  return setIn(clip(`${speaker}: ${words}`.trim(), LONGEST_OVERHEARD, " […] "));
}

/** A message of a group with what was said since the last answer before it (cli.md 8.5). */
export function inContext(before: readonly string[], current: string): string {
  if (before.length === 0) return current;
  return [BEFORE, ...before, "", CURRENT, current].join("\n");
}

/** A line that stands for a file, with a few words on why it is not there. */
export function fileLine({ kind, fileName, size }: Attachment, why?: string): string {
  const name = fileName === undefined ? "" : ` ${shortName(fileName)}`;
  const length = size === undefined || !Number.isFinite(size) || size < 0 ? "" : ` ${bytesText(size)}`;
  return `<media:${kind}${name}${length}>${why === undefined ? "" : ` (${why})`}`;
}

/** A name that somebody chose, on one line and without what could end it or begin another's words; `or` where nothing is left. */
export function nameOf(name: string | undefined, or: string): string {
  return tidy(name ?? "") || tidy(or) || "somebody";
}

const LONGEST_TEXT = 200_000;
const LONGEST_OVERHEARD = 2000;
const LONGEST_NAME = 40;
const LONGEST_QUOTE = 300;
const BEFORE = "[Chat messages since your last reply - for context]";
const CURRENT = "[Current message - respond to this]";

function quoteOf({ quoted }: Inbound): string {
  if (!quoted) return "";
  const text = clip(
    plain(quoted.text ?? "")
      .replaceAll(/\s+/g, " ")
      .trim(),
    LONGEST_QUOTE,
    " […] ",
  );
  const sender = tidy(quoted.sender ?? "");
  if (text === "" && sender === "") return "";
  return `[Replying to${sender === "" ? "" : ` ${sender}`}${text === "" ? "" : `: "${text.replaceAll('"', "'")}"`}]`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n");
}

function setIn(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

function plain(text: string): string {
  return text
    .normalize("NFC")
    .replaceAll(/\r\n?|[\v\f\u0085\u2028\u2029]/g, "\n")
    .replaceAll(/[^\P{Cc}\t\n]|\p{Cs}/gu, "");
}

/** Letters, digits and what names are written with; no colon, bracket or quotation mark, and nothing that cannot be seen. */
function tidy(name: string): string {
  const words = name
    .slice(0, 500)
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{So}._'@#+-]+/gu, " ");
  return Array.from(words.trim()).slice(0, LONGEST_NAME).join("").trim();
}
