/** Append-only files of lines, for what is too long to be read and written whole. Keys are those of a Store. */
export interface Logs {
  /** Opens, creating it on the first append. A torn last line is cut and kept aside. */
  open(key: string): Promise<Log>;
  /** Renames a log that nobody has open. Nothing happens when there is none. */
  move(from: string, to: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Replaces the whole log atomically with these lines; it must not be open. */
  replace(key: string, lines: readonly string[]): Promise<void>;
}

export interface Log {
  /** Bytes of whole lines that are on the disk. */
  readonly size: number;
  /** Appends whole lines, grouped with its neighbours into one flush. Answers the offset of the first when it is on the disk. */
  append(lines: readonly string[]): Promise<number>;
  /** Bytes from `start` to `end` (exclusive), fewer at the end of the log. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
