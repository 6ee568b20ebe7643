import { Failure } from "../kit/error.ts";
import type { Store } from "./store.ts";

export interface StateOwner {
  readonly pid: number;
  readonly port?: number;
}

/**
 * A Store that only reads while another process owns the state (`owner` answers it), and that writes again as soon as
 * nobody does (cli.md 10.2).
 */
export function createStandbyStore(inner: Store, owner: () => StateOwner | undefined): Store {
  const refuse = (): void => {
    const holder = owner();
    if (!holder) return;
    const { pid, port } = holder;
    throw new Failure(
      "unavailable",
      `this gateway stands by: pid ${pid}${port === undefined ? "" : ` on port ${port}`} owns the state folder; ` +
        "send changes to that gateway, or stop it and this one takes over",
      { details: { ownerPid: pid, ...(port === undefined ? {} : { ownerPort: port }) } },
    );
  };
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
