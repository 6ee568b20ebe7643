import { nameKey } from "../host/dns-name.ts";
import type { Host, NetInterface } from "../host/host.ts";
import type { MulticastSocket } from "../host/multicast.ts";
import type { Logger } from "../kit/log.ts";
import { rememberSaid, slowDown } from "./conflict.ts";
import { watchFlood } from "./flood.ts";
import { membershipsOf } from "./memberships.ts";
import { hostName, numberedHostname, numberedInstance, unnumbered, type Names, type Numbers } from "./names.ts";
import { recentInterfaces } from "./recent-interfaces.ts";
import { createRespondingLink, type Change, type RespondingLink } from "./responding-link.ts";
import { recordsOf, type Advertisement } from "./service.ts";
import { noticeSleep } from "./slept.ts";

/** A service that is announced by multicast DNS, until it is closed. */
export interface Advertiser {
  /** As they are now: with a number when somebody else has the name. */
  readonly names: Names;
  /** Announces what has changed; other names are probed for first. */
  update(next: Advertisement): void;
  /** Says goodbye, so that nobody waits for the entries to run out. */
  close(): Promise<void>;
}

export interface AdvertiserOptions {
  readonly log: Logger;
  /** Which addresses are announced, each on its own interface. */
  readonly interfaces: (each: NetInterface) => boolean;
  /** What the names were numbered with the last time: they are tried first (RFC 6762 9). */
  readonly numbers?: Numbers;
  readonly renamed?: (names: Names, numbers: Numbers) => void;
  /** At least 0 and less than 1. */
  readonly random?: () => number;
}

interface Joined {
  readonly link: RespondingLink;
  readonly at: NetInterface;
  readonly tellFlood: () => void;
}

/** How often the machine's interfaces are looked at: nothing tells when a cable is plugged in. */
const lookMs = 5000;

/**
 * Announces a service on every interface chosen, as RFC 6762 and RFC 6763 have it. Resolves when the interfaces are
 * joined; the names are made sure of after that. An interface that fails is a warning, and is tried again.
 */
export async function startAdvertiser(
  host: { readonly net: Pick<Host["net"], "interfaces" | "multicast">; readonly clock: Host["clock"] },
  first: Advertisement,
  { log, interfaces, numbers: before = unnumbered, renamed, random = Math.random }: AdvertiserOptions,
): Promise<Advertiser> {
  const { net, clock } = host;
  const links = new Map<string, Joined>();
  const troubled = new Set<string>();
  const recent = recentInterfaces(host);
  const said = rememberSaid((address) => recent().some((each) => each.address === address));
  const waitAfterConflict = slowDown(clock);
  const slept = noticeSleep(clock, 2 * lookMs);
  let advertisement = first;
  let numbers = before;
  let looking: Promise<void> | undefined;
  let closed = false;

  const names = (): Names => ({
    instance: numberedInstance(advertisement.instance, numbers.instance),
    hostname: numberedHostname(advertisement.hostname, numbers.hostname),
  });

  function recordsAt({ name }: NetInterface): ReturnType<typeof recordsOf> {
    const all = net.interfaces().filter((each) => each.name === name);
    return recordsOf(advertisement, names(), { reachable: all.filter(interfaces), all });
  }

  function announceAll(change?: Change): void {
    for (const { link, at } of links.values()) link.announce(recordsAt(at), change);
  }

  /** Names that somebody answers for while we probe are theirs; while we have them, both must probe (RFC 6762 9). */
  function conflict(link: RespondingLink, conflicts: ReadonlySet<string>, established: boolean): void {
    const delayMs = waitAfterConflict();
    if (established) return link.probe(delayMs);
    const { instance, hostname } = names();
    const ours = nameKey(hostName(hostname));
    const host = conflicts.has(ours);
    const service = [...conflicts].some((name) => name !== ours);
    numbers = { instance: numbers.instance + (service ? 1 : 0), hostname: numbers.hostname + (host ? 1 : 0) };
    if (service) log.warn("gateway name conflict resolved", { oldName: instance, newName: names().instance });
    if (host) log.warn("gateway hostname conflict resolved", { oldHostname: hostname, newHostname: names().hostname });
    renamed?.(names(), numbers);
    announceAll({ delayMs, lost: conflicts });
  }

  async function open(key: string, at: NetInterface): Promise<void> {
    let link: RespondingLink | undefined;
    let socket: MulticastSocket | undefined;
    try {
      socket = await net.multicast?.(at, {
        message: (message, from) => link?.message(message, from),
        failed: (error) => links.has(key) && warn(key, at, error),
      });
    } catch (error) {
      warn(key, at, error);
    }
    if (!socket) return;
    if (closed) return socket.close();
    const tellFlood = watchFlood(socket.dropped, (dropped) => {
      log.warn("mDNS packets came faster than they are read", { interface: at.name, address: at.address, ...dropped });
    });
    const made = createRespondingLink(socket, {
      clock,
      random,
      said,
      addresses: () => recent().filter(({ name }) => name === at.name),
      conflict: (conflicts, established) => conflict(made, conflicts, established),
    });
    link = made;
    links.set(key, { link, at, tellFlood });
    link.announce(recordsAt(at));
  }

  /** Once for each interface, however often it fails. */
  function warn(key: string, at: NetInterface, error: unknown): void {
    if (troubled.has(key)) return;
    troubled.add(key);
    log.warn("mDNS is not working on an interface", { interface: at.name, address: at.address, error });
  }

  /**
   * Joins interfaces that came, leaves those that went, announces addresses that changed. After a sleep the network may
   * be another one, so that the names have to be made sure of again (RFC 6762 8).
   */
  async function look(): Promise<void> {
    const awoken = slept();
    const wanted = membershipsOf(net.interfaces().filter(interfaces));
    for (const key of troubled) if (!wanted.has(key)) troubled.delete(key);
    for (const [key, { link, at, tellFlood }] of links) {
      tellFlood();
      if (wanted.has(key)) {
        link.announce(recordsAt(at));
        if (awoken) link.probe(0);
      } else {
        links.delete(key);
        await link.close();
      }
    }
    for (const [key, at] of wanted) if (!links.has(key) && !closed) await open(key, at);
  }

  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => (looking = undefined));
    return looking;
  }

  if (!net.multicast) log.warn("this system cannot do multicast DNS: nothing is announced on the local network");
  await lookOnce();
  const stopLooking = clock.every(lookMs, () => {
    lookOnce().catch((error: unknown) => log.warn("looking at the network interfaces failed", { error }));
  });
  return {
    get names() {
      return names();
    },
    update(next) {
      if (closed) return;
      numbers = {
        instance: next.instance === advertisement.instance ? numbers.instance : 1,
        hostname: next.hostname === advertisement.hostname ? numbers.hostname : 1,
      };
      advertisement = next;
      announceAll();
    },
    async close() {
      if (closed) return;
      closed = true;
      stopLooking();
      await looking;
      await Promise.all([...links.values()].map(({ link }) => link.close()));
      links.clear();
    },
  };
}
