/** What was said in groups and not answered, kept in memory for the message that is. */
export interface Rooms {
  /** Lines that wait to be shown, oldest first. */
  waiting(room: string): readonly Line[];
  /** Adds a line. The same message again changes nothing, also when it was shown long ago. */
  overheard(room: string, line: Overheard): void;
  /** These lines were shown: they are not shown again. */
  shown(room: string, lines: readonly Line[]): void;
  /** Whether somebody is the first in the room to go by this name, as far back as is known. */
  isFirst(room: string, person: { readonly name: string; readonly id: string }): boolean;
}

export interface Overheard {
  /** Tells the message from all others. */
  readonly id: string;
  readonly text: string;
  /** Most lines that wait in this room. */
  readonly limit: number;
}

export interface Line {
  readonly text: string;
}

interface Room {
  lines: readonly Line[];
  readonly names: Map<string, string>;
}

/** Bounded in groups, and in lines, letters and names of each; what was not spoken in for the longest goes first. */
export function createRooms(): Rooms {
  const rooms = new Map<string, Room>();
  const known = new Set<string>();

  function enter(name: string): Room {
    const room = rooms.get(name) ?? { lines: [], names: new Map<string, string>() };
    rooms.delete(name);
    rooms.set(name, room);
    dropOldest(rooms, MOST_ROOMS);
    return room;
  }

  return {
    waiting: (name) => rooms.get(name)?.lines ?? [],
    overheard(name, { id, text, limit }) {
      if (limit <= 0 || known.has(id)) return;
      known.add(id);
      dropOldest(known, MOST_KNOWN);
      const room = enter(name);
      room.lines = fitting([...room.lines, { text }], limit);
    },
    shown(name, lines) {
      const room = rooms.get(name);
      if (room) room.lines = room.lines.filter((line) => !lines.includes(line));
    },
    isFirst(room, { name, id }) {
      const { names } = enter(room);
      const spoken = name.normalize("NFKC").toLowerCase();
      const first = names.get(spoken) ?? id;
      names.set(spoken, first);
      dropOldest(names, MOST_NAMES);
      return first === id;
    },
  };
}

const MOST_ROOMS = 200;
const MOST_LETTERS = 16_000;
const MOST_NAMES = 200;
const MOST_KNOWN = 5000;

/** The newest lines that are few and short enough together. */
function fitting(lines: readonly Line[], limit: number): readonly Line[] {
  let letters = 0;
  const tooMany = lines.findLastIndex(({ text }) => (letters += text.length) > MOST_LETTERS);
  return lines.slice(Math.max(tooMany + 1, lines.length - limit));
}

function dropOldest(kept: Map<string, unknown> | Set<string>, most: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(oldest);
  }
}
