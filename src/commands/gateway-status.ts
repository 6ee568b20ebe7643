import { planHere, planOfService, type GatewayPlan } from "../cli/gateway-plan.ts";
import { lastError, otherGateways, portState, type OtherGateway, type PortState } from "../cli/local-gateway.ts";
import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { open } from "../cli/reach.ts";
import { locateService, runtimeOf, viewService, type ServiceView } from "../cli/service-view.ts";
import { runningGateway, type Running } from "../cli/settings.ts";
import { isLoopback, resolveTarget, type Credentials, type Target } from "../client/target.ts";
import { isAbsolute } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { auditService, type AuditFinding } from "../service/audit.ts";
import { unitDrift, type Drift } from "../service/drift.ts";
import { serviceNames } from "../service/names.ts";
import { planService } from "../service/plan.ts";
import type { InstalledService, Scope, ServiceRuntime } from "../service/service.ts";
import { command, type CommandContext } from "./command.ts";
import { statusJson } from "./gateway-status-json.ts";
import { statusText } from "./gateway-status-text.ts";
import { troublesOf, type Trouble } from "./gateway-status-troubles.ts";

const options = {
  ...clientOptions,
  "no-probe": { description: "Do not connect to the gateway." },
  "require-rpc": { description: "Exit 1 when the gateway does not answer." },
  deep: { description: "Also look for gateways of other profiles, and services of the whole system." },
} as const;

/** What the command's parts are given of its context. */
export type StatusContext = CommandContext<typeof options>;

/** Shows the gateway's service, process and port, and whether it answers. It reports, so it exits 0 unless asked not to. */
export const gatewayStatus = command({
  path: ["gateway", "status"],
  summary: "Show the gateway's service, process and port, and whether it answers.",
  options,
  examples: [
    { command: "gateway status --no-probe", description: "Without connecting to it." },
    { command: "gateway status --deep", description: "Other gateways of this machine too." },
    { command: "gateway status --require-rpc", description: "For scripts: exit 1 when it does not answer." },
  ],
  async run(context) {
    const { output, options: flags } = context;
    if (flags["require-rpc"] && flags["no-probe"])
      throw new Failure("usage", "--require-rpc needs the probe that --no-probe leaves out; give one of them");
    const seen = await look(context);
    const troubles = troublesOf(context, seen);
    if (output.json) output.data(statusJson(context, seen, troubles));
    else {
      for (const line of statusText(context, seen)) output.print(line);
      for (const trouble of troubles) tell(context, trouble);
    }
    return flags["require-rpc"] && !seen.rpc?.ok ? exit.failed : exit.ok;
  },
});

/** Everything that was found out. */
export interface Seen {
  readonly service: ServiceView;
  readonly runtime: ServiceRuntime;
  readonly audit: readonly AuditFinding[];
  /** How it differs from the one that would be installed now. */
  readonly drift: readonly Drift[];
  /** What this command line would start. */
  readonly here: GatewayPlan;
  /** What the service starts; undefined when it is not installed. */
  readonly there: GatewayPlan | undefined;
  /** The one of both that this is about: the service's where there is one. */
  readonly plan: GatewayPlan;
  readonly running: Running | undefined;
  readonly port: PortState;
  readonly lastError: string | undefined;
  /** Undefined when nobody asked. */
  readonly rpc: Rpc | undefined;
  readonly others: readonly OtherGateway[];
}

/** What the gateway answered. */
export interface Rpc {
  readonly ok: boolean;
  readonly url: string;
  readonly latencyMs?: number;
  readonly error?: string;
  readonly version?: string;
  readonly safeMode?: SafeMode;
  readonly tailscale?: TailscalePart;
}

/** Where Tailscale leads to the gateway, or why nowhere. */
export interface TailscalePart {
  readonly url: string | undefined;
  readonly reason: string | undefined;
}

/** Why a gateway came up without its agent, channels and jobs. */
export interface SafeMode {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly failures: number | undefined;
}

/** Finds everything out, each question asked as soon as what it needs is known. */
async function look(context: StatusContext): Promise<Seen> {
  const { output, options: flags } = context;
  const { host, flavour, paths } = context;
  const names = serviceNames(host, flavour, paths);
  const locating = locateService(context, names);
  const viewing = locating.then((located) => viewService(context, names, { located, deep: flags.deep }));
  const others = flags.deep ? otherGateways(context) : [];
  const [here, { installed, scope }] = await Promise.all([planHere(context), locating]);
  const there = installed && (await planOfService(context, installed));
  const plan = there ?? here;
  const around = { ...context, paths: plan.paths };
  const probing = flags["no-probe"] ? undefined : probe(context, here, there);
  const [service, drift, running, port, error, missing] = await Promise.all([
    viewing,
    installed ? driftOf(context, { installed, scope, here }) : [],
    runningGateway(around),
    portState(context, plan.port),
    lastError(around),
    installed ? missingFiles(context, installed) : [],
  ]);
  const rpc = probing && (await output.progress("Probing the gateway", probing));
  const answers = rpc?.ok === true && isLoopback(rpc.url);
  return {
    service,
    runtime: runtimeOf(service, { running, answers }),
    audit: installed && service.manager ? auditService(installed, { kind: service.manager.kind, scope, missing }) : [],
    drift,
    here,
    there,
    plan,
    running,
    port,
    lastError: error,
    rpc,
    others: await others,
  };
}

async function driftOf(
  { host, flavour, paths }: StatusContext,
  { installed, scope, here }: { installed: InstalledService; scope: Scope; here: GatewayPlan },
): Promise<readonly Drift[]> {
  const { services } = host;
  if (!services) return [];
  const { settings } = here.facts;
  const user = /^User=(.+)$/m.exec(installed.files.find(({ path }) => path === installed.path)?.text ?? "")?.[1];
  try {
    const { DEFAULT_PORT: usualPort, drainMs } = await import("../gateway/defaults.ts");
    const options = { flavour, paths, manager: services, scope, configured: settings, user, usualPort, drainMs };
    const wanted = await planService(host, options);
    return unitDrift(installed, wanted);
  } catch (error) {
    // A program that could not be installed as it runs now cannot be compared with the one that is.
    const { code } = Failure.from(error);
    if (code === "aborted" || code === "internal") throw error;
    return [];
  }
}

/** The files that the service's command line begins with: the executable, and the script that it runs. */
async function missingFiles({ host }: StatusContext, { program }: InstalledService): Promise<readonly string[]> {
  const files = program.slice(0, 2).filter((each) => isAbsolute(each));
  const stats = await Promise.all(files.map((file) => host.files.stat(file)));
  return files.filter((_, index) => stats[index] === undefined);
}

async function probe(context: StatusContext, here: GatewayPlan, there: GatewayPlan | undefined): Promise<Rpc> {
  let url = (there ?? here).target.url;
  try {
    const target = probeTarget(context, here, there);
    url = target.url;
    // An older gateway is reachable too (protocol.md 2.5).
    const client = await open(context, target, { scopes: ["operator.read"], protocol: { min: 3, max: 4 } });
    try {
      const { payload, latencyMs } = client.hello;
      const version = textAt(payload, "server", "version");
      const health = await client.request("health", {}).catch(unanswered);
      const [safeMode, tailscale] = [safeModeOf(health), tailscaleOf(health)];
      return {
        ok: true,
        url,
        latencyMs,
        ...(version ? { version } : {}),
        ...(safeMode ? { safeMode } : {}),
        ...(tailscale ? { tailscale } : {}),
      };
    } finally {
      client.close();
    }
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted" || failure.code === "usage") throw failure;
    return { ok: false, url, error: failure.message };
  }
}

/** A gateway that greets is reachable, whether or not this caller may know its health. */
function unanswered(error: unknown): undefined {
  const failure = Failure.from(error);
  if (failure.code === "aborted") throw failure;
}

/** What was asked for, else the service's own address; with what this command line has to prove, else the service. */
function probeTarget({ options }: StatusContext, here: GatewayPlan, there: GatewayPlan | undefined): Target {
  const { url, token, password, "tls-fingerprint": fingerprint } = options;
  const target = resolveTarget({ ...here.facts, flags: { url, token, password, fingerprint } });
  if (target.kind !== "local" || !there) return target;
  return {
    ...there.target,
    credentials: hasSecret(target.credentials) ? target.credentials : there.credentials,
  };
}

function hasSecret({ token, password }: Credentials): boolean {
  return token !== undefined || password !== undefined;
}

function safeModeOf(health: unknown): SafeMode | undefined {
  const safeMode = at(health, "safeMode");
  if (!safeMode) return undefined;
  return {
    reason: textAt(safeMode, "reason") ?? "no reason given",
    since: numberAt(safeMode, "since"),
    failures: numberAt(safeMode, "failures"),
  };
}

function tailscaleOf(health: unknown): TailscalePart | undefined {
  const part = listAt(health, "parts").find((each) => textAt(each, "part") === "tailscale");
  return part === undefined ? undefined : { url: textAt(part, "url"), reason: textAt(part, "reason") };
}

function tell({ output }: StatusContext, { message, fix }: Trouble): void {
  const [first = "", ...more] = message.split("\n");
  output.warn(output.errorStyle.yellow(first));
  for (const line of [...more, ...fix]) output.warn(line);
}
