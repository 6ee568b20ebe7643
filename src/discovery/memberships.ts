import type { NetInterface } from "../host/host.ts";

/** One membership for each interface and family, by the first of its addresses: when that goes, it has to be made anew. */
export function membershipsOf(interfaces: readonly NetInterface[]): ReadonlyMap<string, NetInterface> {
  const chosen = new Map<string, NetInterface>();
  for (const each of interfaces) {
    const known = [...chosen.values()].some(({ name, family }) => name === each.name && family === each.family);
    if (!known) chosen.set(`${each.name} ${each.address}`, each);
  }
  return chosen;
}
