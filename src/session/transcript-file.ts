import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import type { Logs } from "../store/log.ts";
import { seal } from "../store/seal.ts";
import { adopt } from "./adopt.ts";
import { branchesOff, ownBranch, rank, skipsAlong } from "./branches.ts";
import { entryIds, isEntryId } from "./entry-id.ts";
import { counted, formatLine, kinds, noCounts, REWIND, rewindContent, type Line, type Skip } from "./entry-line.ts";
import { openPath, type Path } from "./path.ts";
import type { Measure } from "./place.ts";
import type { Compacted, Entry, EntryContent, NewEntry, Transcript } from "./transcript.ts";

export interface FileOptions {
  readonly sessionId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The first line of a new file, asked for when it is written. */
  readonly header: () => JsonObject;
}

/** A transcript whose file is open. Calls must not overlap. */
export interface TranscriptFile extends Omit<Transcript, "append"> {
  /** Entries may bring the time at which they were first written. */
  append(entries: readonly (NewEntry & { readonly timestamp?: string })[]): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

/** Opens the transcript in this log, whoever wrote it; a file that is not there is an empty one until the first append. */
export async function openTranscriptFile(logs: Logs, key: string, options: FileOptions): Promise<TranscriptFile> {
  const { sessionId, clock, log, header } = options;
  const ids = entryIds(sessionId);
  let path = await openPath(logs, { key, log });
  if (path.foreign) path = await adopt(logs, path, { key, log, ids });
  const opened: Path = path;

  const bySeq: Measure = ({ seq }) => seq;
  const rankOf = (chosen: readonly Entry["type"][]): Measure => {
    const indexes = chosen.map((kind) => kinds.indexOf(kind));
    return ({ counts }) => indexes.reduce((sum, index) => sum + (counts[index] ?? 0), 0);
  };

  async function find(id: string): Promise<Entry | undefined> {
    if (!isEntryId(id)) return undefined;
    const seq = ids.seqOf(id);
    const [entry] = seq === 0 || seq > opened.tip.last ? [] : await opened.select(bySeq, { from: seq - 1, to: seq });
    return entry?.id === id ? entry : opened.search(id);
  }

  async function lineAt(seq: number): Promise<Line | undefined> {
    return (await opened.lines(bySeq, { from: seq - 1, to: seq }))[0];
  }

  async function lineBefore(line: Line | undefined): Promise<Line | undefined> {
    const place = line ? rank(line) - 1 : 0;
    for (let at = place; at > 0; at--) {
      const before = (await opened.lines(rank, { from: at - 1, to: at })).findLast(({ entry }) => entry);
      if (before) return before; // else it is damaged
    }
    return undefined;
  }

  /** Ends the path with this line, in one write. What is off the path before the line is given. */
  async function endAt(end: Pick<Line, "id" | "seq" | "counts" | "compaction"> | undefined, skipped: readonly Skip[]) {
    const { seq: at, id: toId, counts, compaction } = end ?? { seq: 0, id: null, counts: noCounts, compaction: 0 };
    const seq = opened.tip.last + 1;
    const skips = [...skipped, { from: at + 1, to: seq, counts }];
    const frame = { id: ids.idOf(seq), parentId: toId, seq, counts, rewind: seq, compaction };
    const text = formatLine(rewindContent(toId, skips), { ...frame, timestamp: isoTime(clock) });
    await opened.append([{ text, line: { ...frame, entry: undefined, skips } }]);
  }

  return {
    sessionId,
    last: async () => opened.tip.seq,
    count: async () => rankOf(["message", "compaction"])(opened.tip),
    async append(entries) {
      if (entries.length === 0) return [];
      let { last, counts, compaction } = opened.tip;
      let parentId = opened.tip.id;
      const made: { line: Line; entry: Entry; text: string }[] = [];
      for (const { id: given, timestamp: written, ...content } of entries.map(checkedEntry)) {
        const seq = ++last;
        const id = given ?? ids.idOf(seq);
        const timestamp = written ?? isoTime(clock);
        counts = counted(counts, content.type);
        if (content.type === "compaction") compaction = seq;
        const frame = { id, parentId, seq, timestamp, counts, rewind: opened.tip.rewind, compaction };
        const entry: Entry = { ...content, id, parentId, seq, timestamp };
        made.push({ entry, line: { ...frame, entry, skips: [] }, text: checkedText(formatLine(content, frame)) });
        parentId = id;
      }
      await opened.append(made, opened.tip.size === 0 ? seal(header()) : undefined);
      return made.map(({ entry }) => entry);
    },
    async page({ limit, offset = 0, kinds: chosen = kinds }) {
      const measure = rankOf(chosen);
      const to = measure(opened.tip) - Math.max(offset, 0);
      if (limit <= 0 || to <= 0) return [];
      const found = await opened.select(measure, { from: Math.max(to - limit, 0), to });
      return found.filter(({ type }) => chosen.includes(type));
    },
    after: async (seq, { limit } = {}) => opened.select(bySeq, { from: Math.max(seq, 0), to: opened.tip.seq, limit }),
    find,
    async context() {
      const { compaction, seq } = opened.tip;
      const [newest] = compaction === 0 ? [] : await opened.select(bySeq, { from: compaction - 1, to: compaction });
      if (newest?.type !== "compaction") return opened.select(bySeq, { from: 0, to: seq });
      const kept = await find(newest.firstKeptEntryId);
      // A compaction that keeps what never was, or what came later, keeps nothing from before itself.
      const from = kept && kept.seq < compaction ? kept.seq : compaction;
      const rest = await opened.select(bySeq, { from: from - 1, to: seq });
      return [newest, ...rest.filter(({ type }) => type !== "compaction")];
    },
    async rewind(toId) {
      const { tip } = opened;
      const end = toId === undefined ? undefined : await find(toId);
      if (toId !== undefined && !end) throw new Failure("not-found", `this conversation has no entry ${toId}`);
      if ((end?.seq ?? 0) === tip.seq) return;
      const line = end && (await lineAt(end.seq));
      const from = line?.seq ?? 0;
      await endAt(
        line,
        tip.skips.filter((skip) => skip.to < from),
      );
    },
    before: async ({ seq }) => (await lineBefore(await lineAt(seq)))?.entry,
    async compactions(limit) {
      const found: Compacted[] = [];
      for (let seq = opened.tip.compaction; seq > 0 && found.length < limit;) {
        const line = await lineAt(seq);
        const before = await lineBefore(line);
        if (line?.entry?.type === "compaction") found.push({ compaction: line.entry, before: before?.entry });
        seq = before?.compaction ?? 0;
      }
      return found;
    },
    async branches() {
      const own = await ownBranch(opened);
      return [...(own ? [own] : []), ...(await branchesOff(opened))];
    },
    async switchTo(leafId) {
      const end = await find(leafId);
      if (end && end.seq === opened.tip.seq) return;
      const branch = (await branchesOff(opened)).find((each) => each.leafId === leafId);
      if (!branch)
        throw new Failure("not-found", `${JSON.stringify(leafId)} is no end of a branch of this conversation`);
      await endAt(branch.lines.at(-1), skipsAlong(branch, opened.tip.skips));
    },
    close: () => opened.close(),
  };
}

/** Far above what a model or a tool is allowed to say; what is longer would make every reader slow. */
const MAX_ENTRY = 16 * 1024 * 1024;

function checkedEntry<E extends EntryContent & { readonly id?: string }>(entry: E): E {
  if (entry.id !== undefined && !isEntryId(entry.id))
    throw new Failure("invalid-request", `${JSON.stringify(entry.id)} is not an entry id: use 8 lower-case hex digits`);
  if (entry.type === "custom" && entry.customType === REWIND)
    throw new Failure("invalid-request", `the custom type ${REWIND} is taken: call rewind, or use another name`);
  return entry;
}

function checkedText(text: string): string {
  if (text.length <= MAX_ENTRY) return text;
  throw new Failure("invalid-request", `an entry of ${text.length} characters is too long: at most ${MAX_ENTRY}`);
}

function isoTime(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
