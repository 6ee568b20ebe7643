import type { DnsQuestion } from "../host/dns.ts";
import { nameKey } from "../host/dns-name.ts";
import type { Clock, Host, NetInterface } from "../host/host.ts";
import type { MulticastSocket } from "../host/multicast.ts";
import { createCleanup } from "../kit/cleanup.ts";
import { Failure } from "../kit/error.ts";
import { createCache, type Cache } from "./cache.ts";
import { membershipsOf } from "./memberships.ts";
import { isOnLink } from "./on-link.ts";
import { pack, query } from "./packets.ts";
import { resolveType, type Found } from "./resolve.ts";
import { mdnsPort } from "./respond.ts";

export interface BrowseOptions {
  /** Such as `_openclaw-gw._tcp`. */
  readonly types: readonly string[];
  readonly timeoutMs: number;
  /** Ends the search early, with what was found. */
  readonly signal?: AbortSignal;
  /** Where to look; by default everywhere, this machine itself included. */
  readonly interfaces?: (each: NetInterface) => boolean;
  /** Hears of each service as soon as all of it is known, once. */
  readonly found?: (service: Found) => void;
  readonly random?: () => number;
}

/**
 * The services of these types that answer by multicast DNS within `timeoutMs`, our own included. Rejects only when not
 * one interface could be joined.
 */
export async function browse(
  host: { readonly net: Pick<Host["net"], "interfaces" | "multicast">; readonly clock: Host["clock"] },
  { types, timeoutMs, signal, interfaces = () => true, found, random = Math.random }: BrowseOptions,
): Promise<readonly Found[]> {
  const { net, clock } = host;
  if (!net.multicast) throw new Failure("unavailable", "this system cannot do multicast DNS");
  const cleanup = createCleanup();
  const links: Cache[] = [];
  const told = new Set<string>();
  const tell = (): void => {
    for (const service of merge(links, types)) {
      if (told.has(identity(service))) continue;
      told.add(identity(service));
      found?.(service);
    }
  };
  const open = async (at: NetInterface): Promise<void> => {
    const cache = createCache(clock);
    const addresses = net.interfaces().filter(({ name }) => name === at.name);
    let heard = (): void => undefined;
    const socket = await net.multicast?.(at, {
      message(message, from) {
        if (!message.isResponse || from.port !== mdnsPort || !isOnLink(from.address, addresses)) return;
        cache.add([...message.answers, ...message.additionals]);
        heard();
      },
      failed: () => undefined, // others may answer; one that cannot ask finds nothing
    });
    if (!socket) return;
    cleanup.add(() => socket.close());
    links.push(cache);
    const asking = askOn(socket, { cache, clock, types, random, tell });
    heard = asking.heard;
    cleanup.add(asking.stop);
  };
  const opened = await Promise.allSettled([...membershipsOf(net.interfaces().filter(interfaces)).values()].map(open));
  const refused = opened.find((each) => each.status === "rejected");
  if (links.length === 0 && refused) throw Failure.from(refused.reason);
  try {
    await ended(clock, timeoutMs, signal);
    return merge(links, types);
  } finally {
    await cleanup.run();
  }
}

interface Turn {
  readonly question: DnsQuestion;
  readonly due: number;
  readonly intervalMs: number;
}

/** The first answers get a moment to come together before what they lack is asked for. */
const gatherMs = 60;
const firstIntervalMs = 1000;
const maxIntervalMs = 60_000;
/** Of one packet, and so at one time. */
const maxQuestions = 40;

interface AskOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly types: readonly string[];
  readonly random: () => number;
  /** Called a moment after something was heard. */
  readonly tell: () => void;
}

/**
 * Asks for the types, and for what their services lack, each question less and less often (RFC 6762 5.2). Others'
 * questions do not count as ours (RFC 6762 7.3): a search of seconds asks little, and nobody shall be able to silence it.
 */
function askOn(
  socket: MulticastSocket,
  { cache, clock, types, random, tell }: AskOptions,
): { heard: () => void; stop: () => void } {
  const turns = new Map<string, Turn>();
  const wanted = types.map((type): DnsQuestion => ({ name: `${type}.local`, type: "PTR", unicastResponse: false }));
  let cancel = clock.after(20 + 100 * random(), ask);
  let next = Infinity;

  function ask(): void {
    tell();
    const now = clock.monotonic();
    const open = [...wanted, ...types.flatMap((type) => resolveType(cache, type).missing)];
    const questions = new Map(open.map((question) => [`${nameKey(question.name)} ${question.type}`, question]));
    for (const key of turns.keys()) if (!questions.has(key)) turns.delete(key);
    const due = [...questions].filter(([key]) => (turns.get(key)?.due ?? now) <= now).slice(0, maxQuestions);
    for (const [key, question] of due) {
      const intervalMs = Math.min(2 * (turns.get(key)?.intervalMs ?? firstIntervalMs / 2), maxIntervalMs);
      turns.set(key, { question, due: now + intervalMs, intervalMs });
    }
    if (due.length > 0) send(due.map(([, question]) => question));
    next = Math.min(...[...questions.keys()].map((key) => turns.get(key)?.due ?? now + gatherMs));
    cancel = clock.after(next - now, ask);
  }

  /** With what we know already, so that nobody says it again; what does not fit follows (RFC 6762 7.2). */
  function send(questions: readonly DnsQuestion[]): void {
    const known = pack(questions.flatMap(({ name, type }) => (type === "PTR" ? cache.known(name, type) : [])));
    const parts = known.length > 0 ? known : [[]];
    parts.forEach((answers, at) =>
      socket.send(query({ questions: at === 0 ? questions : [], answers, truncated: at < parts.length - 1 })),
    );
  }

  return {
    heard() {
      const soon = clock.monotonic() + gatherMs;
      if (soon >= next || next === Infinity) return;
      cancel();
      next = soon;
      cancel = clock.after(gatherMs, ask);
    },
    stop: () => cancel(),
  };
}

/** One entry for a service, whichever interfaces it was heard on, with all of its addresses. */
function merge(links: readonly Cache[], types: readonly string[]): readonly Found[] {
  const services = new Map<string, Found>();
  for (const service of links.flatMap((cache) => types.flatMap((type) => resolveType(cache, type).complete))) {
    const known = services.get(identity(service));
    const addresses = [...new Set([...(known?.addresses ?? []), ...service.addresses])];
    services.set(identity(service), { ...(known ?? service), addresses });
  }
  return [...services.values()];
}

function identity({ type, instance }: Found): string {
  return `${nameKey(instance)} ${type}`;
}

async function ended(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(timeoutMs, signal);
  } catch (error) {
    if (!signal?.aborted) throw error; // else: ended early, as asked
  }
}
