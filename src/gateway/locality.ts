import { formatIp, inNetwork, networkOf, parseIp } from "../kit/ip.ts";
import { inTailnet } from "../host/addresses.ts";
import { forwardedClients } from "./forwarded.ts";

/** Where a request comes from, after what proxies say has been believed or not (protocol.md 4.4, threat J). */
export interface Locality {
  /** The client's address: the peer's, or the one that a trusted proxy forwards. IPv4-mapped forms normalised. */
  readonly address: string;
  /** A direct connection from this machine: loopback peer and no forwarding header. */
  readonly local: boolean;
  /** Who forwards for the client: a trusted proxy, or Tailscale Serve or Funnel on this machine. */
  readonly via: "proxy" | "tailscale" | undefined;
  /** Forwarding headers from a peer that nobody trusts, or that name two clients: nothing may be opened for it. */
  readonly forged: boolean;
}

/** Whose forwarding headers are believed. */
export interface Trust {
  /** Addresses and networks: `gateway.trustedProxies`. */
  readonly proxies: readonly string[];
  /** What Tailscale on this machine forwards: nothing, its own network, or the internet. */
  readonly tailscale: "off" | "serve" | "funnel";
}

const forwarding = /^(forwarded|x-forwarded-.+|x-real-ip)$/;

export function locate(headers: Headers, peer: string, trust: Trust): Locality {
  const address = normaliseAddress(peer);
  const direct = ![...headers.keys()].some((name) => forwarding.test(name));
  if (direct) return { address, local: isLoopback(address), via: undefined, forged: false };
  const published = isLoopback(address) ? publishedTo(headers, trust.tailscale) : undefined;
  if (published) return { address: published, local: false, via: "tailscale", forged: false };
  const named = isIn(address, trust.proxies) ? forwardedFor(headers, trust.proxies) : undefined;
  if (!named) return { address, local: false, via: undefined, forged: true };
  return { address: named.client ?? address, local: false, via: "proxy", forged: false };
}

/**
 * For whom Tailscale on this machine forwards. It replaces what a client wrote into these headers (threat J); that
 * nobody else on this machine wrote them is not known, so they make nobody more than a remote client.
 */
function publishedTo(headers: Headers, published: Trust["tailscale"]): string | undefined {
  if (published === "off" || !headers.has("x-forwarded-proto") || !headers.has("x-forwarded-host")) return undefined;
  const ip = parseIp(headers.get("x-forwarded-for") ?? "");
  const client = ip && formatIp(ip);
  return client !== undefined && (published === "funnel" || inTailnet(client)) ? client : undefined;
}

/**
 * The client, when the headers name one; undefined when they name several. Every proxy adds to some header and lets
 * others pass as the client wrote them: of two that disagree one is a forgery, and nobody can tell which.
 */
function forwardedFor(headers: Headers, proxies: readonly string[]): { client?: string } | undefined {
  const chains = forwardedClients(headers);
  const outside = new Set(chains.flatMap((chain) => lastOutside(chain, proxies) ?? []));
  if (outside.size > 1) return undefined;
  const nearest = chains.flatMap((chain) => addressOf(chain.at(-1)) ?? [])[0];
  const [client = nearest] = outside;
  return client === undefined ? {} : { client };
}

/** The last address that is no trusted proxy's: what stands before it somebody chose who is not trusted. */
function lastOutside(chain: readonly string[], proxies: readonly string[]): string | undefined {
  const last = chain.findLast((each) => {
    const address = addressOf(each);
    return address === undefined || !isIn(address, proxies);
  });
  return addressOf(last);
}

function addressOf(text: string | undefined): string | undefined {
  const ip = parseIp(bare(text ?? ""));
  return ip && formatIp(ip);
}

/** An address in one spelling: no zone, no brackets, no port, IPv4-mapped IPv6 as IPv4 (threat I). */
export function normaliseAddress(address: string): string {
  return addressOf(address) ?? bare(address).toLowerCase();
}

/** What a limiter counts by: an IPv4 address, or the /64 that one IPv6 subscriber holds. */
export function limiterKey(address: string): string {
  if (isLoopback(address)) return "loopback";
  const ip = parseIp(address);
  return ip?.family === 6 ? `${formatIp(networkOf(ip, 64))}/64` : address;
}

export function isLoopback(address: string): boolean {
  return isIn(address, ["127.0.0.0/8", "::1"]);
}

/** Addresses that never leave the local network: RFC 1918, link-local, unique local, and Tailscale's 100.64.0.0/10. */
export function isPrivate(address: string): boolean {
  return isLoopback(address) || isIn(address, privateNetworks);
}

const privateNetworks = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "fe80::/10",
  "fc00::/7",
];

/** Without port and brackets; a port behind plain IPv6 cannot be told from the address. */
function bare(text: string): string {
  const trimmed = text.trim();
  return /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
}

function isIn(address: string, networks: readonly string[]): boolean {
  const ip = parseIp(address);
  return ip !== undefined && networks.some((network) => inNetwork(ip, network));
}
