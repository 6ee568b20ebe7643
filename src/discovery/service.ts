import type { DnsRecord, DnsType } from "../host/dns.ts";
import type { NetInterface } from "../host/host.ts";
import { hostName, instanceName, type Names } from "./names.ts";

/** What a program announces about itself. */
export interface Advertisement extends Names {
  /** Service types such as `_openclaw-gw._tcp`, each announced with the same instance, port and text. */
  readonly types: readonly string[];
  readonly port: number;
  readonly txt: readonly (readonly [key: string, value: string])[];
}

/** The list of service types on a network (RFC 6763 9). */
const typesName = "_services._dns-sd._udp.local";

// As the gateways before this one announce (RFC 6762 10 has the same): what names a host changes sooner than the rest.
const hostTtl = 120;
const otherTtl = 4500;

/** One string of TXT holds 255 bytes; all of them should fit in one packet (RFC 6763 6.2). */
const maxTextBytes = 255;
const maxTxtBytes = 1200;

/** The records of a service as seen through one interface, of whose addresses those in `reachable` are announced. */
export function recordsOf(
  { types, port, txt }: Advertisement,
  { instance, hostname }: Names,
  addresses: { readonly reachable: readonly NetInterface[]; readonly all: readonly NetInterface[] },
): readonly DnsRecord[] {
  const host = hostName(hostname);
  const strings = txtStrings(txt);
  const services = types.flatMap((type): DnsRecord[] => {
    const name = instanceName(instance, type);
    return [
      { name: `${type}.local`, type: "PTR", ttl: otherTtl, flush: false, data: name },
      { name, type: "SRV", ttl: hostTtl, flush: true, data: { priority: 0, weight: 0, port, target: host } },
      { name, type: "TXT", ttl: otherTtl, flush: true, data: strings },
      { name: typesName, type: "PTR", ttl: otherTtl, flush: false, data: `${type}.local` },
      nothingElse(name, ["TXT", "SRV"], otherTtl),
    ];
  });
  return [
    ...services,
    ...usable(addresses.reachable).map(({ family, address }): DnsRecord => ({
      name: host,
      type: typeOf(family),
      ttl: hostTtl,
      flush: true,
      data: address,
    })),
    // The name is the whole machine's: another program may announce the addresses of the other family.
    nothingElse(host, [...new Set(addresses.all.map(({ family }) => typeOf(family)))], hostTtl),
  ];
}

/** That a name has only these types (RFC 6762 6.1). */
function nothingElse(name: string, types: readonly DnsType[], ttl: number): DnsRecord {
  return { name, type: "NSEC", ttl, flush: true, data: { next: name, types } };
}

/** Link-local IPv6 addresses need a zone that DNS cannot carry: only where there is no other. */
function usable(addresses: readonly NetInterface[]): readonly NetInterface[] {
  const routable = addresses.filter(({ address }) => !/^fe[89ab]/i.test(address));
  return routable.length > 0 ? routable : addresses;
}

function typeOf(family: 4 | 6): "A" | "AAAA" {
  return family === 4 ? "A" : "AAAA";
}

/** `key=value` strings in their order; one that does not fit is left out rather than cut. Never none (RFC 6763 6.1). */
function txtStrings(pairs: Advertisement["txt"]): readonly Uint8Array[] {
  const strings: Uint8Array[] = [];
  let left = maxTxtBytes;
  for (const [key, value] of pairs) {
    const text = new TextEncoder().encode(`${key}=${value}`);
    if (text.length > Math.min(maxTextBytes, left)) continue;
    strings.push(text);
    left -= text.length + 1;
  }
  return strings.length > 0 ? strings : [new Uint8Array(0)];
}
