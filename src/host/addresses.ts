import { formatIp, inNetwork, parseIp } from "../kit/ip.ts";
import type { NetInterface } from "./host.ts";

/** Addresses that other machines of the local network may use, IPv4 first; neither link-local nor Tailscale's. */
export function lanAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return dialable(interfaces).filter((address) => !inTailnet(address));
}

/** Every address that another machine may dial: those of the local network, then Tailscale's. */
export function reachableAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return [...lanAddresses(interfaces), ...dialable(interfaces).filter(inTailnet)];
}

/**
 * This machine's Tailscale addresses, IPv4 first. Its IPv4 network is also that of providers who share addresses among
 * customers (RFC 6598): where an interface looks like Tailscale's, only that one counts.
 */
export function tailnetAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  const own = new Set(
    interfaces
      .filter(({ name, address }) => /tailscale/i.test(name) || lies(address, [tailnet6]))
      .map(({ name }) => name),
  );
  const candidates = interfaces.filter(({ address }) => inTailnet(address));
  const sure = candidates.filter(({ name }) => own.has(name));
  return dialable(sure.length > 0 ? sure : candidates);
}

/** Whether an address is one of Tailscale's. */
export function inTailnet(address: string): boolean {
  return lies(address, ["100.64.0.0/10", tailnet6]);
}

/** Where every tailnet has its IPv6 addresses. */
export const tailnet6 = "fd7a:115c:a1e0::/48";

/** What no other machine can dial by the address alone: unspecified, loopback, link-local, multicast. */
const undialable = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10", "ff00::/8"];

/** Each once: an interface may be listed twice while it changes, and two may share an address. */
function dialable(interfaces: readonly NetInterface[]): readonly string[] {
  const addresses = interfaces
    .filter(({ internal }) => !internal)
    .flatMap(({ address }) => parseIp(address) ?? [])
    .filter((ip) => !undialable.some((network) => inNetwork(ip, network)))
    .toSorted((a, b) => a.family - b.family);
  return [...new Set(addresses.map(formatIp))];
}

/** In no network lies what is no address. */
function lies(address: string, networks: readonly string[]): boolean {
  const ip = parseIp(address);
  return ip !== undefined && networks.some((network) => inNetwork(ip, network));
}
