import { clientOptions } from "../cli/options.ts";
import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { open, type ReachContext } from "../cli/reach.ts";
import { targetFacts } from "../cli/settings.ts";
import type { Client } from "../client/client.ts";
import { defaultPort, explicitTarget, localTarget, remoteTarget, type Target } from "../client/target.ts";
import { exit, Failure } from "../kit/error.ts";
import { command } from "./command.ts";

/** Tries every gateway that there might be: the one named, the configured remote, and always this machine's. */
export const probe = command({
  path: ["gateway", "probe"],
  summary: "Try every gateway that this machine knows of and say what each answers.",
  options: { ...clientOptions, timeout: { ...clientOptions.timeout, default: 3000 } },
  examples: [{ command: "gateway probe --json", description: "For programs." }],
  async run(context) {
    const { host, output, options } = context;
    const started = host.clock.monotonic();
    const facts = await targetFacts(context, { url: options.url, token: options.token, password: options.password });
    const wanted = [explicitTarget(facts), remoteTarget(facts), localTarget(facts)].filter(
      (each) => each !== undefined,
    );
    const targets = wanted.filter(({ url }, index) => wanted.findIndex((other) => other.url === url) === index);
    const work = Promise.all(targets.map((target) => look(context, target, labelOf(target, facts.settings.mode))));
    const probed = await output.progress("Probing gateways", work);
    const report: Report = {
      ts: host.clock.now(),
      durationMs: Math.round(host.clock.monotonic() - started),
      timeoutMs: options.timeout,
      network: {
        localLoopbackUrl: `ws://127.0.0.1:${Number(new URL(localTarget(facts).url).port) || defaultPort}`,
        localTailnetUrl: null,
        tailnetIPv4: facts.tailnetAddress ?? null,
      },
      targets: probed,
      warnings: warningsOf(probed),
    };
    if (output.json) output.data(asJson(report));
    else for (const line of asText(report)) output.print(line);
    return probed.some((each) => each.connect.ok) ? exit.ok : exit.failed;
  },
});

interface Report {
  readonly ts: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
  readonly network: object;
  readonly targets: readonly Probed[];
  readonly warnings: readonly Warning[];
}

interface Warning {
  readonly code: "multiple_gateways" | "probe_scope_limited";
  readonly message: string;
  readonly targetIds: readonly string[];
}

interface Probed {
  readonly id: string;
  readonly label: string;
  readonly kind: "explicit" | "configRemote" | "localLoopback";
  readonly url: string;
  readonly connect: {
    readonly ok: boolean;
    readonly rpcOk: boolean;
    readonly latencyMs: number | null;
    readonly error: string | null;
    readonly close: { readonly code: number | undefined; readonly reason: string | undefined } | null;
  };
  readonly health: unknown;
  readonly summary: unknown;
  readonly presence: readonly unknown[] | null;
  readonly config: unknown;
  readonly server: { readonly version: string | undefined; readonly bootId: string | undefined } | null;
}

const kinds = { explicit: "explicit", remote: "configRemote", local: "localLoopback" } as const;

function labelOf({ kind }: Target, mode: string | undefined): string {
  if (kind === "explicit") return "URL (explicit)";
  if (kind === "local") return "Local loopback";
  return mode === "remote" ? "Remote (configured)" : "Remote (configured, inactive)";
}

async function look(context: ReachContext, target: Target, label: string): Promise<Probed> {
  const base = { id: kinds[target.kind], label, kind: kinds[target.kind], url: target.url };
  const nothing = { health: null, summary: null, presence: null, config: null, server: null };
  try {
    const client = await open(context, target, { scopes: ["operator.read"], protocol: { min: 3, max: 4 } });
    try {
      return { ...base, ...(await questions(client)) };
    } finally {
      client.close();
    }
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === "aborted") throw failure;
    const code = numberAt(failure.details, "closeCode");
    const close = code === undefined ? null : { code, reason: textAt(failure.details, "closeReason") };
    const message = `connect failed: ${failure.message}`;
    return { ...base, ...nothing, connect: { ok: false, rpcOk: false, latencyMs: null, error: message, close } };
  }
}

/** The four questions, each of which may be refused without the others being lost. */
async function questions(client: Client): Promise<Omit<Probed, "id" | "label" | "kind" | "url">> {
  const asked = await Promise.allSettled(
    ["health", "status", "system-presence", "config.get"].map((method) => client.request(method, {})),
  );
  const [health, summary, presence, config] = asked.map((each) => (each.status === "fulfilled" ? each.value : null));
  const refused = asked.find((each) => each.status === "rejected");
  const { payload, latencyMs } = client.hello;
  return {
    connect: {
      ok: true,
      rpcOk: refused === undefined,
      latencyMs,
      error: refused ? Failure.from(refused.reason).message : null,
      close: null,
    },
    health,
    summary,
    presence: Array.isArray(presence) ? presence : null,
    config: configSummary(config),
    server: { version: textAt(payload, "server", "version"), bootId: textAt(payload, "server", "bootId") },
  };
}

function configSummary(config: unknown): unknown {
  if (config === null || config === undefined) return null;
  const gateway = at(config, "config", "gateway");
  return {
    path: textAt(config, "path"),
    exists: at(config, "exists"),
    valid: at(config, "valid"),
    issues: listAt(config, "issues"),
    gateway: {
      mode: textAt(gateway, "mode") ?? null,
      bind: textAt(gateway, "bind") ?? null,
      port: numberAt(gateway, "port") ?? null,
      authMode: textAt(gateway, "auth", "mode") ?? null,
      authTokenConfigured: at(gateway, "auth", "token") !== undefined,
      authPasswordConfigured: at(gateway, "auth", "password") !== undefined,
      remoteUrl: textAt(gateway, "remote", "url") ?? null,
      remoteTokenConfigured: at(gateway, "remote", "token") !== undefined,
      remotePasswordConfigured: at(gateway, "remote", "password") !== undefined,
      tailscaleMode: textAt(gateway, "tailscale", "mode") ?? null,
    },
  };
}

function warningsOf(targets: readonly Probed[]): readonly Warning[] {
  const up = targets.filter((each) => each.connect.ok);
  const limited = up.filter((each) => !each.connect.rpcOk);
  const several =
    new Set(up.map((each) => each.server?.bootId ?? each.url)).size > 1
      ? [
          {
            code: "multiple_gateways" as const,
            message: "Several gateways answer. Keep only one unless they are separate on purpose (a rescue bot).",
            targetIds: up.map((each) => each.id),
          },
        ]
      : [];
  return [
    ...several,
    ...limited.map((each) => ({
      code: "probe_scope_limited" as const,
      message: `${each.label} answers, but not every question: ${each.connect.error ?? "no reason"}`,
      targetIds: [each.id],
    })),
  ];
}

function asText({ targets, warnings, timeoutMs }: Report): readonly string[] {
  return [
    "Gateway Status",
    `Reachable: ${targets.some((each) => each.connect.ok) ? "yes" : "no"}`,
    `Probe budget: ${timeoutMs}ms`,
    ...(warnings.length > 0 ? ["", "Warning:", ...warnings.map(({ message }) => `- ${message}`)] : []),
    "",
    "Targets",
    ...targets.flatMap(targetText),
  ];
}

function targetText({ label, url, connect, server, presence, config }: Probed): readonly string[] {
  const head = `${label} ${url}`;
  if (!connect.ok) return [head, `  Connect: failed - ${connect.error ?? "no reason"}`];
  const own = presence?.[0];
  const machine = [textAt(own, "host"), textAt(own, "platform")].filter(Boolean).join(" · ");
  const gateway = at(config, "gateway");
  const settings = [
    ["bind", textAt(gateway, "bind")],
    ["auth", textAt(gateway, "authMode")],
  ].filter(([, value]) => value);
  return [
    head,
    `  Connect: ok (${connect.latencyMs}ms) · RPC: ${connect.rpcOk ? "ok" : "limited"}`,
    `  Gateway: ${[machine, `app ${server?.version ?? "unknown"}`].filter(Boolean).join(" · ")}`,
    ...(settings.length > 0 ? [`  Config: ${settings.map(([key, value]) => `${key}=${value}`).join(", ")}`] : []),
  ];
}

function asJson({ targets, warnings, ...rest }: Report): unknown {
  const reachable = targets.filter((each) => each.connect.ok);
  return {
    ok: reachable.length > 0,
    degraded: reachable.some((each) => !each.connect.rpcOk),
    ...rest,
    primaryTargetId: reachable[0]?.id ?? null,
    warnings,
    targets: targets.map((each) => ({
      ...each,
      active: each.id === (reachable[0]?.id ?? targets[0]?.id),
      tunnel: null,
      self: selfOf(each),
    })),
  };
}

function selfOf({ presence, server }: Pick<Probed, "presence" | "server">): unknown {
  if (!server) return null;
  const own = presence?.[0];
  return {
    host: textAt(own, "host") ?? null,
    ip: textAt(own, "ip") ?? null,
    version: server.version ?? null,
    platform: textAt(own, "platform") ?? null,
  };
}
