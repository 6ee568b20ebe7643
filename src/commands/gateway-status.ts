import { box } from "../cli/layout.ts";
import { lastError, otherGateways, portState, type PortState } from "../cli/local-gateway.ts";
import { clientOptions } from "../cli/options.ts";
import { open, type ReachContext } from "../cli/reach.ts";
import { runningGateway, targetFacts, type Running } from "../cli/settings.ts";
import { defaultPort, isLoopback, localTarget, resolveTarget, type Target } from "../client/target.ts";
import { tildify } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  ...clientOptions,
  "no-probe": { description: "Do not connect to the gateway." },
  deep: { description: "Also look for gateways of other profiles." },
} as const;

type Context = CommandContext<typeof options>;

/** Shows the gateway's service, process and port, and whether it answers. Always exits 0: it reports. */
export const gatewayStatus = command({
  path: ["gateway", "status"],
  summary: "Show the gateway's service, process and port, and whether it answers.",
  options,
  examples: [{ command: "gateway status --no-probe", description: "Without connecting to it." }],
  async run(context) {
    const { host, paths, output, options: flags } = context;
    const facts = await targetFacts(context, { url: flags.url, token: flags.token, password: flags.password });
    const local = localTarget(facts);
    const port = Number(new URL(local.url).port) || defaultPort;
    const probing = flags["no-probe"] ? undefined : probe(context, resolveTarget(facts));
    const seen: Seen = {
      bind: local.bind ?? "loopback",
      url: local.url,
      running: await runningGateway(context),
      port: await portState(context, port),
      lastError: await lastError(context),
      rpc: probing && (await output.progress("Probing the gateway", probing)),
      others: flags.deep ? await otherGateways(context) : [],
      configExists: (await host.files.stat(paths.config)) !== undefined,
    };
    if (output.json) output.data(asJson(context, seen));
    else for (const text of asText(context, seen)) output.print(text);
    if (!output.json) for (const hint of troubles(context, seen)) output.warn(hint);
    return 0;
  },
});

interface Seen {
  readonly bind: string;
  readonly url: string;
  readonly running: Running | undefined;
  readonly port: PortState;
  readonly lastError: string | undefined;
  readonly rpc: Rpc | undefined;
  readonly others: Awaited<ReturnType<typeof otherGateways>>;
  readonly configExists: boolean;
}

interface Rpc {
  readonly ok: boolean;
  readonly url: string;
  readonly latencyMs?: number;
  readonly error?: string;
}

async function probe(context: ReachContext, target: Target): Promise<Rpc> {
  try {
    // An older gateway is reachable too (protocol.md 2.5).
    const client = await open(context, target, { scopes: ["operator.read"], protocol: { min: 3, max: 4 } });
    client.close();
    return { ok: true, url: target.url, latencyMs: client.hello.latencyMs };
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    return { ok: false, url: target.url, error: failure.message };
  }
}

function asText(context: Context, seen: Seen): readonly string[] {
  const { host, paths } = context;
  const { running, port, rpc } = seen;
  const service = [
    "Service: not installed",
    `Runtime: ${runtimeText(seen)}`,
    `Port: ${port.port}`,
    `Last gateway error: ${seen.lastError ?? "none"}`,
  ];
  const answer = rpc && [
    `Target: ${rpc.url}`,
    rpc.ok ? "Status: ✓ connected" : "Status: ✗ failed",
    ...(rpc.latencyMs === undefined ? [] : [`Latency: ${rpc.latencyMs}ms`]),
  ];
  const owners = port.listeners.map(
    ({ pid, command: name, address }) => `${address ?? port.port} (${name}, PID ${pid})`,
  );
  return [
    "Gateway service status",
    box(service),
    ...(answer ? ["", "RPC probe", box(answer)] : []),
    "",
    `Config: ${tildify(host, paths.config)}${seen.configExists ? "" : " (missing)"}`,
    `Log file: ${tildify(host, paths.log)}`,
    `Gateway: bind=${seen.bind}, port=${port.port}${running ? `, url=${running.url}` : ""}`,
    `Listening: ${owners.length > 0 ? owners.join(", ") : port.status === "busy" ? "yes, owner unknown" : "nobody"}`,
    ...seen.others.map(({ label, detail }) => `Other gateway: ${label}: ${detail}`),
  ];
}

function runtimeText({ running, rpc }: Seen): string {
  if (running) return `running (PID ${running.pid})`;
  return rpc?.ok && isLoopback(rpc.url) ? "running (PID unknown)" : "stopped";
}

/** What to look at when it runs and does not answer (SC-122), or does not run at all. */
function troubles({ host, paths, program }: Context, { rpc, running, port }: Seen): readonly string[] {
  if (!rpc || rpc.ok) return [];
  const failed = ["RPC probe: failed", `RPC target: ${rpc.url}`, `  ${rpc.error ?? "no reason"}`];
  if (!running && port.status === "free") return [...failed, `Nothing listens there. Start it: ${program} gateway`];
  return [
    ...failed,
    `1. Is the port right? ${program} gateway status shows ${port.port}.`,
    "2. Beyond loopback (lan, tailnet) a gateway needs auth: pass --token or --password, or set gateway.auth.",
    `3. Look at the log: cat ${tildify(host, paths.log)}`,
    `4. Diagnose: ${program} doctor`,
  ];
}

function asJson({ paths, host }: Context, seen: Seen): unknown {
  const config = { path: paths.config, exists: seen.configExists };
  return {
    service: {
      label: { darwin: "launchd", linux: "systemd", windows: "schtasks", none: "none" }[host.os],
      loaded: false,
      command: null,
      runtime: seen.running ? { status: "running", pid: seen.running.pid } : { status: "stopped" },
      lastError: seen.lastError ?? null,
    },
    config: { cli: config },
    logFile: paths.log,
    gateway: { bindMode: seen.bind, port: seen.port.port, probeUrl: seen.url },
    port: seen.port,
    ...(seen.rpc ? { rpc: seen.rpc } : {}),
    extraServices: seen.others,
  };
}
