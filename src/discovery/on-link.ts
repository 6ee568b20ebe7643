import type { NetInterface } from "../host/host.ts";
import { inNetwork, parseIp } from "../kit/ip.ts";

/**
 * Whether a sender is a neighbour on this interface: what comes from further away is not multicast DNS (RFC 6762 11).
 * `addresses` are the interface's own. Where the length of its network is not known, every sender counts as one.
 */
export function isOnLink(sender: string, addresses: readonly NetInterface[]): boolean {
  if (/^fe[89ab]/i.test(sender)) return true;
  const ip = parseIp(sender);
  return (
    ip !== undefined &&
    addresses.some(
      ({ address, family, prefix }) =>
        family === ip.family && (address === sender || prefix === undefined || inNetwork(ip, `${address}/${prefix}`)),
    )
  );
}
