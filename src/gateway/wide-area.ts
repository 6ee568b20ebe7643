import type { Config } from "../config/schema.ts";
import { serviceTypes, wideAreaTxt, type BeaconFacts } from "../discovery/beacon.ts";
import { wideAreaDomain } from "../discovery/domain.ts";
import { writeZone, zonePath } from "../discovery/zone-file.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { Logger } from "../kit/log.ts";
import { tailnetAddresses } from "../host/addresses.ts";

export interface WideAreaOptions {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Pick<Paths, "state">;
  readonly settings: Config["discovery"]["wideArea"];
  readonly log: Logger;
}

/** Keeps the zone file of the configured domain as the gateway is now (cli.md 6.2); nothing where none is configured. */
export async function updateZone(options: WideAreaOptions, facts: BeaconFacts): Promise<void> {
  const { host, flavour, paths, settings, log } = options;
  const domain = wideAreaDomain(host, flavour, settings);
  if (domain === undefined) return;
  const addresses = tailnetAddresses(host.net.interfaces());
  const address = addresses.find((each) => !each.includes(":"));
  if (address === undefined)
    return log.warn(
      "discovery.wideArea.enabled is true, but no Tailscale IPv4 address was found; skipping unicast DNS-SD zone update",
    );
  const path = zonePath(paths.state, domain);
  const { hostname, port } = facts;
  const outcome = await writeZone(host, path, {
    product: flavour.id,
    domain,
    address,
    address6: addresses.find((each) => each.includes(":")),
    gateway: { types: serviceTypes(flavour), hostname, port, txt: wideAreaTxt(facts) },
  });
  log.info(`wide-area DNS-SD ${outcome} (${domain} → ${path})`);
}
