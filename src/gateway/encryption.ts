import type { Config } from "../config/schema.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { Tls } from "../tls/load.ts";

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
  return loadTls(host, { settings, state: paths.state, keep });
}
