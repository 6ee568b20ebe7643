import type { NetInterface } from "../host/host.ts";
import { formatIp, inNetwork, parseIp } from "../kit/ip.ts";

/** Listening on these means listening on every address of the family (the adapters keep `::` to IPv6). */
export const everyIpv4 = "0.0.0.0";
export const everyIpv6 = "::";

/** The loopback addresses to listen on: `::1` too where the machine has one, because `localhost` may mean either. */
export function loopbackAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return interfaces.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

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
  return lies(address, tailnet);
}

/** Whether somebody on another machine could reach a listener on this address. */
export function beyondLoopback(address: string): boolean {
  return address !== "::1" && !address.startsWith("127.");
}

/**
 * The addresses to tell a person: `known` in place of those that stand for every one of a family. `::` with nothing of
 * IPv4 beside it stands for both.
 */
export function nameable(addresses: readonly string[], known: readonly string[]): readonly string[] {
  const both = addresses.every((address) => address.includes(":"));
  const named = addresses.flatMap((address) => {
    if (address !== everyIpv4 && address !== everyIpv6) return [address];
    const ofFamily = both ? known : known.filter((each) => each.includes(":") === (address === everyIpv6));
    return ofFamily.length > 0 ? ofFamily : [address];
  });
  return [...new Set(named)];
}

/** An address as the host of a URL. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

const tailnet6 = "fd7a:115c:a1e0::/48";
const tailnet = ["100.64.0.0/10", tailnet6];
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
