import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { textOf } from "./message.ts";
import type { RowHead } from "./held-row.ts";
import type { Rows } from "./rows.ts";
import type { SearchIndex, SearchText } from "./search.ts";
import type { SearchHit, Sessions } from "./sessions.ts";
import type { Entry, Transcript } from "./transcript.ts";
import type { TranscriptOf } from "./transcripts.ts";

/** The search index, kept in step with the transcripts. */
export interface Searching {
  add(sessionId: string, entries: readonly Entry[]): void;
  forget(sessionId: string): void;
  /** Resolves when the index has written what waits for it, so that a long conversation does not gather in memory. */
  keepUp(): Promise<void>;
  /** Adds again, in the background, what a crash may have kept from the index. */
  catchUp(): void;
  query: Sessions["search"];
  /** Ends what runs in the background. */
  stop(): Promise<void>;
}

export interface SearchingOptions {
  readonly search: SearchIndex | undefined;
  readonly log: Logger;
  readonly rows: () => Rows;
  readonly transcript: (of: TranscriptOf) => Transcript;
}

export function createSearching({ search, log, rows, transcript }: SearchingOptions): Searching {
  let catching: Promise<void> = Promise.resolve();
  const stopping = new AbortController();

  async function addWhatIsMissing(index: SearchIndex): Promise<void> {
    // A row's time is written a moment after its last entry.
    const since = index.syncedTo - MARGIN_MS;
    // Rows that change meanwhile move to the front: this walks on from where it was.
    for (const row of newerThan(since, rows().newestFirst())) {
      if (stopping.signal.aborted) return;
      try {
        await addNewer(index, row, since);
      } catch (error) {
        log.warn("a session could not be read for the search", { session: row.key, error });
      }
    }
  }

  async function addNewer(index: SearchIndex, row: TranscriptOf, since: number): Promise<void> {
    const from = transcript(row);
    for (let offset = 0; !stopping.signal.aborted; offset += BATCH) {
      const entries = await from.page({ limit: BATCH, offset, kinds: ["message"] });
      // By when they were written: a message that had to wait for its turn was said long before.
      const newer = entries.filter(({ timestamp }) => Date.parse(timestamp) >= since);
      index.add(textsFor(row.sessionId, newer));
      await index.flush();
      if (newer.length < BATCH) return;
    }
  }

  return {
    add(sessionId, entries) {
      const texts = textsFor(sessionId, entries);
      if (texts.length > 0) search?.add(texts);
    },
    forget: (sessionId) => search?.forget(sessionId),
    async keepUp() {
      // An index that cannot be written says so itself, and tries again: no conversation waits for it.
      await search?.flush().catch(() => undefined);
    },
    catchUp() {
      if (!search) return;
      catching = catching.then(() => addWhatIsMissing(search));
    },
    async query({ query, agentId, sessionKeys, limit }) {
      if (!search) throw new Failure("unavailable", "this gateway was started without an index to search in");
      const keys = sessionKeys && new Set(sessionKeys);
      // Threat S: what was deleted, or is not asked for, is not found either.
      const visible = (sessionId: string): boolean => {
        const row = rows().bySessionId(sessionId);
        return row !== undefined && (agentId === undefined || row.agentId === agentId) && (!keys || keys.has(row.key));
      };
      const { hits, truncated } = await search.query({ text: query, limit, visible, deadlineMs: DEADLINE_MS });
      const found = await Promise.all(
        hits.map(async ({ sessionId, entryId, ...hit }): Promise<readonly SearchHit[]> => {
          const row = rows().get(rows().bySessionId(sessionId)?.key ?? "");
          // What a rewind left behind is not part of the conversation any more.
          const entry = row && visible(sessionId) ? await transcript(row).find(entryId) : undefined;
          return row && entry ? [{ ...hit, row, messageId: entryId }] : [];
        }),
      );
      return { hits: found.flat(), truncated };
    },
    async stop() {
      stopping.abort();
      await catching;
    },
  };
}

const MARGIN_MS = 10_000;
const BATCH = 200;
const DEADLINE_MS = 250;

function newerThan(since: number, newestFirst: Iterable<RowHead>): readonly RowHead[] {
  const newer: RowHead[] = [];
  for (const row of newestFirst) {
    if (row.updatedAt < since) break;
    newer.push(row);
  }
  return newer;
}

/** What people and models said in these entries, as the index takes it. Commands and their answers are not searched. */
export function textsFor(sessionId: string, entries: readonly Entry[]): readonly SearchText[] {
  return entries.flatMap((entry) => {
    if (entry.type !== "message" || entry.aside || entry.message.role === "toolResult") return [];
    const text = textOf(entry.message);
    const { role, timestamp } = entry.message;
    return text === "" ? [] : [{ sessionId, entryId: entry.id, role, timestamp, text }];
  });
}
