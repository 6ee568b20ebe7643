import { labelText } from "../host/dns-name.ts";
import type { Net } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Found } from "./resolve.ts";

export interface WideAreaSearch {
  readonly types: readonly string[];
  /** With its dot at the end. */
  readonly domain: string;
  /** DNS servers as `address` or `address:port`; the system's own by default. */
  readonly servers?: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** More instances than this of one type are not asked after: who fills a zone must not keep us busy. */
const maxInstances = 64;

/**
 * Finds services through DNS servers (RFC 6763 over unicast): the instances of each type, then where each one is.
 * Rejects when no server answers; an instance that nothing more is known of is left out.
 */
export async function browseWideArea(net: Pick<Net, "resolve">, search: WideAreaSearch): Promise<readonly Found[]> {
  const { resolve } = net;
  if (!resolve) throw new Failure("failed", "this runtime cannot ask DNS servers");
  const { types, domain, timeoutMs, signal } = search;
  const ask = { servers: search.servers, timeoutMs, signal };
  const zone = domain.replace(/\.$/, "");

  /** One record that a server does not want to give must not lose the others. */
  const quietly = async <T extends "SRV" | "TXT" | "A" | "AAAA">(type: T, name: string) => {
    try {
      return await resolve(name, type, ask);
    } catch (error) {
      if (Failure.from(error).code === "aborted") throw error;
      return [];
    }
  };

  const instance = async (type: string, name: string): Promise<Found | undefined> => {
    const [places, texts] = await Promise.all([quietly("SRV", name), quietly("TXT", name)]);
    const place = places.toSorted((a, b) => a.priority - b.priority)[0];
    if (!place) return undefined;
    const target = place.target.replace(/\.$/, "");
    const addresses = await Promise.all([quietly("A", target), quietly("AAAA", target)]);
    return {
      type,
      domain,
      instance: labelText(name.slice(0, -`.${type}.${zone}`.length)),
      target,
      port: place.port,
      addresses: addresses.flat(),
      txt: keysAndValues(texts),
    };
  };

  const instancesOf = async (type: string): Promise<readonly Found[]> => {
    const end = `.${type}.${zone}`.toLowerCase();
    const names = (await resolve(`${type}.${zone}`, "PTR", ask))
      .map((name) => name.replace(/\.$/, ""))
      // What points into another zone is another's to announce.
      .filter((name) => name.toLowerCase().endsWith(end) && name.length > end.length);
    const found = await Promise.all([...new Set(names)].slice(0, maxInstances).map((name) => instance(type, name)));
    return found.filter((each) => each !== undefined);
  };

  return (await Promise.all(types.map(instancesOf))).flat();
}

/** RFC 6763 6.4: the first of a key counts, and a string without `=` is a key without value. */
function keysAndValues(strings: readonly string[]): Readonly<Record<string, string>> {
  const pairs = strings.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? ([text, ""] as const) : ([text.slice(0, at), text.slice(at + 1)] as const);
  });
  return Object.fromEntries(pairs.toReversed().filter(([key]) => key !== ""));
}
