/** How many sockets may be open without having said who they are: per address and in all (protocol.md 1.3, threat H). */
export interface WaitingRoom {
  /** Takes a place; undefined when there is none. The answer gives it back, once. */
  enter(key: string): (() => void) | undefined;
  readonly size: number;
}

export function createWaitingRoom(perKey: number, total: number): WaitingRoom {
  const counts = new Map<string, number>();
  let size = 0;
  return {
    enter(key) {
      const count = counts.get(key) ?? 0;
      if (count >= perKey || size >= total) return undefined;
      counts.set(key, count + 1);
      size++;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        size--;
        const left = (counts.get(key) ?? 1) - 1;
        if (left === 0) counts.delete(key);
        else counts.set(key, left);
      };
    },
    get size() {
      return size;
    },
  };
}
