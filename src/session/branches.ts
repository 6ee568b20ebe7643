import { counted, kinds, noCounts, type Counts, type Line, type Skip } from "./entry-line.ts";
import { textOf } from "./message.ts";
import type { Path } from "./path.ts";
import type { Measure } from "./place.ts";
import type { Branch, Entry } from "./transcript.ts";
import { firstWords } from "./words.ts";

/** A branch that the path can be led along: its lines, oldest first, behind the place on the path that they follow. */
export interface OffPath extends Branch {
  /** The path up to there stays as it is; undefined where the branch begins the conversation anew. */
  readonly stem: Line | undefined;
  readonly lines: readonly BranchLine[];
}

export type BranchLine = Pick<Line, "id" | "parentId" | "seq" | "counts" | "compaction">;

/**
 * What rewinds and other programs left behind in a transcript: branches off its path, newest first, of those that can
 * be read whole. Reads what is off the path, the newest of it where that is much.
 */
export async function branchesOff(path: Path): Promise<readonly OffPath[]> {
  const nodes = new Map<string, Node>();
  for await (const line of path.left(MOST_BYTES)) nodes.set(line.id, nodeOf(line));
  const said = [...nodes.values()].filter(({ rewinds }) => !rewinds);
  const inner = new Set(said.map((node) => parentOf(node, nodes).node));
  const leaves = said.filter((node) => !inner.has(node)).toSorted((a, b) => b.seq - a.seq);
  const found: OffPath[] = [];
  for (const leaf of leaves.slice(0, MOST_BRANCHES)) {
    const branch = await branchTo(leaf, nodes, path);
    if (branch) found.push(branch);
  }
  return found;
}

/** The path itself as a branch; undefined while nothing is on it. */
export async function ownBranch(path: Path): Promise<Branch | undefined> {
  const { counts } = path.tip;
  const end = rank(path.tip);
  const newest = await path.select(rank, { from: Math.max(end - RECENT, 0), to: end });
  const leaf = newest.at(-1);
  if (!leaf) return undefined;
  const headline = newest.map(headlineOf).findLast((words) => words !== "") ?? "";
  return { leafId: leaf.id, active: true, headline, messages: messagesIn(counts), updatedAt: leaf.timestamp };
}

/** What is off the path once it leads along this branch, up to its leaf. */
export function skipsAlong({ stem, lines }: OffPath, skips: readonly Skip[]): readonly Skip[] {
  let last = { seq: stem?.seq ?? 0, counts: stem?.counts ?? noCounts };
  const out = skips.filter(({ to }) => to < last.seq);
  for (const { seq, counts } of lines) {
    if (seq > last.seq + 1) out.push({ from: last.seq + 1, to: seq - 1, counts: last.counts });
    last = { seq, counts };
  }
  return out;
}

/** How many entries the path holds, of any kind. */
export const rank: Measure = ({ counts }) => counts.reduce((sum, count) => sum + count, 0);

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_BRANCHES = 100;
const MAX_HEADLINE = 120;
/** Entries that are looked at for the last words of a person. */
const RECENT = 50;

/** A line off the path, without what would fill the memory. */
interface Node extends BranchLine {
  readonly rewinds: boolean;
  readonly kind: (typeof kinds)[number] | undefined;
  readonly writtenAt: string;
  /** What a person said. */
  readonly words: string;
}

function nodeOf({ id, parentId, seq, counts, compaction, rewind, entry }: Line): Node {
  return {
    id,
    parentId,
    seq,
    counts,
    compaction,
    rewinds: entry === undefined && rewind === seq,
    kind: entry?.type,
    writtenAt: entry?.timestamp ?? "",
    words: entry ? headlineOf(entry) : "",
  };
}

function headlineOf(entry: Entry): string {
  return entry.type === "message" && entry.message.role === "user"
    ? firstWords(textOf(entry.message), MAX_HEADLINE)
    : "";
}

function messagesIn(counts: Counts): number {
  return counts[kinds.indexOf("message")] ?? 0;
}

/** What a line follows in its conversation: a node, or the id of what is not among them. Rewinds between are left out. */
function parentOf(
  { seq, parentId }: Node,
  nodes: ReadonlyMap<string, Node>,
): { readonly node: Node } | { readonly node: undefined; readonly id: string | null } {
  for (let [at, id] = [seq, parentId]; ;) {
    const node = id === null ? undefined : nodes.get(id);
    // A parent that comes later is no parent: another program may have written it.
    if (!node || node.seq >= at) return { node: undefined, id };
    if (!node.rewinds) return { node };
    [at, id] = [node.seq, node.parentId];
  }
}

/** The branch that ends in this leaf; undefined when nothing was said on it, or a part of it cannot be read. */
async function branchTo(leaf: Node, nodes: ReadonlyMap<string, Node>, path: Path): Promise<OffPath | undefined> {
  const lines = [leaf];
  let first = leaf;
  let parent = parentOf(leaf, nodes);
  for (; parent.node; parent = parentOf(first, nodes)) {
    // Numbers that do not follow from each other are none to search by.
    if (rank(parent.node) !== rankBefore(first)) return undefined;
    lines.push((first = parent.node));
  }
  if (!lines.some(({ kind }) => kind === "message")) return undefined;
  const { id } = parent;
  const before = rankBefore(first);
  const stems = id === null ? [] : await path.lines(rank, { from: before - 1, to: before });
  const stem = stems.find((line) => line.id === id);
  if (id === null ? before > 0 : !stem) return undefined;
  return {
    leafId: leaf.id,
    headline: lines.find(({ words }) => words !== "")?.words ?? "",
    active: false,
    messages: messagesIn(leaf.counts),
    updatedAt: leaf.writtenAt,
    stem,
    lines: lines.toReversed(),
  };
}

function rankBefore({ seq, counts, kind }: Node): number {
  return rank({ seq, counts: counted(counts, kind, -1) });
}
