import { mayHave, namesOf, wholeRow, type HeldRow, type RowHead } from "./held-row.ts";
import type { SessionPage, SessionQuery, SessionRow } from "./sessions.ts";

/** All rows in memory, by key and by session id, and in the order of their last change, the newest first. */
export interface Rows {
  readonly size: number;
  get(key: string): SessionRow | undefined;
  bySessionId(sessionId: string): RowHead | undefined;
  /** Adds the row, or puts it in the place of the one with its key. */
  set(row: SessionRow): void;
  remove(key: string): void;
  newestFirst(): Iterable<HeldRow>;
  list(query: SessionQuery, now: number): SessionPage;
}

/** A chain through all rows: a row that changes goes to the front without a look at the others. */
interface Link {
  row: HeldRow;
  /** What a search looks in; made by the first one, and kept for the next: people search while they type. */
  names: string | undefined;
  newer: Link | undefined;
  older: Link | undefined;
}

export function createRows(initial: readonly HeldRow[] = []): Rows {
  const links = new Map<string, Link>();
  /** Made when it is first asked for: only a search and a few clients do. */
  let ids: Map<string, Link> | undefined;
  /** How many rows there are of each agent, kind and archive: what lists are asked for, counted without a walk. */
  const tallies: Tally[] = [];
  let newest: Link | undefined;

  /** Most rows are like the one before. */
  let recent: Tally | undefined;
  const tallyOf = (row: HeldRow): Tally => {
    if (recent && areAlike(recent.sample, row)) return recent;
    recent = tallies.find(({ sample }) => areAlike(sample, row)) ?? { sample: row, count: 0 };
    if (recent.count === 0) tallies.push(recent);
    return recent;
  };
  const tally = (row: HeldRow, by: number): void => {
    const known = tallyOf(row);
    known.count += by;
    if (known.count > 0) return;
    tallies.splice(tallies.indexOf(known), 1);
    recent = undefined;
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
    if (ids?.get(link.row.sessionId) === link) ids.delete(link.row.sessionId);
  };
  const set = (row: HeldRow): void => {
    const known = links.get(row.key);
    if (known) forget(known);
    const link = known ?? { row, names: undefined, newer: undefined, older: undefined };
    [link.row, link.names] = [row, undefined];
    if (!known) links.set(row.key, link);
    ids?.set(row.sessionId, link);
    tally(row, 1);
    place(link);
  };
  const whole = (link: Link): SessionRow => {
    const row = wholeRow(link.row);
    link.row = row;
    return row;
  };
  const idsOf = (all: Iterable<Link>): Map<string, Link> => {
    const made = new Map<string, Link>();
    for (const link of all) made.set(link.row.sessionId, link);
    return made;
  };
  function* linksNewestFirst(): Generator<Link> {
    for (let link = newest; link; link = link.older) yield link;
  }
  function* newestFirst(): Generator<HeldRow> {
    for (const { row } of linksNewestFirst()) yield row;
  }

  const rows: Rows = {
    get size() {
      return links.size;
    },
    get(key) {
      const link = links.get(key);
      return link && whole(link);
    },
    bySessionId: (sessionId) => (ids ??= idsOf(links.values())).get(sessionId)?.row,
    set,
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
      const isWanted = narrowly(query);
      const words = wordsOf(query.search ?? "");
      const hints = [query.label, query.spawnedBy].flatMap((text) => text?.toLowerCase() ?? []);
      const since = query.activeMinutes === undefined ? Number.NEGATIVE_INFINITY : now - query.activeMinutes * 60_000;
      if (sortBy === "updatedAt" && !isWanted && words.length === 0 && query.activeMinutes === undefined) {
        let total = 0;
        for (const { sample, count } of tallies) if (isListed(sample)) total += count;
        return { rows: take(linksNewestFirst(), isListed, { offset, limit }).map(whole), total };
      }
      const all: { readonly link: Link; readonly interaction: number }[] = [];
      for (const link of linksNewestFirst()) {
        if (link.row.updatedAt < since) break;
        if (!isListed(link.row) || !hasAll(link, words) || !mayHave(link.row, hints)) continue;
        // Only what is answered stays whole in memory.
        const row = isWanted || sortBy === "lastInteractionAt" ? wholeRow(link.row) : undefined;
        if (row && isWanted?.(row) === false) continue;
        all.push({ link, interaction: row?.lastInteractionAt ?? link.row.updatedAt });
      }
      if (sortBy === "lastInteractionAt") all.sort((a, b) => b.interaction - a.interaction);
      return { rows: all.slice(offset, offset + limit).map(({ link }) => whole(link)), total: all.length };
    },
  };
  // From the oldest on, so that each is placed in one step.
  for (const row of initial.toSorted((a, b) => a.updatedAt - b.updatedAt)) set(row);
  return rows;
}

interface Tally {
  /** Any row of it: all of them are alike in what is counted. */
  readonly sample: RowHead;
  count: number;
}

function areAlike(a: RowHead, b: RowHead): boolean {
  return a.agentId === b.agentId && a.kind === b.kind && isArchived(a) === isArchived(b);
}

function isArchived(row: RowHead): boolean {
  return row.archivedAt !== undefined;
}

/** What the tallies can tell. */
function broadly({ agentId, archived = false, includeGlobal, includeUnknown }: SessionQuery) {
  return (row: RowHead): boolean =>
    (agentId === undefined || row.agentId === agentId) &&
    (archived === "all" || isArchived(row) === archived) &&
    (row.kind !== "global" || includeGlobal === true) &&
    (row.kind !== "unknown" || includeUnknown === true);
}

/** What only a look at each row can tell; undefined when nothing of that is asked. */
function narrowly(query: SessionQuery): ((row: SessionRow) => boolean) | undefined {
  const { label, spawnedBy, where } = query;
  if (label === undefined && spawnedBy === undefined && !where) return undefined;
  return (row) =>
    (label === undefined || row.label === label) &&
    (spawnedBy === undefined || row.spawnedBy === spawnedBy) &&
    (where?.(row) ?? true);
}

function hasAll(link: Link, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const names = (link.names ??= namesOf(link.row));
  return words.every((word) => names.includes(word));
}

function take(
  links: Iterable<Link>,
  isListed: (row: RowHead) => boolean,
  { offset, limit }: { offset: number; limit: number },
): readonly Link[] {
  const taken: Link[] = [];
  let passed = 0;
  if (limit <= 0) return taken;
  for (const link of links) {
    if (!isListed(link.row) || passed++ < offset) continue;
    taken.push(link);
    if (taken.length >= limit) break;
  }
  return taken;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
