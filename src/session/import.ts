import { Failure } from "../kit/error.ts";
import { fromBase64, sha256Hex } from "../kit/ids.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { unseal } from "../store/seal.ts";
import { entryOf, isRewind } from "./entry-line.ts";
import type { Media } from "./media.ts";
import type { ImagePart, TextPart } from "./message.ts";
import type { SessionRow, Sessions } from "./sessions.ts";
import type { Entry } from "./transcript.ts";

export interface ImportedSession {
  /** The full key of the session to be made; there must be none of it. */
  readonly key: string;
  readonly agentId: string;
  /** Lines of a transcript, of this program or another of its family; asked for twice. */
  readonly lines: () => Iterable<string> | AsyncIterable<string>;
}

/**
 * Makes a session of an exported conversation. All lines are judged before anything is written, and the session is there
 * whole or not at all. Answers its row and how many entries it has.
 */
export async function importSession(
  { sessions, media }: { readonly sessions: Sessions; readonly media: Pick<Media, "save"> },
  { key, agentId, lines }: ImportedSession,
): Promise<{ readonly row: SessionRow; readonly entries: number }> {
  // Asked again by who makes it; here so that nothing is read in vain.
  if (sessions.get(key))
    throw new Failure("conflict", `there is a session ${key.slice(0, 200)} already: delete it, or choose another key`);
  const path = pathOf(await judged(lines()));
  const entries = entriesOf(lines(), path, media);
  const row = await sessions.import(key, { agentId, createdVia: "operator", entries });
  return { row, entries: path.size };
}

/** Characters of a line: a picture has about 19 MB as bytes at most, an entry much less. */
const MAX_LINE = 26 * 1024 * 1024;
const MAX_ENTRY = 15 * 1024 * 1024;
const MAX_LINES = 2_000_000;
/** What is held in memory at once: entries, or characters of them. */
const BATCH = { entries: 500, size: 4 * 1024 * 1024 };

interface Line {
  readonly number: number;
  readonly size: number;
  readonly record: JsonObject;
}

/** What of an entry decides where it belongs. */
interface Node {
  readonly number: number;
  readonly id: string;
  /** Undefined when the line says nothing of a parent: the entry before is it. */
  readonly parentId: string | null | undefined;
  /** This program can read it. */
  readonly known: boolean;
}

async function judged(lines: ReturnType<ImportedSession["lines"]>): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  let header = false;
  for await (const { number, size, record } of recordsOf(lines)) {
    const { type, id, parentId } = record;
    if (type === "session") header = true;
    else if (type === "media") await judgePicture(number, record);
    else {
      if (size > MAX_ENTRY) throw tooLong(number);
      const name = typeof id === "string" ? id : String(number);
      nodes.push({
        number,
        id: name,
        parentId: typeof parentId === "string" || parentId === null ? parentId : undefined,
        known: isKnown(number, record),
      });
    }
  }
  if (!header && nodes.length === 0)
    throw new Failure("invalid-request", "there is no conversation in this: it has neither a header nor an entry");
  return nodes;
}

async function* recordsOf(lines: ReturnType<ImportedSession["lines"]>): AsyncGenerator<Line> {
  let number = 0;
  for await (const text of lines) {
    number++;
    if (text.length > MAX_LINE || number > MAX_LINES) throw tooLong(number);
    if (text.trim() === "") continue;
    const record = unseal({ text, bytes: new TextEncoder().encode(text) })?.record;
    if (!record) throw damaged(number, "it is not JSON, or not what its checksum says");
    yield { number, size: text.length, record };
  }
}

/** Whether this program can read the entry; throws for what is none at all. */
function isKnown(number: number, record: JsonObject): boolean {
  const { type, message } = record;
  if (typeof type !== "string" || (type === "message" && !isObject(message)))
    throw new Failure("invalid-request", `line ${number} is no entry of a conversation`);
  const entry = isRewind(record) ? undefined : entryOf(record, "", number);
  for (const part of entry?.type === "message" ? entry.message.content : [])
    if (part.type === "image" && part.data !== undefined && !fromBase64(part.data))
      throw damaged(number, "a picture in it is not base64");
  return entry !== undefined;
}

async function judgePicture(number: number, { name, data }: JsonObject): Promise<void> {
  const bytes = typeof data === "string" ? fromBase64(data) : undefined;
  if (!bytes || (await sha256Hex(bytes)) !== name)
    throw damaged(number, "its picture is not the one that its name says");
}

function damaged(number: number, why: string): Failure {
  return new Failure("invalid-request", `line ${number} is damaged: ${why}`);
}

function tooLong(number: number): Failure {
  return new Failure("invalid-request", `line ${number} makes this too long to be imported: split the conversation`);
}

/** The numbers of the lines that the last one leads back to. A parent that comes later, or is not there, ends the path. */
function pathOf(nodes: readonly Node[]): ReadonlySet<number> {
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  const path = new Set<number>();
  for (let at = nodes.length - 1; at >= 0;) {
    const node = nodes[at];
    if (node?.known) path.add(node.number);
    const parent = node?.parentId === undefined ? at - 1 : places.get(node.parentId ?? "");
    at = parent !== undefined && parent < at ? parent : -1;
  }
  return path;
}

/** The entries of the path, their pictures stored before them. */
async function* entriesOf(
  lines: ReturnType<ImportedSession["lines"]>,
  path: ReadonlySet<number>,
  media: Pick<Media, "save">,
): AsyncGenerator<readonly Entry[]> {
  let batch: Entry[] = [];
  let held = 0;
  for await (const { number, size, record } of recordsOf(lines)) {
    const { type, id, data } = record;
    if (type === "media" && typeof data === "string") await media.save(data);
    const name = typeof id === "string" ? id : String(number);
    const entry = path.has(number) ? entryOf(record, name, number) : undefined;
    if (!entry) continue;
    batch.push(await storedApart(entry, media));
    held += size;
    if (batch.length < BATCH.entries && held < BATCH.size) continue;
    yield batch;
    [batch, held] = [[], 0];
  }
  yield batch;
}

/** Other programs keep pictures in the entry itself. */
async function storedApart(entry: Entry, media: Pick<Media, "save">): Promise<Entry> {
  if (entry.type !== "message") return entry;
  const { message } = entry;
  if (message.role === "assistant") return entry;
  const content: (TextPart | ImagePart)[] = [];
  for (const part of message.content) content.push(part.type === "image" ? await keptPicture(part, media) : part);
  return { ...entry, message: { ...message, content } };
}

async function keptPicture(part: ImagePart, media: Pick<Media, "save">): Promise<ImagePart> {
  const { data, ...rest } = part;
  return data === undefined ? rest : { ...rest, media: await media.save(data) };
}
