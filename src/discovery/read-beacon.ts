import { formatIp, inNetwork, parseIp, type Ip } from "../kit/ip.ts";
import type { Found } from "./resolve.ts";

/**
 * A gateway that was found, as `gateway discover --json` shows it (cli.md 6.3). All of it is what somebody in the network
 * says: a hint for a person, and nothing that a credential is sent by, or a certificate trusted for (threat J).
 */
export interface Beacon {
  readonly instanceName: string;
  readonly displayName?: string | undefined;
  /** Where the service is by its SRV record. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
  readonly lanHost?: string | undefined;
  readonly tailnetDns?: string | undefined;
  readonly cliPath?: string | undefined;
  readonly gatewayPort?: number | undefined;
  /** 22 where it is not told. */
  readonly sshPort?: number | undefined;
  readonly gatewayTls?: boolean | undefined;
  /** To be compared by a person with what the gateway shows; never a pin by itself. */
  readonly gatewayTlsFingerprintSha256?: string | undefined;
  readonly role?: string | undefined;
  readonly transport?: string | undefined;
  readonly domain: string;
  /** From the resolved service alone: what the TXT record names could be anybody's (CVE-2026-26327). */
  readonly wsUrl?: string | undefined;
}

/** Reads what was found; undefined when it has no port that could be connected to. */
export function readBeacon(found: Found): Beacon | undefined {
  const { port, domain } = found;
  if (portOf(String(port)) === undefined) return undefined;
  const txt = readTxt(found.txt);
  const host = hostOf(found.target);
  const gatewayTls = txt["gatewayTls"] === undefined ? undefined : /^(?:1|true|yes)$/i.test(txt["gatewayTls"]);
  const urlHost = urlHostOf(found, host);
  return {
    instanceName: visible(found.instance, maxName),
    displayName: txt["displayName"],
    host,
    port,
    txt,
    lanHost: hostOf(txt["lanHost"]),
    tailnetDns: hostOf(txt["tailnetDns"]),
    cliPath: txt["cliPath"],
    gatewayPort: portOf(txt["gatewayPort"]),
    sshPort: portOf(txt["sshPort"]),
    gatewayTls,
    gatewayTlsFingerprintSha256: fingerprintOf(txt["gatewayTlsSha256"]),
    role: txt["role"],
    transport: txt["transport"],
    domain,
    wsUrl: urlHost === undefined ? undefined : `${gatewayTls ? "wss" : "ws"}://${urlHost}:${port}`,
  };
}

/**
 * Each gateway once: it is found by two service types, over IPv4 and IPv6, and in two domains. Records are kept whole,
 * never mixed. Where a gateway is in two domains the one of the DNS server stays: in the local network anybody may say
 * that he is that gateway.
 */
export function mergeBeacons(beacons: readonly Beacon[]): readonly Beacon[] {
  const merged = new Map<string, Beacon>();
  for (const beacon of beacons) {
    const key = identity(beacon);
    const known = merged.get(key);
    if (!known || (known.domain === "local." && beacon.domain !== "local.")) merged.set(key, beacon);
  }
  return [...merged.values()].slice(0, maxBeacons).toSorted((a, b) => compare(sortKey(a), sortKey(b)));
}

/** What a person knows it by, and what tells it from another gateway of that machine. */
function identity({ domain, instanceName, displayName, host, port }: Beacon): string {
  // A zone's labels are plain, and its display name is the instance's name in the local network.
  const name = domain === "local." ? instanceName : (displayName ?? instanceName);
  return JSON.stringify([name.toLowerCase(), host?.split(".")[0]?.toLowerCase(), port]);
}

function sortKey({ displayName, instanceName, domain, host, port }: Beacon): string {
  return [displayName ?? instanceName, domain, host, String(port).padStart(5, "0")].join("\0");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const maxBeacons = 256;
const maxKeys = 32;
const maxName = 63;
const maxAddresses = 32;
/** What nobody can dial by the address alone: a link-local one says nothing without the interface. */
const nowhere = ["0.0.0.0/8", "224.0.0.0/3", "::", "fe80::/10", "ff00::/8"];
/** What fits into a string of a TXT record. */
const maxValue = 255;

function readTxt(txt: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(txt)
      .filter(([key]) => /^[!-<>-~]{1,64}$/.test(key))
      .slice(0, maxKeys)
      .map(([key, value]) => [key, visible(value, maxValue)] as const)
      .filter(([, value]) => value !== ""),
  );
}

/** Without characters that steer a terminal or turn the direction of writing. */
function visible(text: string, limit: number): string {
  return text
    .replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, " ")
    .trim()
    .slice(0, limit);
}

/** A name that a resolver may be asked for; addresses are none, nor is anything with a path, user or port in it. */
function hostOf(text: string | undefined): string | undefined {
  const name = text?.replace(/\.$/, "") ?? "";
  const labels = name.split(".");
  const valid = name.length <= 253 && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return valid && !/^\d+$/.test(labels.at(-1) ?? "") ? name : undefined;
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** Any hex: the example of the command's own documentation is not a whole SHA-256 either. */
function fingerprintOf(text: string | undefined): string | undefined {
  const hex = text?.replaceAll(":", "").toLowerCase() ?? "";
  return /^[0-9a-f]{2,128}$/.test(hex) ? hex : undefined;
}

/**
 * The host of the URL: in the local network an address, because few systems ask multicast for a name; elsewhere the name,
 * for which a certificate may stand.
 */
function urlHostOf({ domain, addresses }: Found, host: string | undefined): string | undefined {
  const known = addresses.slice(0, maxAddresses).map(parseIp);
  const usable = known.filter((ip) => ip !== undefined).filter((ip) => !nowhere.some((each) => inNetwork(ip, each)));
  const own = (ip: Ip): boolean => inNetwork(ip, "127.0.0.0/8") || inNetwork(ip, "::1");
  const best = usable.toSorted((a, b) => Number(own(a)) - Number(own(b)) || a.family - b.family)[0];
  const literal = best && (best.family === 6 ? `[${formatIp(best)}]` : formatIp(best));
  return domain === "local." ? (literal ?? host) : (host ?? literal);
}
