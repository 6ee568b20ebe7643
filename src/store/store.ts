/**
 * Durable text under string keys. A resolved promise means that it is on the disk. Keys are paths of one or more parts
 * (`devices/paired.json`), each matching `[A-Za-z0-9][A-Za-z0-9._-]*`.
 */
export interface Store {
  read(key: string): Promise<string | undefined>;
  /**
   * Replaces the text atomically with what `edit` makes of it; undefined removes it. Edits of one key run one at a time;
   * an `edit` that throws changes nothing and rejects.
   */
  change(key: string, edit: (old: string | undefined) => string | undefined): Promise<void>;
  /** Appends whole lines, grouped with its neighbours into one flush. */
  append(key: string, lines: readonly string[]): Promise<void>;
  /** Keys that start with `prefix`, sorted. */
  keys(prefix: string): Promise<readonly string[]>;
}
