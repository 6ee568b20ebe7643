import { createSocket } from "node:dgram";
import type { Names } from "../../src/discovery/names.ts";
import { attacks, damaged, seeded } from "./dns-noise.ts";

export interface Flood {
  /** The sender's own IPv4 address. */
  readonly from: string;
  /** Whom the damaged messages speak of, as if it were the sender. */
  readonly about: Names;
  readonly packets: number;
  /** Ends sooner, after this long. */
  readonly ms?: number;
}

/** How many different damaged messages there are. */
const variety = 500;
/** Sent before the first of them has left, as many as a socket holds. */
const atOnce = 50;

/**
 * Sends malformed and misleading packets to the multicast DNS group, from the port that is believed and as fast as it
 * goes. Answers how many left this machine.
 */
export async function flood({ from, about, packets, ms = Infinity }: Flood): Promise<number> {
  const random = seeded(5);
  const kinds = [
    ...Object.values(attacks()).filter(({ length }) => length > 0),
    ...Array.from({ length: variety }, () => damaged(random, about)),
  ].filter(({ length }) => length > 0);
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  await new Promise<void>((resolve) => socket.bind(5353, from, resolve));
  socket.setMulticastInterface(from);
  socket.setMulticastTTL(255);
  const send = (bytes: Uint8Array): Promise<number> =>
    new Promise((resolve) => socket.send(bytes, 5353, "224.0.0.251", (error) => resolve(error ? 0 : 1)));
  const end = performance.now() + ms;
  let sent = 0;
  for (let at = 0; at < packets && performance.now() < end; at += atOnce) {
    const group = Array.from(
      { length: Math.min(atOnce, packets - at) },
      (_, each) => kinds[(at + each) % kinds.length],
    );
    const left = await Promise.all(group.map((bytes) => send(bytes ?? new Uint8Array(1))));
    sent += left.reduce((sum, each) => sum + each, 0);
  }
  socket.close();
  return sent;
}
