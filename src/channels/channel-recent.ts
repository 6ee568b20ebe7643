/** The values of the keys that were set last, so many and no more. */
export interface Recent<V> {
  get(key: string): V | undefined;
  /** Undefined forgets it. */
  set(key: string, value: V | undefined): void;
  entries(): readonly (readonly [key: string, value: V])[];
}

/** Remembers the `most` keys that were set last, the oldest first. */
export function createRecent<V>(most: number, from: readonly (readonly [string, V])[] = []): Recent<V> {
  const values = new Map<string, V>(from.slice(-most));
  return {
    get: (key) => values.get(key),
    set(key, value) {
      values.delete(key);
      if (value === undefined) return;
      values.set(key, value);
      const [oldest] = values.keys();
      if (values.size > most && oldest !== undefined) values.delete(oldest);
    },
    entries: () => [...values],
  };
}
