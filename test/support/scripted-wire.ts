import { decodeMessage } from "../../src/host/dns-decode.ts";
import { encodeMessage } from "../../src/host/dns-encode.ts";
import type { DnsMessage } from "../../src/host/dns.ts";
import type { NetInterface } from "../../src/host/host.ts";
import type { DnsPeer, MulticastEvents, MulticastSocket } from "../../src/host/multicast.ts";
import { Failure } from "../../src/kit/error.ts";
import type { FakeClock } from "./fake-clock.ts";

/** A network segment that exists only in the test: what one host sends is encoded, decoded and heard by all. */
export interface Wire {
  /** Everything that was sent, with the clock's time. */
  readonly sent: Sent[];
  attach(at: NetInterface, events: MulticastEvents): MulticastSocket;
  /** A host of the test's own says something. */
  say(message: Partial<DnsMessage>, from?: Partial<DnsPeer>): Promise<void>;
}

export interface Sent {
  readonly at: number;
  readonly from: string;
  readonly to: DnsPeer | undefined;
  readonly message: DnsMessage;
}

/** A machine plugged into one wire or several; `interfaces` may be changed while it runs. */
export interface Node {
  readonly clock: FakeClock;
  readonly net: {
    interfaces: () => readonly NetInterface[];
    multicast: (at: NetInterface, events: MulticastEvents) => Promise<MulticastSocket>;
  };
  interfaces: readonly NetInterface[];
  /** Interfaces that cannot be joined, by name. */
  readonly broken: Set<string>;
}

export const empty: DnsMessage = {
  id: 0,
  isResponse: false,
  authoritative: false,
  truncated: false,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

export function createWire(clock: FakeClock): Wire {
  const sent: Sent[] = [];
  const attached = new Set<{ readonly at: NetInterface; readonly events: MulticastEvents }>();
  const deliver = (message: DnsMessage, from: DnsPeer, to: DnsPeer | undefined): void => {
    const bytes = encodeMessage(message);
    const decoded = decodeMessage(bytes);
    if (!decoded) throw new Error(`the decoder does not read what the encoder wrote: ${JSON.stringify(message)}`);
    sent.push({ at: clock.monotonic(), from: from.address, to, message: decoded });
    for (const each of attached) {
      const heard = each.at.family === (from.address.includes(":") ? 6 : 4) && (!to || to.address === each.at.address);
      if (heard) queueMicrotask(() => attached.has(each) && each.events.message(decoded, from));
    }
  };
  return {
    sent,
    attach(at, events) {
      const self = { at, events };
      attached.add(self);
      return {
        dropped: { malformed: 0, flooded: 0 },
        send(message, to) {
          if (attached.has(self)) deliver(message, { address: at.address, port: 5353 }, to);
        },
        close: async () => void attached.delete(self),
      };
    },
    async say(message, from) {
      deliver({ ...empty, ...message }, { address: "192.0.2.99", port: 5353, ...from }, undefined);
      await clock.advance(0);
    },
  };
}

export function plug(clock: FakeClock, wires: Readonly<Record<string, Wire>>, addresses: readonly string[]): Node {
  const node: Node = {
    clock,
    interfaces: addresses.map((each) => interfaceAt(each, Object.keys(wires)[0] ?? "")),
    broken: new Set(),
    net: {
      interfaces: () => node.interfaces,
      async multicast(at, events) {
        const wire = wires[at.name];
        if (!wire || node.broken.has(at.name)) throw new Failure("failed", `cannot join on ${at.name}`);
        return wire.attach(at, events);
      },
    },
  };
  return node;
}

export function interfaceAt(address: string, name: string): NetInterface {
  const family = address.includes(":") ? 6 : 4;
  return { name, address, family, internal: false, prefix: family === 4 ? 24 : 64 };
}
