import type { NetInterface } from "../host/host.ts";
import { tailnet6 } from "../host/addresses.ts";
import { inNetwork, parseIp } from "../kit/ip.ts";

/**
 * Whether multicast on this address stays in a private network: the address is private, and so is its interface. A
 * network card with a public address is in a public network, whatever else it has: each has an `fe80::` of its own.
 */
export function inPrivateNetwork({ name, address, internal }: NetInterface, all: readonly NetInterface[]): boolean {
  if (internal || !isPrivate(address)) return false;
  const addresses = all.filter((each) => each.name === name).map((each) => each.address);
  const four = addresses.filter((each) => !each.includes(":"));
  if (four.length > 0) return four.every(isPrivate);
  // Without IPv4: a global address beside a unique local one is a home's, alone it may be a rented server's.
  return addresses.every(isPrivate) || addresses.some((each) => lies(each, ["fc00::/7"]));
}

/** Whether an address is of those that routers of the internet do not pass on. A tailnet carries no multicast. */
export function isPrivate(address: string): boolean {
  return lies(address, privateNetworks) && !lies(address, [tailnet6]);
}

/** RFC 1918, RFC 3927, RFC 4193, RFC 4291 2.5.6. */
const privateNetworks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];

function lies(address: string, networks: readonly string[]): boolean {
  const ip = parseIp(address);
  return ip !== undefined && networks.some((network) => inNetwork(ip, network));
}
