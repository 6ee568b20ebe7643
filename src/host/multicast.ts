import type { DnsMessage } from "./dns.ts";

/**
 * One membership of the multicast DNS group (RFC 6762 3): 224.0.0.251 or ff02::fb, port 5353, on one interface and
 * family, with TTL 255. What is sent comes back too, so that programs of one machine hear each other.
 */
export interface MulticastSocket {
  /** To the group, or by unicast to one sender. Never throws: what could not be sent is told to `failed`. */
  send(message: DnsMessage, to?: DnsPeer): void;
  /** Packets that were dropped unread, since the socket was opened. */
  readonly dropped: { readonly malformed: number; readonly flooded: number };
  /** Resolves when what was sent has left and the membership is given up. */
  close(): Promise<void>;
}

export interface MulticastEvents {
  /** A message that could be read; who sent it, and what it says, is for the listener to doubt. */
  message(message: DnsMessage, from: DnsPeer): void;
  /** Something could not be sent, or the interface is gone. */
  failed(error: unknown): void;
}

export interface DnsPeer {
  /** Without a zone. */
  readonly address: string;
  readonly port: number;
}
