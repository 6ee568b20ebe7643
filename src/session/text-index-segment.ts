import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { utf8Length } from "../kit/text.ts";
import type { Log, Logs } from "../store/log.ts";
import { filterOf, filterText, mayHold, nameHash, parseFilter, type Filter } from "./text-index-filter.ts";
import { fold } from "./text-index-fold.ts";
import { parseTextLine } from "./text-index-line.ts";

/**
 * A file of texts, cut into blocks that each have a filter. Beside it lies a second file with what was learnt of the
 * first, so that the texts need not be read to begin: the filters, and which sessions are forgotten. When that file is
 * damaged or behind, the rest of it is made anew from the texts.
 */
export interface Segment {
  readonly id: number;
  /** Bytes of text. */
  readonly size: number;
  /** Reads what the second file says, and covers with filters what it does not. */
  load(): Promise<Loaded>;
  append(lines: readonly string[]): Promise<void>;
  /** Hides what these sessions said here until now. */
  forget(sessionIds: ReadonlySet<string>): Promise<void>;
  /** The block's text as it is in the file. */
  read(block: Block): Promise<string>;
  close(): Promise<void>;
}

export interface Loaded {
  /** Oldest first. The last one is still growing when it has no filter. */
  blocks(): readonly Block[];
  isDead(sessionId: string, block: Block): boolean;
  /** Bytes of forgotten texts. */
  readonly deadBytes: number;
  /** The newest timestamp; 0 when there is none. */
  readonly newest: number;
}

export interface Block {
  readonly start: number;
  readonly end: number;
  readonly filter: Filter | undefined;
}

export function segmentKeys(id: number): { readonly texts: string; readonly facts: string } {
  return { texts: `search/texts-${id}.jsonl`, facts: `search/blocks-${id}.jsonl` };
}

/** Opens the segment of this number, which is empty when there is none. */
export async function openSegment({ logs, log, id }: { logs: Logs; log: Logger; id: number }): Promise<Segment> {
  const keys = segmentKeys(id);
  const texts = await logs.open(keys.texts);
  let state = nothing();
  let facts: Log | undefined;
  /** The lines worth keeping of a second file that has others too. */
  let misfit: readonly string[] | undefined;
  let loading: Promise<Loaded> | undefined;

  const sealedTo = (): number => state.blocks.at(-1)?.end ?? 0;
  const read = async (start: number, end: number): Promise<string> =>
    new TextDecoder().decode(await texts.read(start, end));

  async function load(): Promise<Loaded> {
    await facts?.close();
    facts = undefined;
    state = nothing();
    facts = await logs.open(keys.facts);
    const lines = new TextDecoder().decode(await facts.read(0, facts.size)).split("\n");
    const written = lines.filter((line) => line !== "");
    const kept = written.filter((line) => learn(state, line, texts.size));
    if (kept.length < written.length) misfit = kept;
    try {
      await seal(BLOCK);
    } catch (error) {
      // A disk that takes nothing now: what has no filter is found all the same, by reading it.
      log.debug("texts of the search index stay without filter for now", { segment: id, error: String(error) });
    }
    const tail = await read(sealedTo(), texts.size);
    for (const line of tail.split("\n")) state.newest = Math.max(state.newest, parseTextLine(line)?.timestamp ?? 0);
    return loaded;
  }

  /** Gives a filter to everything that is not covered, in blocks, except for a rest of less than `least` bytes. */
  async function seal(least: number): Promise<void> {
    while (texts.size - sealedTo() >= least) {
      const start = sealedTo();
      // What was forgotten ends where a block does, in filters that are made anew too.
      const ends = [start + BLOCK, texts.size, ...[...state.dead.values()].filter((end) => end > start)];
      const bytes = await texts.read(start, Math.min(...ends));
      // A line is always shorter than a block: where none ends, the file is damaged and the block is as good as any.
      const end = start + (bytes.lastIndexOf(NEWLINE) + 1 || bytes.length);
      const lines = new TextDecoder().decode(bytes.subarray(0, end - start)).split("\n");
      const found = lines.map(parseTextLine).filter((text) => text !== undefined);
      const filter = filterOf(
        found.map(({ text }) => fold(text)),
        found.map(({ sessionId }) => sessionId),
      );
      const newest = found.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
      await note([JSON.stringify(["block", start, end, newest, filterText(filter)])]);
    }
  }

  async function note(lines: readonly string[]): Promise<void> {
    if (misfit) {
      await facts?.close();
      facts = undefined;
      await logs.replace(keys.facts, misfit);
      facts = await logs.open(keys.facts);
      misfit = undefined;
    }
    await facts?.append(lines);
    for (const line of lines) learn(state, line, texts.size);
  }

  const loaded: Loaded = {
    blocks() {
      const end = sealedTo();
      return end < texts.size ? [...state.blocks, { start: end, end: texts.size, filter: undefined }] : state.blocks;
    },
    isDead: (sessionId, block) => block.end <= (state.dead.get(sessionId) ?? 0),
    get deadBytes() {
      return state.deadBytes;
    },
    get newest() {
      return state.newest;
    },
  };

  const segment: Segment = {
    id,
    get size() {
      return texts.size;
    },
    load() {
      loading ??= load().catch((error: unknown) => {
        loading = undefined; // whoever asks next tries again
        throw error;
      });
      return loading;
    },
    async append(lines) {
      await segment.load();
      await texts.append(lines);
      await seal(BLOCK);
    },
    async forget(sessionIds) {
      await segment.load();
      const names = [...sessionIds].map((name) => [nameHash(name)]);
      const sizes = new Map<string, number>();
      for (const block of loaded.blocks()) {
        const { filter } = block;
        if (filter && !names.some((hashes) => mayHold(filter, hashes))) continue;
        for (const line of (await segment.read(block)).split("\n")) {
          const sessionId = parseTextLine(line)?.sessionId ?? "";
          if (!sessionIds.has(sessionId) || loaded.isDead(sessionId, block)) continue;
          sizes.set(sessionId, (sizes.get(sessionId) ?? 0) + utf8Length(line) + 1);
        }
      }
      if (sizes.size === 0) return;
      // Sealed, so that what is said from now on is in another block.
      await seal(1);
      const lines = [...sizes].map(([sessionId, bytes]) => JSON.stringify(["dead", sessionId, sealedTo(), bytes]));
      await note(lines);
    },
    read: ({ start, end }) => read(start, end),
    async close() {
      // What never came to be is somebody else's failure, and there is nothing to close.
      await loading?.catch(() => undefined);
      await facts?.close();
      await texts.close();
    },
  };
  return segment;
}

interface State {
  readonly blocks: Block[];
  /** Up to where a session's texts are forgotten. */
  readonly dead: Map<string, number>;
  deadBytes: number;
  newest: number;
}

function nothing(): State {
  return { blocks: [], dead: new Map(), deadBytes: 0, newest: 0 };
}

/** Bytes of text under one filter. */
const BLOCK = 64 * 1024;
const NEWLINE = 10;

/** Takes in a line of the second file; false when it does not fit to what came before or to the texts. */
function learn(state: State, line: string, size: number): boolean {
  const fact = parseJson(line);
  if (!Array.isArray(fact)) return false;
  const [kind, first, second, third, fourth] = fact as unknown[];
  if (typeof second !== "number" || typeof third !== "number" || second > size) return false;
  if (kind === "dead" && typeof first === "string") {
    state.dead.set(first, second);
    state.deadBytes += third;
    return true;
  }
  const start = state.blocks.at(-1)?.end ?? 0;
  const filter = typeof fourth === "string" ? parseFilter(fourth) : undefined;
  if (kind !== "block" || first !== start || second <= start || !filter) return false;
  state.blocks.push({ start, end: second, filter });
  state.newest = Math.max(state.newest, third);
  return true;
}
