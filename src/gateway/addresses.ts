import type { NetInterface } from "../host/host.ts";

/** Listening on these means listening on every address of the family (the adapters keep `::` to IPv6). */
export const everyIpv4 = "0.0.0.0";
export const everyIpv6 = "::";

/** The loopback addresses to listen on: `::1` too where the machine has one, because `localhost` may mean either. */
export function loopbackAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return interfaces.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
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
