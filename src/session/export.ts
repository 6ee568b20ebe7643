import { Failure } from "../kit/error.ts";
import { seal } from "../store/seal.ts";
import type { Media } from "./media.ts";
import type { SessionRow, Sessions } from "./sessions.ts";
import type { Entry, Transcript } from "./transcript.ts";

export interface ExportRequest {
  /** The full key. */
  readonly key: string;
  /** The conversation that was begun with; another one in its place is refused. */
  readonly sessionId?: string | undefined;
  /** Undefined at the beginning. */
  readonly from?: ExportPlace | undefined;
}

/** Where an export goes on: behind this entry, and behind so many pictures of the next one. */
export interface ExportPlace {
  readonly afterSeq: number;
  readonly pictures: number;
}

export interface ExportPage {
  readonly sessionId: string;
  /** Each a sealed record of JSON. */
  readonly lines: readonly string[];
  /** Undefined at the end. */
  readonly next: ExportPlace | undefined;
}

/**
 * A page of a session's conversation as lines that `importSession` takes: the header, then the entries of the path, a
 * picture before the entry that shows it. Pages together are the conversation as it was at the last of them; what would
 * not fit together is refused with `conflict`. A picture may come once more on a later page.
 */
export async function exportPage(
  { sessions, media }: { readonly sessions: Sessions; readonly media: Pick<Media, "load"> },
  { key, sessionId, from }: ExportRequest,
): Promise<ExportPage> {
  const row = rowOf(sessions, key, sessionId);
  const page = createPage();
  let place = from ?? { afterSeq: 0, pictures: 0 };
  if (!from) page.add(headerOf(row));
  const pageOf = (next: ExportPlace | undefined): ExportPage => ({ sessionId: row.sessionId, lines: page.lines, next });
  const shown = new Set<string>();
  for await (const { entry, parentId } of entriesFrom(sessions.transcript(row), key, place.afterSeq)) {
    for (const name of picturesOf(entry).slice(place.pictures)) {
      const data = shown.has(name) ? undefined : await media.load(name);
      if (data !== undefined && !page.add(seal({ type: "media", name, data }))) return pageOf(place);
      shown.add(name);
      place = { ...place, pictures: place.pictures + 1 };
    }
    if (!page.add(seal({ ...entry, parentId }))) return pageOf(place);
    place = { afterSeq: entry.seq, pictures: 0 };
  }
  return pageOf(undefined);
}

const MAX_LINES = 500;
/** Characters; a line that is longer has a page of its own. */
const MAX_PAGE = 4 * 1024 * 1024;
/** Entries read at once. */
const BATCH = 100;

function rowOf(sessions: Sessions, key: string, sessionId: string | undefined): SessionRow {
  const row = sessions.get(key);
  if (!row) throw new Failure("not-found", `No session found: ${key.slice(0, 200)}`);
  if (sessionId === undefined || sessionId === row.sessionId) return row;
  throw new Failure("conflict", `${key.slice(0, 200)} began anew meanwhile: export it again`);
}

function headerOf({ sessionId, startedAt, key }: SessionRow): string {
  return seal({ type: "session", version: 3, id: sessionId, timestamp: new Date(startedAt).toISOString(), key });
}

function createPage() {
  const lines: string[] = [];
  let size = 0;
  return {
    lines,
    /** Answers false, adding nothing, when the page has no room for it. */
    add(line: string): boolean {
      if (lines.length >= MAX_LINES || (lines.length > 0 && size + line.length > MAX_PAGE)) return false;
      lines.push(line);
      size += line.length;
      return true;
    },
  };
}

/** Entries of the path behind this one, each with the one before it as its parent: rewinds between them are left out. */
async function* entriesFrom(
  transcript: Transcript,
  key: string,
  afterSeq: number,
): AsyncGenerator<{ readonly entry: Entry; readonly parentId: string | null }> {
  const [last] = afterSeq === 0 ? [] : await transcript.after(afterSeq - 1, { limit: 1 });
  if (afterSeq > 0 && last?.seq !== afterSeq)
    throw new Failure("conflict", `${key.slice(0, 200)} went back behind what was exported: export it again`);
  let parentId = last?.id ?? null;
  for (let seq = afterSeq; ;) {
    const entries = await transcript.after(seq, { limit: BATCH });
    for (const entry of entries) {
      yield { entry, parentId };
      parentId = entry.id;
      seq = entry.seq;
    }
    if (entries.length < BATCH) return;
  }
}

/** The names of what is stored apart, each once. */
function picturesOf(entry: Entry): readonly string[] {
  if (entry.type !== "message") return [];
  const names = entry.message.content.flatMap((part) =>
    part.type === "image" && part.media !== undefined ? [part.media] : [],
  );
  return [...new Set(names)];
}
