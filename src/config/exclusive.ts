import type { Host } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { acquireLock } from "../store/lock.ts";

const patienceMs = 5000;
const pauseMs = 20;

/**
 * Does something while no other process of this kind does: between reading a file and replacing it, another's change
 * would be lost. Who died in the middle holds nobody up.
 */
export async function exclusively<T>(host: Host, lockPath: string, what: string, work: () => Promise<T>): Promise<T> {
  const { clock } = host;
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const lock = await acquireLock(host, lockPath, { port: 0, since: clock.now(), command: `change ${what}` });
    if (lock.held) {
      try {
        return await work();
      } finally {
        await lock.release();
      }
    }
    if (clock.monotonic() >= deadline)
      throw new Failure("unavailable", `${what} is being changed by process ${lock.owner.pid}; try again`);
    await clock.sleep(pauseMs);
  }
}
