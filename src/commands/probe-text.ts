import { clean } from "../cli/layout.ts";
import type { Style } from "../cli/output.ts";
import { at, textAt } from "../cli/pick.ts";
import type { Capability, Probed } from "./probe-look.ts";
import type { Reached, Surroundings } from "./probe-nearby.ts";
import type { Report } from "./probe-report.ts";

/** The report for people (cli.md 6.4). */
export function reportText(report: Report, style: Style, program: string): readonly string[] {
  const { targets, warnings, timeoutMs, discovery } = report;
  const reachable = targets.some(({ connect }) => connect.ok);
  return [
    style.bold("Gateway Status"),
    `Reachable: ${reachable ? style.green("yes") : style.red("no")}`,
    `Probe budget: ${timeoutMs}ms`,
    ...(warnings.length > 0
      ? ["", style.yellow("Warning:"), ...warnings.map(({ message }) => `- ${clean(message)}`)]
      : []),
    "",
    style.bold("Discovery (this machine)"),
    ...discoveryText(discovery, style, program),
    "",
    style.bold("Targets"),
    ...targets.flatMap((each) => targetText(each, style)),
  ];
}

function discoveryText({ reached, domains, troubles }: Surroundings, style: Style, program: string): readonly string[] {
  const [first] = reached.flatMap(({ beacon }) => beacon.wsUrl ?? []);
  return [
    `Found ${reached.length} gateway(s) · domains: ${domains.join(", ")}`,
    ...troubles.map((trouble) => clean(trouble)),
    ...reached.map((each) => beaconText(each, style)),
    ...(first === undefined
      ? []
      : [
          `Tip: these are hints and were sent nothing. Try one: ${program} gateway probe --url ${first} --token <token>`,
        ]),
  ];
}

function beaconText({ beacon, reachable, latencyMs }: Reached, style: Style): string {
  const { displayName, instanceName, domain, wsUrl } = beacon;
  const answer = reachable === null ? "not tried" : reachable ? `port open (${latencyMs}ms)` : "port closed";
  return `- ${style.cyan(clean(displayName ?? instanceName))} ${style.dim(domain)} ${wsUrl ?? "address unknown"} · ${answer}`;
}

function targetText(probed: Probed, style: Style): readonly string[] {
  const { candidate, target, connect, trouble, auth, server, presence, config } = probed;
  const head = `${style.cyan(candidate.label)} ${target.url}${tunnelText(probed)}`;
  if (!connect.ok)
    return [
      head,
      `  Connect: ${style.red("failed")} - ${clean(connect.error ?? "no reason")}`,
      ...(trouble?.advice ?? []).map((line) => `  ${clean(line)}`),
    ];
  const own = presence?.[0];
  const machine = [textAt(own, "host"), textAt(own, "platform")].filter(Boolean).join(" · ");
  const gateway = at(config, "gateway");
  const settings = [
    ["bind", textAt(gateway, "bind")],
    ["auth", textAt(gateway, "authMode")],
  ].filter(([, value]) => value);
  const rpc = connect.rpcOk ? style.green("ok") : style.yellow("limited");
  return [
    head,
    `  Connect: ${style.green("ok")} (${connect.latencyMs}ms) · RPC: ${rpc}`,
    `  Capability: ${capabilities[auth.capability]}`,
    `  Gateway: ${[machine, `app ${server?.version ?? "unknown"}`].filter(Boolean).join(" · ")}`,
    ...(settings.length > 0 ? [`  Config: ${settings.map(([key, value]) => `${key}=${value}`).join(", ")}`] : []),
  ];
}

function tunnelText({ candidate: { tunnel } }: Probed): string {
  return tunnel ? ` → ${tunnel.target}, port ${tunnel.remotePort}` : "";
}

const capabilities: Readonly<Record<Capability, string>> = {
  admin_capable: "admin",
  write_capable: "write",
  read_only: "read",
  connected_no_operator_scope: "none",
  pairing_pending: "none until it is paired",
  unknown: "unknown",
};
