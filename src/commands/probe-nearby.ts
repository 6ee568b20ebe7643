import type { Nearby } from "../cli/nearby.ts";
import type { Beacon } from "../discovery/read-beacon.ts";
import type { Host } from "../host/host.ts";

/** A gateway that announces itself, and whether its port accepts connections. */
export interface Reached {
  readonly beacon: Beacon;
  /** Null when it was not tried: what is no address would have to be looked up first. */
  readonly reachable: boolean | null;
  readonly latencyMs: number | null;
}

export interface Surroundings extends Nearby {
  readonly reached: readonly Reached[];
}

/**
 * Tries whether what announces itself accepts connections, and no more than that: not a byte is sent to a machine that
 * only a hint names (threat J).
 */
export async function reachNearby(
  { net, clock }: Pick<Host, "net" | "clock">,
  nearby: Nearby,
  timeoutMs: number,
): Promise<Surroundings> {
  const reached = await Promise.all(
    nearby.beacons.map(async (beacon, index): Promise<Reached> => {
      const place = index < maxTried ? addressOf(beacon) : undefined;
      if (!place || timeoutMs <= 0) return { beacon, reachable: null, latencyMs: null };
      const started = clock.monotonic();
      const reachable = await net.reaches(place.address, place.port, timeoutMs);
      return { beacon, reachable, latencyMs: reachable ? Math.round(clock.monotonic() - started) : null };
    }),
  );
  return { ...nearby, reached };
}

/** Whoever fills the network with announcements does not make us knock at as many doors. */
const maxTried = 32;

function addressOf({ wsUrl }: Beacon): { address: string; port: number } | undefined {
  if (wsUrl === undefined) return undefined;
  const { hostname, port, protocol } = new URL(wsUrl);
  if (!/^\[|^\d+(\.\d+){3}$/.test(hostname)) return undefined;
  return {
    address: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "wss:" ? 443 : 80),
  };
}
