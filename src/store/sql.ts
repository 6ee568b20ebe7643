import { checkedKey, checkedLines } from "./key.ts";
import type { Logs } from "./log.ts";
import { createOpenKeys } from "./open-keys.ts";
import type { Store } from "./store.ts";

/** An SQLite database within this process, as a Durable Object has it (`ctx.storage`). */
export interface SqlDatabase {
  readonly sql: { exec(query: string, ...values: readonly (string | number | ArrayBuffer)[]): SqlRows };
  /** Runs the work at once; when it throws, nothing of it has happened. */
  transactionSync<T>(work: () => T): T;
  /** Resolves when everything written so far is on the disk. */
  sync(): Promise<void>;
}

export interface SqlRows {
  toArray(): readonly Readonly<Record<string, unknown>>[];
}

/** Pieces stay below the 2 MB that a Durable Object takes in a row. */
const maxPiece = 1024 * 1024;

/** Documents and logs in one table of an SQLite database: each text in pieces, by where in the text they begin. */
export function createSqlStorage(database: SqlDatabase): { readonly store: Store; readonly logs: Logs } {
  database.sql.exec(
    `CREATE TABLE IF NOT EXISTS pieces (kind TEXT, key TEXT, at INTEGER, bytes BLOB, PRIMARY KEY (kind, key, at))
     WITHOUT ROWID`,
  );
  return { store: storeIn(database), logs: logsIn(database) };
}

type Kind = "document" | "log";

function storeIn(database: SqlDatabase): Store {
  const kind = "document";
  const text = (key: string): string | undefined => {
    const size = sizeOf(database, kind, key);
    return size === undefined ? undefined : new TextDecoder().decode(read(database, kind, key, [0, size]));
  };
  return {
    async read(key) {
      return text(checkedKey(key));
    },
    // The database does its work at once, so edits of one key cannot meet.
    async change(key, edit) {
      database.transactionSync(() => {
        const next = edit(text(checkedKey(key)));
        erase(database, kind, key);
        if (next !== undefined) append(database, kind, key, next);
      });
      await database.sync();
    },
    async append(key, lines) {
      const more = checkedLines(checkedKey(key), lines);
      if (more !== "") append(database, kind, key, more);
      await database.sync();
    },
    async keys(prefix) {
      const rows = database.sql.exec("SELECT DISTINCT key FROM pieces WHERE kind = ? ORDER BY key", kind).toArray();
      return rows.map(({ key }) => String(key)).filter((key) => key.startsWith(prefix));
    },
  };
}

function logsIn(database: SqlDatabase): Logs {
  const kind = "log";
  const open = createOpenKeys();
  return {
    async open(key) {
      const release = open.take(checkedKey(key));
      let size = sizeOf(database, kind, key) ?? 0;
      return {
        get size() {
          return size;
        },
        async append(lines) {
          const at = append(database, kind, key, checkedLines(key, lines));
          const end = sizeOf(database, kind, key) ?? 0;
          await database.sync();
          size = Math.max(size, end);
          return at;
        },
        async read(start, end) {
          return read(database, kind, key, [start, Math.min(end, size)]);
        },
        async close() {
          release();
        },
      };
    },
    async move(from, to) {
      open.mustBeClosed(checkedKey(from), checkedKey(to));
      database.transactionSync(() => {
        if (sizeOf(database, kind, from) === undefined) return;
        erase(database, kind, to);
        database.sql.exec("UPDATE pieces SET key = ? WHERE kind = ? AND key = ?", to, kind, from);
      });
      await database.sync();
    },
    async remove(key) {
      open.mustBeClosed(checkedKey(key));
      erase(database, kind, key);
      await database.sync();
    },
    async replace(key, lines) {
      open.mustBeClosed(checkedKey(key));
      const text = checkedLines(key, lines);
      database.transactionSync(() => {
        erase(database, kind, key);
        append(database, kind, key, text);
      });
      await database.sync();
    },
  };
}

/** Puts the text behind what is there, whole or not at all; answers where it begins. */
function append(database: SqlDatabase, kind: Kind, key: string, text: string): number {
  const bytes = new TextEncoder().encode(text);
  return database.transactionSync(() => {
    const end = sizeOf(database, kind, key) ?? 0;
    // An empty document is one that is there, which takes a piece.
    for (let at = 0; at < Math.max(bytes.length, 1); at += maxPiece) {
      const piece = bytes.slice(at, at + maxPiece).buffer;
      database.sql.exec("INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?)", kind, key, end + at, piece);
    }
    return end;
  });
}

function erase({ sql }: SqlDatabase, kind: Kind, key: string): void {
  sql.exec("DELETE FROM pieces WHERE kind = ? AND key = ?", kind, key);
}

/** Undefined when there is nothing of that name. */
function sizeOf({ sql }: SqlDatabase, kind: Kind, key: string): number | undefined {
  const last = "SELECT at + length(bytes) AS size FROM pieces WHERE kind = ? AND key = ? ORDER BY at DESC LIMIT 1";
  const [row] = sql.exec(last, kind, key).toArray();
  return row && Number(row["size"]);
}

function read({ sql }: SqlDatabase, kind: Kind, key: string, [start, end]: readonly [number, number]): Uint8Array {
  const out = new Uint8Array(Math.max(0, end - start));
  const touching = "SELECT at, bytes FROM pieces WHERE kind = ? AND key = ? AND at > ? AND at < ? ORDER BY at";
  for (const { at, bytes } of sql.exec(touching, kind, key, start - maxPiece, end).toArray()) {
    if (!(bytes instanceof ArrayBuffer)) continue;
    const offset = Number(at) - start;
    const piece = new Uint8Array(bytes).subarray(Math.max(0, -offset), Math.max(0, out.length - offset));
    out.set(piece, Math.max(0, offset));
  }
  return out;
}
