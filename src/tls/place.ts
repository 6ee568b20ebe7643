import type { Host } from "../host/host.ts";
import { absolute, join } from "../host/paths.ts";

/** The `gateway.tls` section, as far as it says where the files are. */
export interface TlsPaths {
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
}

/** Where the certificate and its key are. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Nobody named a place, so they are where the gateway makes its own. */
  readonly usual: boolean;
}

/** The files that `gateway.tls` names, or else `gateway/tls/` of the state folder (cli.md 2.4). */
export function tlsFiles(host: Pick<Host, "home" | "cwd">, state: string, named: TlsPaths): TlsFiles {
  const { certPath, keyPath } = named;
  return {
    cert: certPath === undefined ? join(tlsFolder(state), "gateway-cert.pem") : absolute(host, certPath),
    key: keyPath === undefined ? join(tlsFolder(state), "gateway-key.pem") : absolute(host, keyPath),
    usual: certPath === undefined && keyPath === undefined,
  };
}

/** What the commands of this machine show to a gateway that asks its clients for a certificate. */
export function localClientFile(state: string): string {
  return join(tlsFolder(state), "local-client.pem");
}

/** The folder for what the gateway makes itself. */
export function tlsFolder(state: string): string {
  return join(state, "gateway", "tls");
}
