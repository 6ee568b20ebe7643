/** When a streamed answer is sent in pieces: no piece is longer than `max`. */
export interface ChunkerOptions {
  /** Characters that a piece should have at least. */
  readonly min: number;
  readonly max: number;
  /** Where a piece may end as soon as it has `min` characters. */
  readonly breakAt: BreakAt;
}

export type BreakAt = "paragraph" | "newline" | "sentence";

/** Makes pieces of a text that comes bit by bit; the same pieces however it comes. */
export interface Chunker {
  /** Takes more of the text; answers the pieces that are complete. */
  push(text: string): readonly string[];
  /** The text is over: answers the rest. */
  end(): readonly string[];
}

/** The sizes of cli.md 8.3. */
export const chunkDefaults = { min: 800, max: 1200, breakAt: "paragraph" } as const satisfies ChunkerOptions;

/**
 * A chunker that prefers to break between paragraphs, then at line ends, sentences, spaces, and anywhere in the end. A
 * piece that must end in a code fence closes it, and the next one opens it again with its info string.
 */
export function createChunker({ min, max, breakAt }: ChunkerOptions): Chunker {
  let text = "";
  /** The fence that `text` begins in. */
  let fence: Fence | undefined;

  const opening = (): string => (fence ? `${fence.opening}\n` : "");
  /** Takes away what a piece must not begin with: blank lines, and a fence that would be closed at once. */
  const tidy = (isOver: boolean): void => {
    const newline = text.indexOf("\n");
    const line = newline < 0 ? text : text.slice(0, newline);
    if (fence && (newline >= 0 || isOver) && afterLine(line, { fence, max }) === undefined) {
      text = text.slice(line.length);
      fence = undefined;
    }
    if (!fence) text = text.replace(/^(?:[ \t]*\r?\n)+/, "");
  };
  const drain = (isOver: boolean): readonly string[] => {
    const pieces: string[] = [];
    for (;;) {
      tidy(isOver);
      const room = max - opening().length;
      const cut = findCut(text.slice(0, room + 2), { fence, min: Math.min(min, room), room, max, breakAt, isOver });
      if (!cut) return pieces;
      const body = text.slice(0, cut.end);
      if (cut.fence) pieces.push(`${opening()}${body}\n${cut.fence.marker}`);
      else if (body.trim() !== "") pieces.push(opening() + body.trimEnd());
      text = text.slice(cut.next);
      fence = cut.fence;
    }
  };
  return {
    push(more) {
      text += more;
      return drain(false);
    },
    end() {
      const pieces = drain(true);
      const rest = text.trimEnd();
      const last = rest === "" ? [] : [opening() + rest];
      text = "";
      fence = undefined;
      return [...pieces, ...last];
    },
  };
}

interface Fence {
  /** The line that opens it again. */
  readonly opening: string;
  /** The line that closes it. */
  readonly marker: string;
}

interface Break {
  readonly kind: BreakAt | "space";
  /** Where the piece ends, and where the next one begins. */
  readonly end: number;
  readonly next: number;
  /** The fence that is open there. */
  readonly fence: Fence | undefined;
}

interface CutOptions extends ChunkerOptions {
  readonly fence: Fence | undefined;
  /** Characters that a piece has for its text. */
  readonly room: number;
  readonly isOver: boolean;
}

/** Where the next piece ends; undefined while more text may make it longer. */
function findCut(text: string, options: CutOptions): Break | undefined {
  const { min, room, breakAt, isOver } = options;
  if (text.length < min) return undefined;
  const { breaks, hard } = breaksOf(text, options);
  const first = breaks.find(({ end, kind, fence }) => end >= min && !fence && asGood[breakAt].includes(kind));
  if (first) return first;
  // Two more than there is room for: what follows a place decides what kind of break it is.
  if (isOver ? text.length <= room : text.length < room + 2) return undefined;
  const outside = breaks.filter(({ fence }) => !fence);
  const inside = breaks.filter(({ fence }) => fence);
  for (const least of [min, 1]) {
    for (const kind of ["newline", "sentence", "space"] as const) {
      const last = outside.findLast((one) => one.end >= least && asGood[kind].includes(one.kind));
      if (last) return last;
    }
    const last = inside.findLast(({ end }) => end >= least);
    if (last) return last;
  }
  return hard;
}

/** What will do where a break of this kind is looked for. */
const asGood: Readonly<Record<Break["kind"], readonly Break["kind"][]>> = {
  paragraph: ["paragraph"],
  newline: ["paragraph", "newline"],
  sentence: ["paragraph", "newline", "sentence"],
  space: ["paragraph", "newline", "sentence", "space"],
};

function breaksOf(text: string, { fence, room, max }: CutOptions): { breaks: readonly Break[]; hard: Break } {
  const breaks: Break[] = [];
  let open = fence;
  /** The fence around the last place that there is room for. */
  let around = fence;
  let at = 0;
  for (let newline = text.indexOf("\n"); ; newline = text.indexOf("\n", at)) {
    if (at < room - closingLength(open)) around = open;
    const line = text.slice(at, newline < 0 ? text.length : newline);
    const after = afterLine(line, { fence: open, max });
    if (!open && !after) breaks.push(...breaksInLine(line, at));
    if (newline < 0) break;
    const kind = text[newline + 1] === "\n" ? "paragraph" : "newline";
    breaks.push({ kind, end: newline, next: newline + 1, fence: after });
    open = after;
    at = newline + 1;
  }
  const fits = ({ end, fence }: Break): boolean => end > 0 && end <= room - closingLength(fence);
  const wanted = room - closingLength(around);
  // Not between the halves of a character.
  const end = Math.max(1, /[\ud800-\udbff]/.test(text[wanted - 1] ?? "") ? wanted - 1 : wanted);
  return { breaks: breaks.filter(fits), hard: { kind: "space", end, next: end, fence: around } };
}

function closingLength(fence: Fence | undefined): number {
  return fence ? fence.marker.length + 1 : 0;
}

function breaksInLine(line: string, at: number): readonly Break[] {
  return [...line.matchAll(/(?:([.!?]["')\]]*)|(?<![ \t]))[ \t]+(?=\S)(?!```|~~~)|[。！？](?=\S)/g)].map(
    (match): Break => {
      const [all, sentence = ""] = match;
      const isSpace = /^[ \t]/.test(all);
      const end = at + match.index + (/^[。！？]/.test(all) ? 1 : sentence.length);
      return { kind: isSpace ? "space" : "sentence", end, next: at + match.index + all.length, fence: undefined };
    },
  );
}

/** The fence that is open after a line (CommonMark 4.5). One whose lines would fill half a piece is not kept up. */
function afterLine(line: string, { fence, max }: { fence: Fence | undefined; max: number }): Fence | undefined {
  const [, marker, rest = ""] = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/.exec(line) ?? [];
  if (marker === undefined) return fence;
  const info = rest.trim();
  if (fence) {
    const closes = info === "" && marker.startsWith(fence.marker);
    return closes ? undefined : fence;
  }
  if (marker.startsWith("`") && info.includes("`")) return undefined;
  if (marker.length > max / 8) return undefined;
  return { marker, opening: marker.length + info.length > max / 4 ? marker : marker + info };
}
