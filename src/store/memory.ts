import { checkedKey, checkedLines } from "./key.ts";
import type { Store } from "./store.ts";

/** A Store that forgets: for tests, and for a gateway embedded where there is no disk. */
export function createMemoryStore(initial: Readonly<Record<string, string>> = {}): Store {
  const texts = new Map(Object.entries(initial));
  return {
    async read(key) {
      return texts.get(checkedKey(key));
    },
    async change(key, edit) {
      const next = edit(texts.get(checkedKey(key)));
      if (next === undefined) texts.delete(key);
      else texts.set(key, next);
    },
    async append(key, lines) {
      const more = checkedLines(key, lines);
      const old = texts.get(checkedKey(key));
      if (more !== "") texts.set(key, (old ?? "") + more);
    },
    async keys(prefix) {
      return [...texts.keys()].filter((key) => key.startsWith(prefix)).toSorted();
    },
  };
}
