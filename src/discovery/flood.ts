import type { MulticastSocket } from "../host/multicast.ts";

type Dropped = MulticastSocket["dropped"];

const firstPackets = 1000;

/** Makes a function that, however often it is called, tells of a flood when it begins and each time it has doubled. */
export function watchFlood(dropped: Dropped, tell: (dropped: Dropped) => void): () => void {
  let next = firstPackets;
  return () => {
    if (dropped.flooded < next) return;
    next = 2 * dropped.flooded;
    tell(dropped);
  };
}
