import type { Beacon } from "../discovery/read-beacon.ts";
import type { Style } from "./output.ts";

export interface Discovered {
  readonly timeoutMs: number;
  /** The domains that were looked through. */
  readonly domains: readonly string[];
  readonly beacons: readonly Beacon[];
}

/** The list of gateways for a person (cli.md 6.3). */
export function beaconLines({ domains, beacons }: Discovered, style: Style): readonly string[] {
  return [
    style.bold("Gateway Discovery"),
    `Found ${beacons.length} gateway(s) · domains: ${domains.join(", ")}`,
    ...beacons.flatMap((beacon) => oneBeacon(beacon, style)),
  ];
}

/** The document of `--json`. */
export function beaconData({ timeoutMs, domains, beacons }: Discovered): unknown {
  return { timeoutMs, domains, count: beacons.length, beacons };
}

function oneBeacon(beacon: Beacon, style: Style): readonly string[] {
  const { displayName, instanceName, domain, wsUrl } = beacon;
  const facts = [
    ["tailnet", beacon.tailnetDns],
    ["lan", beacon.lanHost],
    ["host", beacon.host],
    ["ws", wsUrl],
    ["role", beacon.role],
    ["transport", beacon.transport],
    ["tls", tlsOf(beacon)],
    ["ssh", tunnelOf(beacon)],
  ] as const;
  return [
    `- ${style.cyan(displayName ?? instanceName)} ${style.dim(domain)}`,
    ...facts.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name}: ${value}`),
  ];
}

function tlsOf({ gatewayTls, gatewayTlsFingerprintSha256: sha256 }: Beacon): string | undefined {
  if (!gatewayTls) return undefined;
  return sha256 === undefined ? "yes" : `sha256 ${sha256}`;
}

/** The names of the TXT record are good enough to suggest: ssh knows its hosts by their keys. */
function tunnelOf({ tailnetDns, lanHost, host, port, sshPort }: Beacon): string | undefined {
  const name = tailnetDns ?? lanHost ?? host;
  if (sshPort === undefined || name === undefined) return undefined;
  return `ssh -N -L ${port}:127.0.0.1:${port} <user>@${name} -p ${sshPort}`;
}
