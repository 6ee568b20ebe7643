import type { NetInterface } from "../host/host.ts";

/** The loopback addresses to listen on: `::1` too where the machine has one, because `localhost` may mean either. */
export function loopbackAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return interfaces.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

/** IPv4 addresses that other machines of the local network may use; neither link-local nor Tailscale's. */
export function lanAddresses(interfaces: readonly NetInterface[]): readonly string[] {
  return [
    ...new Set(
      interfaces
        .filter(({ family, internal }) => family === 4 && !internal)
        .filter(({ address }) => !address.startsWith("169.254.") && !inTailnet(address))
        .map(({ address }) => address),
    ),
  ];
}

/** This machine's Tailscale address: the first in 100.64.0.0/10 (RFC 6598, which Tailscale uses). */
export function tailnetAddress(interfaces: readonly NetInterface[]): string | undefined {
  return interfaces.find(({ family, address }) => family === 4 && inTailnet(address))?.address;
}

/** Whether somebody on another machine could reach a listener on this address. */
export function beyondLoopback(address: string): boolean {
  return address !== "::1" && !address.startsWith("127.");
}

/** An address as the host of a URL. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function inTailnet(address: string): boolean {
  const [first, second] = address.split(".").map(Number);
  return first === 100 && second !== undefined && second >= 64 && second < 128;
}
