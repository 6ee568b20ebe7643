import { labelText, nameKey, splitName } from "../host/dns-name.ts";
import type { DnsQuestion, DnsType, SrvData } from "../host/dns.ts";
import type { Cache } from "./cache.ts";

/** A service that somebody announces. Every text in it comes from the network: a hint, to be trusted with nothing. */
export interface Found {
  /** Such as `_openclaw-gw._tcp`. */
  readonly type: string;
  /** `local.` */
  readonly domain: string;
  readonly instance: string;
  /** The host, such as `vm.local`. */
  readonly target: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly txt: Readonly<Record<string, string>>;
}

/** What one interface's cache says about the services of a type. */
export interface Resolved {
  readonly complete: readonly Found[];
  /** What to ask for the rest. */
  readonly missing: readonly DnsQuestion[];
}

/** Instances of one type that are looked into; a network of people has a handful. */
const maxInstances = 256;
const maxAddresses = 16;

/** Puts a type's services together from what was heard: PTR gives instances, SRV and TXT describe them (RFC 6763 4). */
export function resolveType(cache: Cache, type: string): Resolved {
  const complete: Found[] = [];
  const missing: DnsQuestion[] = [];
  const ask = (name: string, kind: DnsType): void => void missing.push({ name, type: kind, unicastResponse: false });
  const suffix = nameKey(`.${type}.local`);
  for (const record of cache.get(`${type}.local`, "PTR").slice(0, maxInstances)) {
    if (record.type !== "PTR" || !nameKey(record.data).endsWith(suffix)) continue;
    const name = record.data;
    const label = name.slice(0, -suffix.length);
    if (splitName(label).length !== 1) continue;
    const place = placeOf(cache, name);
    const texts = cache
      .get(name, "TXT")
      .flatMap((each) => (each.type === "TXT" ? [each.data] : []))
      .at(-1);
    if (!place) ask(name, "SRV");
    if (!texts) ask(name, "TXT");
    if (!place) continue;
    const addresses = addressesOf(cache, place.target);
    if (addresses.length === 0) for (const kind of ["A", "AAAA"] as const) ask(place.target, kind);
    if (!texts || addresses.length === 0) continue;
    const { target, port } = place;
    const host = splitName(target).map(labelText).join(".");
    complete.push({
      type,
      domain: "local.",
      instance: labelText(label),
      target: host,
      port,
      addresses,
      txt: readTxt(texts),
    });
  }
  return { complete, missing };
}

/** Keys are compared without case and the first of a name counts; one without `=` has an empty value (RFC 6763 6.4). */
export function readTxt(strings: readonly Uint8Array[]): Readonly<Record<string, string>> {
  const pairs = new Map<string, readonly [key: string, value: string]>();
  for (const bytes of strings) {
    const text = new TextDecoder().decode(bytes);
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
    if (key !== "" && !pairs.has(key.toLowerCase())) pairs.set(key.toLowerCase(), [key, value]);
  }
  return Object.fromEntries(pairs.values());
}

function placeOf(cache: Cache, name: string): SrvData | undefined {
  const records = cache.get(name, "SRV").flatMap((each) => (each.type === "SRV" ? [each.data] : []));
  return records.at(-1);
}

function addressesOf(cache: Cache, target: string): readonly string[] {
  return (["A", "AAAA"] as const)
    .flatMap((type) => cache.get(target, type))
    .flatMap((record) => (record.type === "A" || record.type === "AAAA" ? [record.data] : []))
    .slice(0, maxAddresses);
}
