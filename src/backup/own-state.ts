import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { acquireLock, type HeldLock } from "../store/lock.ts";

/**
 * Does something to a whole state folder while no gateway runs on it and nobody else does the like. Rejects with a
 * Failure `conflict` that names who is in the way, and how to stop it.
 */
export async function whileStopped<T>(host: Host, state: string, what: string, work: () => Promise<T>): Promise<T> {
  // Beside the folder, which may be moved away; the gateway's own is in it.
  const outer = await take(host, `${state}.lock`, what);
  try {
    const existed = (await host.files.stat(state)) !== undefined;
    const inner = existed ? await take(host, join(state, "gateway.lock"), what) : undefined;
    try {
      return await work();
    } finally {
      await inner?.release();
    }
  } finally {
    await outer.release();
  }
}

async function take(host: Host, path: string, what: string): Promise<HeldLock> {
  const lock = await acquireLock(host, path, { port: 0, since: host.clock.now(), command: what });
  if (lock.held) return lock;
  const { pid, port, command } = lock.owner;
  const [who, stop] =
    port === 0
      ? [`process ${pid} (${command})`, "wait until it has ended"]
      : [`a gateway (PID ${pid}, port ${port})`, ""];
  throw new Failure("conflict", `Cannot ${what}: ${who} uses this state folder.`, {
    hints: [stop || `Stop it first: press Ctrl-C where it runs, or: kill ${pid} (a service: gateway stop)`],
  });
}
