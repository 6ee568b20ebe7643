import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import { createTailscale, tailnetNames } from "../tailscale/tailscale.ts";
import type { Tls } from "../tls/load.ts";
import { tailnetAddresses } from "../host/addresses.ts";

/**
 * What to serve TLS with by `gateway.tls`; undefined where it is off. With `keep`, a certificate that is made stays on
 * the disk. Throws a Failure `config` when it cannot be served as it is configured.
 */
export async function loadEncryption(
  { host, paths }: { readonly host: Host; readonly paths: Pick<Paths, "state"> },
  settings: Config["gateway"]["tls"],
  { keep }: { readonly keep: boolean },
): Promise<Tls | undefined> {
  if (!settings.enabled) return undefined;
  const { loadTls } = await import("../tls/load.ts");
  return loadTls(host, { settings, state: paths.state, keep, names: () => tailnetName(host) });
}

/** What Tailscale calls this machine, in a list; without an address in a tailnet it is not asked. */
async function tailnetName(host: Host): Promise<readonly string[]> {
  if (tailnetAddresses(host.net.interfaces()).length === 0) return [];
  const { dnsName } = (await tailnetNames(createTailscale(host))) ?? {};
  return dnsName === undefined ? [] : [dnsName];
}
