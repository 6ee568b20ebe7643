import type { Host, NetInterface } from "../host/host.ts";

/** No address is taken and announced in less time. */
const recentMs = 100;

/**
 * Makes a function that answers with the machine's interfaces as they are, or just were: to ask the system costs more
 * than the packet that makes us ask, and one packet holds hundreds of addresses.
 */
export function recentInterfaces({
  net,
  clock,
}: {
  readonly net: Pick<Host["net"], "interfaces">;
  readonly clock: Pick<Host["clock"], "monotonic">;
}): () => readonly NetInterface[] {
  let asked = -Infinity;
  let interfaces: readonly NetInterface[] = [];
  return () => {
    const now = clock.monotonic();
    if (now - asked >= recentMs) [asked, interfaces] = [now, net.interfaces()];
    return interfaces;
  };
}
