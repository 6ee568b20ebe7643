/** A bound on how many runs go on at once, over all sessions: first come, first served. */
export interface Slots {
  readonly used: number;
  /** Resolves with the way to give the place back, once there is one. */
  take(): Promise<() => void>;
}

/** `limit` is asked each time a place is free, so that a changed configuration counts at once. */
export function createSlots(limit: () => number): Slots {
  const waiting: (() => void)[] = [];
  let used = 0;

  function grant(): () => void {
    used++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      used--;
      while (used < limit()) {
        const next = waiting.shift();
        if (!next) return;
        next();
      }
    };
  }

  return {
    get used() {
      return used;
    },
    take() {
      if (used < limit() && waiting.length === 0) return Promise.resolve(grant());
      return new Promise((resolve) => waiting.push(() => resolve(grant())));
    },
  };
}
