import type { Config } from "../config/schema.ts";
import { inPrivateNetwork, isPrivate } from "../discovery/private-network.ts";
import type { NetInterface } from "../host/host.ts";
import { beyondLoopback, everyIpv4, everyIpv6 } from "./addresses.ts";

export interface AnnouncingFacts {
  readonly mdns: Config["discovery"]["mdns"];
  /** `*_DISABLE_BONJOUR`. */
  readonly disabled: string | undefined;
  /** Where the gateway listens. */
  readonly addresses: readonly string[];
  /** Where that is `::`, it is every IPv4 address too. */
  readonly dualStack?: boolean | undefined;
}

/** What is announced on the local network, and where. */
export interface AnnouncingPlan {
  readonly mode: "minimal" | "full";
  /** Whether other machines there can connect as they are. */
  readonly reachable: boolean;
  /** Whether this address is announced on its interface, among all that there are. */
  uses(each: NetInterface, all: readonly NetInterface[]): boolean;
}

/**
 * Decides whether the gateway announces itself; undefined when it does not. Left to itself it does where other machines
 * can connect: a beacon of what nobody can reach is noise. Asked for by hand it announces what listens on loopback too,
 * for those who come through SSH.
 */
export function planAnnouncing(facts: AnnouncingFacts): AnnouncingPlan | undefined {
  const { mdns, disabled, addresses, dualStack } = facts;
  const { mode, publicNetworks } = mdns;
  if (mode === "off" || /^(?:1|true|yes|on)$/i.test(disabled ?? "")) return undefined;
  const reachable = addresses.some(
    (address) => beyondLoopback(address) && (isEvery(address) || publicNetworks || isPrivate(address)),
  );
  const byHand = mode !== undefined || /^(?:0|false|no|off)$/i.test(disabled ?? "");
  if (!reachable && !byHand) return undefined;
  const listens = ({ address, family }: NetInterface): boolean =>
    addresses.includes(address) ||
    addresses.includes(family === 4 ? everyIpv4 : everyIpv6) ||
    (dualStack === true && addresses.includes(everyIpv6));
  return {
    mode: mode ?? "minimal",
    reachable,
    uses: (each, all) =>
      !each.internal && (publicNetworks || inPrivateNetwork(each, all)) && (!reachable || listens(each)),
  };
}

function isEvery(address: string): boolean {
  return address === everyIpv4 || address === everyIpv6;
}
