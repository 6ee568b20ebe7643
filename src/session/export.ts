import { Failure } from "../kit/error.ts";
import { isObject } from "../kit/json.ts";
import { seal, unseal } from "../store/seal.ts";
import { entryOf, isRewind } from "./entry-line.ts";
import { rowAfter } from "./row-after.ts";
import type { SessionRow, Sessions } from "./sessions.ts";
import type { Entry, NewEntry, Transcript } from "./transcript.ts";

/** A session's conversation as lines of JSON, first the header, then each entry of the path: what `importSession` takes. */
export async function* exportSession(sessions: Sessions, key: string): AsyncIterable<string> {
  const row = sessions.get(key);
  if (!row) throw new Failure("not-found", `No session found: ${key.slice(0, 200)}`);
  const transcript = sessions.transcript(row);
  const timestamp = new Date(row.startedAt).toISOString();
  yield seal({ type: "session", version: 3, id: row.sessionId, timestamp, key });
  for (let seq = 0; ;) {
    const entries = await transcript.after(seq, { limit: BATCH });
    for (const entry of entries) yield seal({ ...entry });
    if (entries.length < BATCH) return;
    seq = entries.at(-1)?.seq ?? seq;
  }
}

export interface ImportedSession {
  /** The full key of the session to be made; there must be none of it. */
  readonly key: string;
  readonly agentId: string;
  /** Lines of a transcript, of this program or another of its family. */
  readonly lines: Iterable<string> | AsyncIterable<string>;
}

/** Makes a session of an exported conversation. All lines are judged before anything is written. */
export async function importSession(sessions: Sessions, { key, agentId, lines }: ImportedSession): Promise<SessionRow> {
  if (sessions.get(key))
    throw new Failure("conflict", `there is a session ${key.slice(0, 200)} already: delete it, or choose another key`);
  const path = pathOf(await judged(lines));
  const row = await sessions.ensure(key, { agentId });
  try {
    await appendAll(sessions.transcript(row), path);
  } catch (error) {
    await sessions.delete(key);
    throw error;
  }
  const filled = path.reduce((row: SessionRow, entry) => ({ ...row, ...rowAfter(row, entry) }), row);
  const { derivedTitle, lastMessagePreview, totalTokens, compactionCount, lastInteractionAt } = filled;
  const { modelProvider, model } = filled;
  const follows = { derivedTitle, lastMessagePreview, totalTokens, compactionCount, lastInteractionAt };
  return sessions.change(key, () => ({ ...follows, modelProvider, model }), "import");
}

const BATCH = 500;
const MAX_LINE = 16 * 1024 * 1024;
const MAX_TOTAL = 512 * 1024 * 1024;

interface Judged {
  readonly id: string;
  /** Undefined when the line says nothing of a parent: the line before is it. */
  readonly parentId: string | null | undefined;
  readonly entry: Entry | undefined;
}

async function judged(lines: ImportedSession["lines"]): Promise<readonly Judged[]> {
  const found: Judged[] = [];
  let [number, total] = [0, 0];
  for await (const text of lines) {
    number++;
    total += text.length;
    if (text.length > MAX_LINE || total > MAX_TOTAL)
      throw new Failure("invalid-request", `line ${number} makes this too long to be imported: split the conversation`);
    if (text.trim() === "") continue;
    const record = unseal({ text, bytes: new TextEncoder().encode(text) })?.record;
    if (!record)
      throw new Failure("invalid-request", `line ${number} is damaged: it is not JSON, or not what its checksum says`);
    if (record["type"] === "session") continue;
    const { id, parentId } = record;
    const name = typeof id === "string" ? id : String(number);
    const known = typeof record["type"] === "string" && (record["type"] !== "message" || isObject(record["message"]));
    if (!known) throw new Failure("invalid-request", `line ${number} is no entry of a conversation`);
    found.push({
      id: name,
      parentId: typeof parentId === "string" || parentId === null ? parentId : undefined,
      entry: isRewind(record) ? undefined : entryOf(record, name, number),
    });
  }
  return found;
}

/** What the last line leads back to, oldest first. */
function pathOf(lines: readonly Judged[]): readonly Entry[] {
  const places = new Map(lines.map(({ id }, index) => [id, index]));
  const path: Entry[] = [];
  for (let at = lines.length - 1; at >= 0;) {
    const line = lines[at];
    if (line?.entry) path.push(line.entry);
    const parent = line?.parentId === undefined ? at - 1 : places.get(line.parentId ?? "");
    at = parent !== undefined && parent < at ? parent : -1;
  }
  return path.toReversed();
}

/** Entries get new ids; what a compaction names goes by the new one. */
async function appendAll(transcript: Transcript, path: readonly Entry[]): Promise<void> {
  const newIds = new Map<string, string>();
  let batch: Entry[] = [];
  const flush = async (): Promise<void> => {
    const made = await transcript.append(batch.map((entry) => contentOf(entry, newIds)));
    for (const [index, { id }] of batch.entries()) newIds.set(id, made[index]?.id ?? id);
    batch = [];
  };
  for (const entry of path) {
    if (batch.length >= BATCH || entry.type === "compaction") await flush();
    batch.push(entry);
  }
  await flush();
}

function contentOf(entry: Entry, newIds: ReadonlyMap<string, string>): NewEntry {
  const { id: _id, parentId: _parentId, seq: _seq, timestamp: _timestamp, ...content } = entry;
  if (content.type !== "compaction") return content;
  return { ...content, firstKeptEntryId: newIds.get(content.firstKeptEntryId) ?? content.firstKeptEntryId };
}
