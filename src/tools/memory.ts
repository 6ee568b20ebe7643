import * as v from "valibot";
import { filesOf } from "../host/host.ts";
import { stillInside, type Inside } from "../host/inside.ts";
import { Failure } from "../kit/error.ts";
import { parameters, placeOf, tool, type ToolContext } from "./tool.ts";

/** Finds passages of what the agent wrote down: `MEMORY.md`, and the Markdown files of the folder `memory`. */
export const memorySearch = tool({
  name: "memory_search",
  summary: "Search MEMORY.md and the memory folder",
  description:
    "Finds passages by their words in MEMORY.md and memory/*.md. Use it before you answer what was said, decided or " +
    "promised earlier. memory_get shows more of a file.",
  effect: "read",
  needs: "files",
  params: parameters(
    {
      query: v.pipe(v.string(), v.description("Words to look for.")),
      maxResults: v.pipe(
        v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)), 6),
        v.description("Most passages to show."),
      ),
    },
    { max_results: "maxResults", limit: "maxResults" },
  ),
  async run({ query, maxResults }, context) {
    const terms = [...new Set(wordsOf(query.slice(0, MOST_QUERY)))];
    const { hits, passages, read, left } = await look(terms, context);
    const results = ranked(hits, passages).slice(0, maxResults);
    const found = results.map(({ path, startLine, endLine, text }) => `${path}:${startLine}-${endLine}\n${text}`);
    const missed =
      left > 0 ? `[${left} more files were not searched: they are too many, too large, or not to be read.]` : "";
    const nothing = `Nothing in ${read} files has these words: try others.`;
    return {
      content: [
        { type: "text", text: [...(found.length > 0 ? found : [nothing]), missed].filter(Boolean).join("\n\n") },
      ],
      details: { results: results.map(({ text, ...where }) => ({ ...where, snippet: text, source: "memory" })) },
    };
  },
});

/** Shows lines of one of these files. */
export const memoryGet = tool({
  name: "memory_get",
  summary: "Show lines of a file of the memory",
  description: "Shows MEMORY.md or a file of the memory folder, by lines as memory_search names them.",
  effect: "read",
  needs: "files",
  params: parameters({
    path: v.pipe(v.string(), v.description("Such as MEMORY.md or memory/2026-11-21.md.")),
    from: v.pipe(v.optional(lineNumber(), 1), v.description("Line to begin with, from 1.")),
    lines: v.pipe(v.optional(lineNumber(), 200), v.description("How many lines.")),
  }),
  async run({ path, from, lines }, context) {
    const place = await placeOf(context, path);
    if (!isMemory(place.name))
      throw new Failure("invalid-request", `${place.name} is not of the memory: name MEMORY.md or memory/<name>.md`);
    const text = await textOf(place, context);
    if (text === undefined)
      throw new Failure("not-found", `there is no ${place.name}, or it is larger than 512 KB: memory_search has names`);
    const all = text.split("\n");
    const shown = all.slice(from - 1, from - 1 + lines);
    const last = from - 1 + shown.length;
    const more = last < all.length ? `\n\n[There is more: go on with from=${last + 1}.]` : "";
    const body = shown.join("\n");
    const cut = body.length > MOST_SHOWN ? `${body.slice(0, MOST_SHOWN)}\n\n[Cut: ask for fewer lines.]` : body + more;
    return { content: [{ type: "text", text: cut }], details: { path: place.name, from, lines: shown.length } };
  },
});

const MOST_QUERY = 500;
const MOST_FILES = 1000;
/** Larger than anything that was written as a note. */
const MOST_BYTES = 512 * 1024;
const MOST_LENGTH_OF_ALL = 8 * 1024 * 1024;
const MOST_DEPTH = 3;
const MOST_SHOWN = 50_000;
/** Characters up to which paragraphs make one passage. */
const PASSAGE = 700;
/** What a line is cut into, between words where there are any. */
const PIECES = /.{1,700}(?:\s|$)|.{1,700}/gu;

function lineNumber() {
  return v.pipe(v.number(), v.integer(), v.minValue(1));
}

function isMemory(name: string): boolean {
  return /^(memory\.md|memory\/.+\.md)$/i.test(name);
}

interface Passage {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
}

/** A passage, and how often it has each of the words that are looked for. */
interface Hit extends Passage {
  readonly counts: readonly number[];
}

interface Looked {
  readonly hits: readonly Hit[];
  /** How many there were to be found. */
  readonly passages: number;
  readonly read: number;
  /** Files that were not read. */
  readonly left: number;
}

/** Reads the files one by one, the newest by name first, and keeps what has any of the words. */
async function look(terms: readonly string[], context: ToolContext): Promise<Looked> {
  const names = [...(await namesIn(".", 0, context)), ...(await namesIn("memory", MOST_DEPTH, context))];
  const hits: Hit[] = [];
  let [passages, read, length] = [0, 0, 0];
  for (const name of names.slice(0, MOST_FILES)) {
    context.signal.throwIfAborted();
    if (length > MOST_LENGTH_OF_ALL) break;
    // A link that leads out of the workspace is nobody's memory, and what was replaced meanwhile is not read either.
    const text = await placeOf(context, name)
      .then((place) => textOf(place, context))
      .catch(() => undefined);
    if (text === undefined) continue;
    length += text.length;
    read++;
    const title = name.replaceAll(/^.*\/|\.md$/gi, "");
    for (const passage of passagesOf(name, text)) {
      passages++;
      const words = wordsOf(`${title} ${passage.text}`);
      const counts = terms.map((term) => words.filter((word) => isMeant(word, term)).length);
      if (counts.some((count) => count > 0)) hits.push({ ...passage, counts });
    }
  }
  return { hits, passages, read, left: names.length - read };
}

async function namesIn(folder: string, depth: number, context: ToolContext): Promise<readonly string[]> {
  const files = filesOf(context);
  // A folder that is not there, or is a link out of the workspace, has no notes.
  const place = await placeOf(context, folder).catch(() => undefined);
  if (!place?.exists) return [];
  const found: string[] = [];
  for (const name of (await files.list(place.path)).toReversed()) {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (isMemory(path)) found.push(path);
    else if (depth > 0 && (await files.stat(`${place.path}/${name}`))?.kind === "folder")
      found.push(...(await namesIn(path, depth - 1, context)));
  }
  return found;
}

/** Undefined for what is no file, or too large to have been written as a note. */
async function textOf(place: Inside, context: ToolContext): Promise<string | undefined> {
  const files = filesOf(context);
  const stat = await files.stat(place.path);
  if (stat?.kind !== "file" || stat.size > MOST_BYTES) return undefined;
  const bytes = await files.readRange(place.path, 0, stat.size);
  await stillInside(files, place);
  return new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
}

/** A text's paragraphs, short ones together; a heading begins a new passage, and a long line makes several. */
function passagesOf(path: string, text: string): readonly Passage[] {
  const passages: Passage[] = [];
  let pieces: { readonly line: number; readonly text: string }[] = [];
  let length = 0;
  const end = (): void => {
    const isWritten = (piece: { text: string }): boolean => piece.text.trim() !== "";
    const shown = pieces.slice(pieces.findIndex(isWritten), pieces.findLastIndex(isWritten) + 1);
    const [first, last] = [shown[0], shown.at(-1)];
    if (first && last)
      passages.push({
        path,
        startLine: first.line,
        endLine: last.line,
        text: shown.map((each) => each.text).join("\n"),
      });
    pieces = [];
    length = 0;
  };
  for (const [index, line] of text.split("\n").entries()) {
    if (/^#{1,6}\s/.test(line)) end();
    for (const piece of line.match(PIECES) ?? [""]) {
      if (length > 0 && length + piece.length > PASSAGE) end();
      pieces.push({ line: index + 1, text: piece.trimEnd() });
      length += piece.length + 1;
    }
  }
  end();
  return passages;
}

/** Those first that have more of the words, and rarer ones (BM25, without regard to length). */
function ranked(hits: readonly Hit[], passages: number): readonly (Passage & { readonly score: number })[] {
  const having = (at: number): number => hits.filter(({ counts }) => (counts[at] ?? 0) > 0).length;
  const weights = (hits[0]?.counts ?? []).map((_, at) =>
    Math.log(1 + (passages - having(at) + 0.5) / (having(at) + 0.5)),
  );
  return hits
    .map(({ counts, ...passage }) => {
      const score = counts.reduce((sum, count, at) => sum + ((weights[at] ?? 0) * count * 2.2) / (count + 1.2), 0);
      return { ...passage, score: Math.round(score * 1000) / 1000 };
    })
    .toSorted((a, b) => b.score - a.score);
}

/** Words without regard to case and accents; in scripts that do not part words, each character by itself. */
function wordsOf(text: string): readonly string[] {
  const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return plain.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}]+/gu) ?? [];
}

/** `cat` finds `cats`, and not `concat`; what is shorter is found as it is. */
function isMeant(word: string, term: string): boolean {
  return term.length < 3 ? word === term : word.startsWith(term);
}
