import { textAt } from "../cli/pick.ts";
import type { Capability, Probed } from "./probe-look.ts";
import type { Surroundings } from "./probe-nearby.ts";

/** Everything that was found out. */
export interface Report {
  readonly ts: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
  readonly network: {
    readonly localLoopbackUrl: string;
    readonly localTailnetUrl: string | null;
    readonly tailnetIPv4: string | null;
  };
  readonly discovery: Surroundings;
  readonly targets: readonly Probed[];
  readonly warnings: readonly Warning[];
}

export interface Warning {
  readonly code: "ssh_tunnel_failed" | "multiple_gateways" | "probe_scope_limited";
  readonly message: string;
  readonly targetIds?: readonly string[];
}

/** What a person should know of the answers as a whole. */
export function warningsOf(targets: readonly Probed[]): readonly Warning[] {
  const up = targets.filter(({ connect }) => connect.ok);
  const limited = up.filter(({ connect }) => !connect.rpcOk);
  return [
    ...several(up),
    ...limited.map(({ candidate, connect }) => ({
      code: "probe_scope_limited" as const,
      message: `${candidate.label} answers, but not every question: ${connect.error ?? "no reason"}`,
      targetIds: [candidate.id],
    })),
  ];
}

/** The report for programs: the keys of cli.md 6.4 and more. */
export function reportJson({ targets, warnings, discovery, ...rest }: Report): unknown {
  const reachable = targets.filter(({ connect }) => connect.ok);
  const primary = reachable[0]?.candidate.id ?? null;
  const active = primary ?? targets[0]?.candidate.id;
  return {
    ok: reachable.length > 0,
    degraded: reachable.some(({ connect }) => !connect.rpcOk),
    capability: best(targets),
    ...rest,
    primaryTargetId: primary,
    warnings,
    discovery: discoveryJson(discovery),
    targets: targets.map((each) => targetJson(each, each.candidate.id === active)),
  };
}

/** One gateway may answer at several addresses: it is known by what it calls its boot. */
function several(up: readonly Probed[]): readonly Warning[] {
  const boots = new Map(up.map((each) => [each.server?.bootId ?? each.target.url, each] as const));
  if (boots.size < 2) return [];
  const which = up.map(({ candidate: { label, instance }, target: { url } }) => {
    const facts =
      instance &&
      ` (${instance.profile === "" ? "default profile" : `profile ${instance.profile}`}, PID ${instance.pid}, ${instance.stateDir})`;
    return `${label} ${url}${facts ?? ""}`;
  });
  return [
    {
      code: "multiple_gateways",
      message: `Several gateways answer: ${which.join("; ")}. Keep only one unless they are separate on purpose (a rescue bot).`,
      targetIds: up.map(({ candidate }) => candidate.id),
    },
  ];
}

const ranks: readonly Capability[] = [
  "admin_capable",
  "write_capable",
  "read_only",
  "connected_no_operator_scope",
  "pairing_pending",
];

function best(targets: readonly Probed[]): Capability {
  return ranks.find((rank) => targets.some(({ auth }) => auth.capability === rank)) ?? "unknown";
}

function discoveryJson({ timeoutMs, domains, reached, troubles }: Surroundings): unknown {
  return {
    timeoutMs,
    count: reached.length,
    domains,
    ...(troubles.length > 0 ? { troubles } : {}),
    beacons: reached.map(({ beacon, reachable, latencyMs }) => {
      const { instanceName, displayName, domain, host, lanHost, tailnetDns, gatewayPort, sshPort, wsUrl } = beacon;
      const names = { instanceName, displayName, domain, host, lanHost, tailnetDns };
      return { ...names, gatewayPort, sshPort, wsUrl, reachable, latencyMs };
    }),
  };
}

function targetJson(probed: Probed, active: boolean): unknown {
  const { candidate, target, connect, trouble, auth, health, summary, presence, config, server } = probed;
  const { id, kind, label, tunnel, instance } = candidate;
  return {
    id,
    kind,
    label,
    url: target.url,
    active,
    tunnel: tunnel
      ? {
          kind: "ssh",
          target: tunnel.target,
          localPort: tunnel.localPort,
          remotePort: tunnel.remotePort,
          pid: tunnel.pid,
        }
      : null,
    connect,
    trouble,
    auth,
    self: selfOf(probed),
    ...(instance ? { process: instance } : {}),
    config,
    health,
    summary,
    presence,
    server,
  };
}

function selfOf({ presence, server }: Probed): unknown {
  if (!server) return null;
  const own = presence?.[0];
  return {
    host: textAt(own, "host") ?? null,
    ip: textAt(own, "ip") ?? null,
    version: server.version ?? null,
    platform: textAt(own, "platform") ?? null,
  };
}
