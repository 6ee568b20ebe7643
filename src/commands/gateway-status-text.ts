import type { ConfigState } from "../cli/gateway-plan.ts";
import { box, clean } from "../cli/layout.ts";
import { tildify } from "../host/paths.ts";
import { spellFingerprint } from "../kit/fingerprint.ts";
import { shownCommand, shownEnvironment } from "../service/command-line.ts";
import type { ServiceRuntime } from "../service/service.ts";
import type { Seen, StatusContext } from "./gateway-status.ts";

/** The report for people: the two boxes of the seeds, then every fact (cli.md 1.9, 3.5). */
export function statusText(context: StatusContext, seen: Seen): readonly string[] {
  const { style } = context.output;
  const { rpc } = seen;
  const service = [
    `Service: ${serviceText(seen)}`,
    `Runtime: ${runtimeText(seen)}`,
    `Port: ${seen.port.port}`,
    `Last gateway error: ${seen.lastError ?? "none"}`,
  ];
  const answer = rpc && [
    `Target: ${rpc.url}`,
    `Status: ${rpc.ok ? `${style.green("✓")} connected` : `${style.red("✗")} failed`}`,
    ...(rpc.latencyMs === undefined ? [] : [`Latency: ${rpc.latencyMs}ms`]),
  ];
  return [
    style.bold("Gateway service status"),
    box(service),
    "",
    ...(answer ? [style.bold("RPC probe"), box(answer), ""] : []),
    ...serviceFacts(context, seen),
    "",
    ...configFacts(context, seen),
    "",
    ...gatewayFacts(seen),
    "",
    ...portFacts(seen),
  ];
}

function serviceText({ service: { manager, installed, state, scope } }: Seen): string {
  if (!manager || (!installed && !state?.loaded)) return "not installed";
  const { label, loaded, notLoaded } = manager.words;
  const word = state ? (state.loaded ? loaded : notLoaded) : "state unknown";
  return `${label} (${word}${scope === "system" ? ", system" : ""})`;
}

function runtimeText({ runtime, service }: Seen): string {
  const { status, pid } = runtime;
  if (status === "running") return `running (PID ${pid ?? "unknown"})`;
  // A service that is ready to start and does not run is "inactive" to people who look for that word (SC-060).
  const word = status === "stopped" && service.installed && service.state?.loaded ? "inactive" : status;
  const details = runtimeDetails(runtime);
  return details.length === 0 ? word : `${word} (${details.join(", ")})`;
}

function runtimeDetails(runtime: ServiceRuntime): readonly string[] {
  const { state, subState, lastExitStatus, lastExitReason, lastRunTime, lastRunResult, detail } = runtime;
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ["state ", state],
    ["sub ", subState],
    ["last exit ", lastExitStatus],
    ["reason ", lastExitReason],
    ["last run time ", lastRunTime],
    ["last run ", lastRunResult],
    ["", detail],
  ];
  return named.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`${name}${clean(String(value))}`],
  );
}

function serviceFacts({ host }: StatusContext, { plan, runtime, service }: Seen): readonly string[] {
  const { installed, state, unavailable } = service;
  const details = runtime.status === "running" ? runtimeDetails(runtime) : [];
  const variables = Object.entries(shownEnvironment(installed?.environment ?? {})).filter(
    ([name]) => !/^(HOME|PATH)$|_SERVICE_/.test(name),
  );
  const restarts = (installed && state?.runtime.restarts) ?? 0;
  return [
    `Log file: ${tildify(host, plan.paths.log)}`,
    ...(installed ? [`Command: ${clean(shownCommand(installed.program))}`] : []),
    ...(installed ? [`Service file: ${clean(tildify(host, installed.path))}`] : []),
    ...(variables.length > 0
      ? [`Service env: ${variables.map(([name, value]) => `${name}=${clean(value)}`).join(" ")}`]
      : []),
    ...(details.length > 0 ? [`Service state: ${details.join(", ")}`] : []),
    ...(restarts > 0 ? [`Restarts: ${restarts}, by the system itself`] : []),
    ...(unavailable === undefined ? [] : [`No service manager here: ${clean(unavailable)}`]),
  ];
}

function configFacts({ host }: StatusContext, { here, there }: Seen): readonly string[] {
  const text = ({ path, exists, valid }: ConfigState): string =>
    `${clean(tildify(host, path))}${exists ? (valid ? "" : " (invalid)") : " (missing)"}`;
  return [`Config (cli): ${text(here.config)}`, ...(there ? [`Config (service): ${text(there.config)}`] : [])];
}

function gatewayFacts(seen: Seen): readonly string[] {
  const { plan, rpc } = seen;
  const { bind, bindHost, port, portSource, dashboard, note } = plan;
  return [
    `Gateway: bind=${clean(bind)}${bindHost === undefined ? "" : ` (${bindHost})`}, port=${port} (${portSource})`,
    `Probe target: ${rpc?.url ?? plan.target.url}`,
    ...(dashboard === undefined ? [] : [`Dashboard: ${dashboard}`]),
    ...(plan.target.fingerprint === undefined
      ? []
      : [`TLS certificate: sha256 ${spellFingerprint(plan.target.fingerprint)}`]),
    ...tailscaleFacts(seen),
    `Probe note: ${clean(note)}`,
    ...(rpc?.version === undefined ? [] : [`Version: ${rpc.version}`]),
  ];
}

/** What is configured, and what the gateway makes of it. */
function tailscaleFacts({ plan: { tailscale }, rpc }: Seen): readonly string[] {
  const { url, reason } = rpc?.tailscale ?? {};
  if (url !== undefined) return [`Tailscale: ${clean(tailscale)}, ✓ ${url}`];
  if (tailscale === "off" && reason === undefined) return [];
  return [`Tailscale: ${clean(tailscale)}${reason === undefined ? "" : `, ✗ ${reason}`}`];
}

function portFacts({ port, others, service }: Seen): readonly string[] {
  const owners = port.listeners.map(
    ({ pid, command, address }) => `${address ?? port.port} (${clean(command)}, PID ${pid})`,
  );
  const nobody = port.status === "busy" ? "yes, owner unknown" : "nobody";
  return [
    `Listening: ${owners.length > 0 ? owners.join(", ") : nobody}`,
    ...others.map(({ label, detail }) => `Other gateway: ${clean(label)}: ${clean(detail)}`),
    ...service.foreign.map(({ label, detail, scope }) => `Other service: ${clean(label)} (${scope}, ${clean(detail)})`),
  ];
}
