import { createLanes } from "../kit/lanes.ts";
import type { Log, Logs } from "../store/log.ts";

/** Logs for several users at a time: a log is opened for the first one and closed after the last. */
export interface SharedLogs {
  using<T>(key: string, work: (log: Log) => Promise<T>): Promise<T>;
}

export function shareLogs(logs: Logs): SharedLogs {
  const held = new Map<string, { readonly log: Promise<Log>; users: number }>();
  // A log is opened again only when it is quite closed.
  const lanes = createLanes();
  return {
    async using(key, work) {
      const mine = held.get(key) ?? { log: lanes.run(key, () => logs.open(key)), users: 0 };
      held.set(key, mine);
      mine.users++;
      try {
        return await work(await mine.log);
      } finally {
        if (--mine.users === 0) {
          held.delete(key);
          // In the lane at once: the next one to come opens after this. One that could not be opened told its user.
          await lanes.run(key, async () => (await mine.log.catch(() => undefined))?.close());
        }
      }
    },
  };
}
