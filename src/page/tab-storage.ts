/** What a page keeps for its tab: over reloads, and as long as the tab is open. */
export interface TabStorage {
  readonly get: (name: string) => string | undefined;
  /** Undefined removes it. */
  readonly set: (name: string, text: string | undefined) => void;
}

/** The browser's own storage of the tab; for as long as the page is loaded where that is switched off or full. */
export function tabStorage(): TabStorage {
  const memory = new Map<string, string>();
  return {
    get(name) {
      try {
        return memory.get(name) ?? sessionStorage.getItem(name) ?? undefined;
      } catch {
        return undefined; // reading it is refused where storage is switched off
      }
    },
    set(name, text) {
      memory.delete(name);
      try {
        if (text === undefined) sessionStorage.removeItem(name);
        else sessionStorage.setItem(name, text);
      } catch {
        if (text !== undefined) memory.set(name, text);
      }
    },
  };
}
