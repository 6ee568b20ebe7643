import { Failure } from "../kit/error.ts";
import type { Log, Logs } from "./log.ts";
import type { Store } from "./store.ts";

export interface StateOwner {
  readonly pid: number;
  readonly port?: number;
}

/** Throws `unavailable`, naming who owns `what` and where, while another process does (cli.md 10.2). */
export function refuseWhileOwned(owner: StateOwner | undefined, what: string): void {
  if (!owner) return;
  const { pid, port } = owner;
  throw new Failure(
    "unavailable",
    `this gateway stands by: pid ${pid}${port === undefined ? "" : ` on port ${port}`} owns ${what}; ` +
      "send changes to that gateway, or stop it and this one takes over",
    { details: { ownerPid: pid, ...(port === undefined ? {} : { ownerPort: port }) } },
  );
}

/** A Store that only reads while another process owns the state (`owner` answers it), and that writes again as soon as nobody does. */
export function createStandbyStore(inner: Store, owner: () => StateOwner | undefined): Store {
  const refuse = (): void => refuseWhileOwned(owner(), STATE);
  return {
    read: (key) => inner.read(key),
    keys: (prefix) => inner.keys(prefix),
    async change(key, edit) {
      refuse();
      await inner.change(key, edit);
    },
    async append(key, lines) {
      refuse();
      await inner.append(key, lines);
    },
  };
}

/**
 * The same for Logs. One that was opened while another process wrote it knows nothing of what came after: it has to be
 * opened anew before it is written to.
 */
export function createStandbyLogs(inner: Logs, owner: () => StateOwner | undefined): Logs {
  const refuse = (): void => refuseWhileOwned(owner(), STATE);
  return {
    async open(key) {
      const stale = owner() !== undefined;
      const log = await inner.open(key);
      return {
        get size() {
          return log.size;
        },
        async append(lines) {
          refuse();
          if (stale)
            throw new Failure("unavailable", `this gateway is taking over and has not read ${key} again: try again`);
          return log.append(lines);
        },
        read: (start, end) => log.read(start, end),
        close: () => log.close(),
      } satisfies Log;
    },
    async move(from, to) {
      refuse();
      await inner.move(from, to);
    },
    async remove(key) {
      refuse();
      await inner.remove(key);
    },
    async replace(key, lines) {
      refuse();
      await inner.replace(key, lines);
    },
  };
}

const STATE = "the state folder";
