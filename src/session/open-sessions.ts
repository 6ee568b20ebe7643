import type { Clock } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { uuid } from "../kit/ids.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { Logs } from "../store/log.ts";
import type { Store } from "../store/store.ts";
import { copyEntries } from "./copy.ts";
import { fork, forkedRow } from "./fork.ts";
import { openIndexLog, type IndexLog } from "./index-log.ts";
import { importReference } from "./import-reference.ts";
import { rebuild } from "./rebuild.ts";
import { changed, newRow, noUse } from "./row.ts";
import { createRows, type Rows } from "./rows.ts";
import type { SearchIndex } from "./search.ts";
import { createSearching } from "./searching.ts";
import type { SessionChange, SessionRow, Sessions } from "./sessions.ts";
import { createTranscripts, transcriptKey, type TranscriptOf } from "./transcripts.ts";

export interface SessionsOptions {
  readonly logs: Logs;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where texts are found again; without one nothing is. */
  readonly search?: SearchIndex | undefined;
  /** The folder that an agent works in, for the first line of its transcripts. */
  readonly cwdOf?: (agentId: string) => string;
  /** Where `logs` keeps its files, for paths that are shown. */
  readonly stateFolder: string;
}

/** All sessions of the state folder. */
export async function openSessions(options: SessionsOptions): Promise<Sessions> {
  const { logs, store, clock, log, search, stateFolder, cwdOf = () => stateFolder } = options;
  const lanes = createLanes();
  const listeners = new Set<(change: SessionChange) => void>();
  /** Sessions that are being made and have no row yet. */
  const unborn = new Map<string, string>();
  /** Rows with notes that are not on the disk. */
  const dirty = new Set<string>();
  let stopTimer: (() => void) | undefined;
  let rows: Rows = createRows();
  let index: IndexLog;

  const transcripts = createTranscripts({
    logs,
    clock,
    log,
    header: ({ sessionId, agentId }) => ({
      type: "session",
      version: 3,
      id: sessionId,
      timestamp: new Date(clock.now()).toISOString(),
      cwd: cwdOf(agentId),
      key: rows.bySessionId(sessionId)?.key ?? unborn.get(sessionId),
    }),
    appended: ({ sessionId }, entries) => searching.add(sessionId, entries),
    keepUp: () => searching.keepUp(),
  });
  const searching = createSearching({ search, log, rows: () => rows, transcript: (of) => transcripts.get(of) });

  async function load(): Promise<void> {
    index = await openIndexLog(logs, { log, live: () => ({ size: rows.size, rows: rows.newestFirst() }) });
    rows = createRows(index.rows);
    if (index.isNew || index.damaged) await recover();
    searching.catchUp();
  }

  /** Rows that the index has lost, or never had: from the transcripts, and from the reference's own index. */
  async function recover(): Promise<void> {
    const found = await rebuild({ logs, store, log, rows, transcript: (of) => transcripts.get(of) });
    for (const row of found) rows.set(row);
    const imported = index.isNew ? await importReference({ store, log, rows }) : [];
    for (const row of imported) rows.set(row);
    // A first start has nothing to write, and need not wait for the disk.
    if (found.length + imported.length === 0 && !index.damaged) return;
    try {
      await index.write([...found, ...imported]);
    } catch (error) {
      // Who stands by shows what it found; the owner of the folder writes it.
      log.warn("sessions that were found could not be written to their index", { error });
    }
  }

  let loading = load();
  await loading;

  /** One change of a session at a time, none before the rows are read. */
  const inLane = <T>(key: string, work: () => Promise<T>): Promise<T> =>
    lanes.run(key, async () => {
      await loading;
      return work();
    });

  function existing(key: string): SessionRow {
    const row = rows.get(key);
    if (row) return row;
    throw new Failure("not-found", `No session found: ${key.slice(0, 200)}`);
  }

  function refuseExisting(key: string): void {
    if (rows.get(key))
      throw new Failure("conflict", `there is a session ${key.slice(0, 200)} already: choose another key`);
  }

  function emit(change: SessionChange): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        log.error("a listener to sessions failed", { error });
      }
    }
  }

  /** Writes what the row becomes; notes that came while it was written stay. */
  async function write(row: SessionRow, changes: Partial<SessionRow>): Promise<SessionRow> {
    let next = row;
    await index.write([changed(row, changes)], () => {
      next = changed(existing(row.key), changes);
      rows.set(next);
    });
    return next;
  }

  async function create(row: SessionRow, reason: string): Promise<SessionRow> {
    await index.write([row], () => rows.set(row));
    emit({ kind: "created", row, reason });
    return row;
  }

  /** Creates a session after its transcript: no row names one that is not whole. */
  async function createFilled(row: SessionRow, fill: () => Promise<SessionRow>, reason: string): Promise<SessionRow> {
    unborn.set(row.sessionId, row.key);
    try {
      return await create(await fill(), reason);
    } catch (error) {
      searching.forget(row.sessionId);
      throw error;
    } finally {
      unborn.delete(row.sessionId);
    }
  }

  async function writeNotes(): Promise<void> {
    stopTimer?.();
    stopTimer = undefined;
    const keys = [...dirty];
    dirty.clear();
    await Promise.all(
      keys.map((key) =>
        inLane(key, async () => {
          const row = rows.get(key);
          try {
            if (row) await index.write([row]);
          } catch (error) {
            dirty.add(key);
            throw error;
          }
        }),
      ),
    );
  }

  function writeNotesSoon(): void {
    stopTimer ??= clock.after(NOTE_MS, () => {
      writeNotes().catch((error: unknown) => {
        log.warn("what changed in sessions could not be written; it will be with the next change", { error });
      });
    });
  }

  const sessions: Sessions = {
    get size() {
      return rows.size;
    },
    get: (key) => rows.get(key),
    bySessionId: (sessionId) => rows.get(rows.bySessionId(sessionId)?.key ?? ""),
    list: (query) => rows.list(query, clock.now()),
    ensure: (key, first) =>
      inLane(key, async () => {
        const row = rows.get(key) ?? newRow(key, first, clock.now());
        if (rows.get(key)) return row;
        transcriptKey(row); // refuses an agent whose name makes no path
        return create(row, "create");
      }),
    change: (key, edit, reason) =>
      inLane(key, async () => {
        const before = existing(key);
        const row = await write(before, { updatedAt: clock.now(), ...edit(before) });
        emit({ kind: "changed", row, reason });
        return row;
      }),
    note(key, changes, reason) {
      const before = rows.get(key);
      if (!before) return;
      const row = changed(before, changes);
      rows.set(row);
      dirty.add(key);
      writeNotesSoon();
      if (reason !== undefined) emit({ kind: "changed", row, reason });
    },
    reset: (key, reason) =>
      inLane(key, async () => {
        const before = existing(key);
        const now = clock.now();
        const row = await write(before, {
          ...cleared,
          sessionId: uuid(),
          previousSessionId: before.sessionId,
          startedAt: now,
          updatedAt: now,
        });
        searching.forget(before.sessionId);
        emit({ kind: "reset", row, reason });
        return row;
      }),
    delete: (key, { keepTranscript = false } = {}) =>
      inLane(key, async () => {
        const row = rows.get(key);
        if (!row) return [];
        await index.write([{ key, deleted: true }], () => rows.remove(key));
        dirty.delete(key);
        searching.forget(row.sessionId);
        emit({ kind: "deleted", row, reason: "delete" });
        return keepTranscript ? [] : setAside(row);
      }),
    fork: (key, { newKey, beforeEntryId, label }) =>
      inLane(newKey, async () => {
        const source = existing(key);
        refuseExisting(newKey);
        const row = forkedRow(source, { newKey, beforeEntryId, label, now: clock.now() });
        return createFilled(row, () => fork(transcripts, { source, row, beforeEntryId }), "fork");
      }),
    import: (key, { entries, ...first }) =>
      inLane(key, async () => {
        refuseExisting(key);
        const row = newRow(key, first, clock.now());
        const fill = () => transcripts.make(row, (append) => copyEntries(row, entries, append));
        return createFilled(row, fill, "import");
      }),
    transcript: (row) => transcripts.get(row),
    pathOf: (row) => join(stateFolder, transcriptKey(row)),
    search: (query) => searching.query(query),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async reload() {
      const before = loading;
      loading = (async () => {
        await before.catch(() => undefined); // what could not be read then may be readable now
        await transcripts.letGo();
        await index.close();
        await load();
      })();
      await loading;
    },
    async close() {
      try {
        await writeNotes();
      } finally {
        stopTimer?.();
        await searching.stop();
        await transcripts.close();
        await index.close();
      }
    },
  };

  /** Renames the transcript to what no session reads, and says where it is now. */
  async function setAside(row: TranscriptOf): Promise<readonly string[]> {
    const stamp = new Date(clock.now()).toISOString().replaceAll(":", "");
    return transcripts.closed(row, async (key) => {
      const aside = `${key}.deleted.${stamp}`;
      await logs.move(key, aside);
      return [join(stateFolder, aside)];
    });
  }

  return sessions;
}

/** How long a note may wait for the disk. */
const NOTE_MS = 250;

/** What does not outlive a conversation. */
const cleared = {
  ...noUse,
  derivedTitle: undefined,
  lastMessagePreview: undefined,
  estimatedCostUsd: undefined,
  contextTokens: undefined,
  status: undefined,
  lastRunId: undefined,
  lastRunError: undefined,
  runStartedAt: undefined,
  runEndedAt: undefined,
  forkSource: undefined,
} as const;
