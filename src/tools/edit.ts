import * as v from "valibot";
import { filesOf, type Files } from "../host/host.ts";
import { stillInside, type Inside } from "../host/inside.ts";
import { Failure } from "../kit/error.ts";
import { parameters, placeOf, refuseGit, tool } from "./tool.ts";

const MOST_BYTES = 5 * 1024 * 1024;

/** Replaces one piece of a text file; every other byte of it stays. */
export const edit = tool({
  name: "edit",
  summary: "Replace an exact piece of a file",
  description:
    "Replaces a piece of a text file of the workspace. oldText must be in the file exactly once, spaces and line breaks included.",
  effect: "write",
  needs: "files",
  params: parameters(
    {
      path: v.pipe(v.string(), v.description("Path of the file, relative to the workspace.")),
      oldText: v.pipe(v.string(), v.description("The piece as it is in the file now.")),
      newText: v.pipe(v.string(), v.description("What takes its place.")),
    },
    { file_path: "path", old_string: "oldText", new_string: "newText", old_text: "oldText", new_text: "newText" },
  ),
  async run({ path, oldText, newText }, context) {
    const { signal } = context;
    const files = filesOf(context);
    const place = await placeOf(context, path);
    refuseGit(place.name);
    const { text, inode, modifiedAt, mode } = await load(files, place);
    const change = changeOf(text, unix(oldText), { newText: unix(newText), name: place.name });
    const ending = text.includes("\r\n") ? "\r\n" : "\n";
    const edited = text.slice(0, change.start) + change.text.replaceAll("\n", ending) + text.slice(change.end);
    // Somebody else may have written it since: theirs must not be lost.
    const now = await files.stat(place.path);
    if (now?.inode !== inode || now.modifiedAt !== modifiedAt)
      throw new Failure("conflict", `${place.name} was changed by somebody else just now: read it again`);
    await stillInside(files, place);
    signal.throwIfAborted();
    await files.write(place.path, edited, { mode: mode & 0o777 });
    const line = lineAt(text, change.start);
    return {
      content: [{ type: "text", text: `Edited ${place.name} at line ${line}.` }],
      details: { path: place.name, firstChangedLine: line, diff: diffOf(text, edited) },
    };
  },
});

async function load(files: Files, place: Inside) {
  const stat = await files.stat(place.path);
  if (!stat) throw new Failure("not-found", `there is no file ${place.name} in the workspace: use write to make it`);
  if (stat.kind !== "file") throw new Failure("invalid-request", `${place.name} is no file, but a ${stat.kind}`);
  if (stat.size > MOST_BYTES)
    throw new Failure("invalid-request", `${place.name} has ${stat.size} bytes, more than the 5 MB that edit takes`);
  const bytes = await files.readRange(place.path, 0, stat.size);
  return { ...stat, text: decode(bytes, place.name) };
}

/** The text with its byte order mark. What is not UTF-8 is refused: writing it back would change bytes of it. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder's own error says no more than the Failure below.
  }
  throw new Failure("invalid-request", `${name} is no UTF-8 text: edit cannot change it`);
}

function unix(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What to replace in `text`, as it is in the file; `wanted` has line feeds alone, whatever the file has. */
function changeOf(text: string, wanted: string, { newText, name }: { newText: string; name: string }): Change {
  if (wanted === "") throw new Failure("invalid-request", "oldText is empty: give the piece to replace, or use write");
  if (wanted === newText) throw new Failure("invalid-request", "oldText and newText are the same: nothing to change");
  const plain = unix(text);
  const found = occurrences(plain, wanted, MOST_SHOWN + 1);
  const [first, second] = found;
  if (first === undefined)
    throw new Failure("invalid-request", `oldText is not in ${name}: ${nearMiss(plain, wanted) ?? "read it again"}`);
  if (second !== undefined) {
    const lines = found.slice(0, MOST_SHOWN).map((at) => lineAt(plain, at));
    const more = found.length > lines.length;
    const where = `lines ${lines.join(", ")}${more ? " and more" : ""}`;
    throw new Failure(
      "invalid-request",
      `oldText is ${more ? `more than ${MOST_SHOWN}` : found.length} times in ${name} (${where}): give more of the text around the one to replace`,
    );
  }
  return { start: original(text, first), end: original(text, first + wanted.length), text: newText };
}

const MOST_SHOWN = 10;

/**
 * The first places of a piece in a text or a list of lines, overlapping ones too. In linear time (Knuth, Morris, Pratt):
 * `indexOf` takes minutes for a piece that was made for it, and everything else waits.
 */
function occurrences(text: ArrayLike<string>, wanted: ArrayLike<string>, most: number): readonly number[] {
  const borders = bordersOf(wanted);
  const found: number[] = [];
  let length = 0;
  for (let at = 0; at < text.length && found.length < most; at++) {
    while (length > 0 && text[at] !== wanted[length]) length = borders[length - 1] ?? 0;
    if (text[at] === wanted[length]) length++;
    if (length < wanted.length) continue;
    found.push(at + 1 - length);
    length = borders[length - 1] ?? 0;
  }
  return found;
}

/** For each beginning of a piece: how much of the piece its end is the beginning of. */
function bordersOf(wanted: ArrayLike<string>): Int32Array {
  const borders = new Int32Array(wanted.length);
  let length = 0;
  for (let at = 1; at < wanted.length; at++) {
    while (length > 0 && wanted[at] !== wanted[length]) length = borders[length - 1] ?? 0;
    if (wanted[at] === wanted[length]) length++;
    borders[at] = length;
  }
  return borders;
}

/** Where a place of the text with line feeds alone is in the text as it is. */
function original(text: string, place: number): number {
  let at = place;
  for (let end = text.indexOf("\r\n"); end >= 0 && end < at; end = text.indexOf("\r\n", end + 2)) at++;
  return at;
}

/** The piece that differs from `wanted` in white space alone, for the model to copy. */
function nearMiss(text: string, wanted: string): string | undefined {
  const bare = (line: string): string => line.replace(/\s+/g, " ").trim();
  const lines = text.split("\n");
  const pattern = wanted.trim().split("\n").map(bare);
  const [start] = occurrences(lines.map(bare), pattern, 1);
  if (start === undefined) return undefined;
  const exact = lines.slice(start, start + pattern.length).join("\n");
  const copy = exact.length <= 2000 ? ` It is there as:\n${exact}` : " Read it again.";
  return `line ${start + 1} has it with other white space.${copy}`;
}

function lineAt(text: string, place: number): number {
  return text.slice(0, place).split("\n").length;
}

const CONTEXT = 3;
const MOST_DIFF_LINES = 60;

/** What changed between two texts that differ in one place: `-` and `+` lines with a few around them. */
function diffOf(before: string, after: string): string {
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const signed = (sign: string, lines: readonly string[]): readonly string[] => lines.map((line) => sign + line);
  const lines = [
    `@@ line ${head + 1} @@`,
    ...signed(" ", old.slice(Math.max(0, head - CONTEXT), head)),
    ...signed("-", old.slice(head, old.length - tail)),
    ...signed("+", now.slice(head, now.length - tail)),
    ...signed(" ", now.slice(now.length - tail, now.length - tail + CONTEXT)),
  ];
  const more = lines.length > MOST_DIFF_LINES ? [`… ${lines.length - MOST_DIFF_LINES} more lines`] : [];
  return [...lines.slice(0, MOST_DIFF_LINES), ...more].join("\n");
}
