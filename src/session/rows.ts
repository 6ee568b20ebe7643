import type { SessionPage, SessionQuery, SessionRow } from "./sessions.ts";

/** All rows in memory, by key and by session id, and in the order of their last change, the newest first. */
export interface Rows {
  readonly size: number;
  get(key: string): SessionRow | undefined;
  bySessionId(sessionId: string): SessionRow | undefined;
  /** Adds the row, or puts it in the place of the one with its key. */
  set(row: SessionRow): void;
  remove(key: string): void;
  newestFirst(): Iterable<SessionRow>;
  list(query: SessionQuery, now: number): SessionPage;
}

/** A chain through all rows: a row that changes goes to the front without a look at the others. */
interface Link {
  row: SessionRow;
  newer: Link | undefined;
  older: Link | undefined;
}

export function createRows(initial: Iterable<SessionRow> = []): Rows {
  const links = new Map<string, Link>();
  const ids = new Map<string, Link>();
  /** How many rows there are of each agent, kind and archive: what lists are asked for, counted without a walk. */
  const tallies = new Map<string, Tally>();
  let newest: Link | undefined;

  const tally = (row: SessionRow, by: number): void => {
    const name = `${row.kind} ${isArchived(row)} ${row.agentId}`;
    const known = tallies.get(name) ?? { sample: row, count: 0 };
    known.count += by;
    tallies.set(name, known);
    if (known.count === 0) tallies.delete(name);
  };
  const unlink = ({ newer, older }: Link): void => {
    if (newer) newer.older = older;
    else newest = older;
    if (older) older.newer = newer;
  };
  const place = (link: Link): void => {
    let [newer, older]: [Link | undefined, Link | undefined] = [undefined, newest];
    // Only a clock that was set back makes this more than one step.
    while (older && older.row.updatedAt > link.row.updatedAt) [newer, older] = [older, older.older];
    link.newer = newer;
    link.older = older;
    if (newer) newer.older = link;
    else newest = link;
    if (older) older.newer = link;
  };
  const forget = (link: Link): void => {
    unlink(link);
    tally(link.row, -1);
    if (ids.get(link.row.sessionId) === link) ids.delete(link.row.sessionId);
  };
  function* newestFirst(): Generator<SessionRow> {
    for (let link = newest; link; link = link.older) yield link.row;
  }

  const rows: Rows = {
    get size() {
      return links.size;
    },
    get: (key) => links.get(key)?.row,
    bySessionId: (sessionId) => ids.get(sessionId)?.row,
    set(row) {
      const known = links.get(row.key);
      if (known) forget(known);
      const link = known ?? { row, newer: undefined, older: undefined };
      link.row = row;
      links.set(row.key, link);
      ids.set(row.sessionId, link);
      tally(row, 1);
      place(link);
    },
    remove(key) {
      const link = links.get(key);
      if (!link) return;
      forget(link);
      links.delete(key);
    },
    newestFirst,
    list(query, now) {
      const { limit = Number.POSITIVE_INFINITY, offset = 0, sortBy = "updatedAt" } = query;
      const isListed = broadly(query);
      const isWanted = narrowly(query, now);
      if (sortBy === "updatedAt" && !isWanted) {
        let total = 0;
        for (const { sample, count } of tallies.values()) if (isListed(sample)) total += count;
        return { rows: take(newestFirst(), isListed, { offset, limit }), total };
      }
      const all = [...newestFirst()].filter((row) => isListed(row) && (!isWanted || isWanted(row)));
      if (sortBy === "lastInteractionAt") all.sort((a, b) => interaction(b) - interaction(a));
      return { rows: all.slice(offset, offset + limit), total: all.length };
    },
  };
  // From the oldest on, so that each is placed in one step.
  for (const row of [...initial].sort((a, b) => a.updatedAt - b.updatedAt)) rows.set(row);
  return rows;
}

interface Tally {
  /** Any row of it: all of them are alike in what is counted. */
  readonly sample: SessionRow;
  count: number;
}

function isArchived(row: SessionRow): boolean {
  return row.archivedAt !== undefined;
}

/** What the tallies can tell. */
function broadly({ agentId, archived = false, includeGlobal, includeUnknown }: SessionQuery) {
  return (row: SessionRow): boolean =>
    (agentId === undefined || row.agentId === agentId) &&
    (archived === "all" || isArchived(row) === archived) &&
    (row.kind !== "global" || includeGlobal === true) &&
    (row.kind !== "unknown" || includeUnknown === true);
}

/** What only a look at each row can tell; undefined when nothing of that is asked. */
function narrowly(query: SessionQuery, now: number): ((row: SessionRow) => boolean) | undefined {
  const { label, spawnedBy, search, activeMinutes, where } = query;
  const words = search?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  const since = activeMinutes === undefined ? undefined : now - activeMinutes * 60_000;
  const plain = label === undefined && spawnedBy === undefined && words.length === 0 && since === undefined && !where;
  if (plain) return undefined;
  return (row) =>
    (label === undefined || row.label === label) &&
    (spawnedBy === undefined || row.spawnedBy === spawnedBy) &&
    (since === undefined || row.updatedAt >= since) &&
    (words.length === 0 || containsAll(row, words)) &&
    (where?.(row) ?? true);
}

function containsAll({ key, label, displayName, derivedTitle }: SessionRow, words: readonly string[]): boolean {
  const text = [key, label, displayName, derivedTitle].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function take(
  rows: Iterable<SessionRow>,
  isListed: (row: SessionRow) => boolean,
  { offset, limit }: { offset: number; limit: number },
): readonly SessionRow[] {
  const taken: SessionRow[] = [];
  let passed = 0;
  if (limit <= 0) return taken;
  for (const row of rows) {
    if (!isListed(row) || passed++ < offset) continue;
    taken.push(row);
    if (taken.length >= limit) break;
  }
  return taken;
}

function interaction(row: SessionRow): number {
  return row.lastInteractionAt ?? row.updatedAt;
}
