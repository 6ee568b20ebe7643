import { at, listAt, numberAt, textAt } from "../cli/pick.ts";
import { open } from "../cli/reach.ts";
import { troubleOf, type Trouble } from "../cli/trouble.ts";
import type { Client } from "../client/client.ts";
import { farEndTrouble } from "../client/ssh-trouble.ts";
import { isLoopback, type Target } from "../client/target.ts";
import { Failure } from "../kit/error.ts";
import { allows, isScope } from "../protocol/scope.ts";
import type { Candidate } from "./probe-candidates.ts";
import type { ProbeContext } from "./probe.ts";

/** What a candidate answered. */
export interface Probed {
  readonly candidate: Candidate;
  /** Where it answered, or was tried last. */
  readonly target: Target;
  readonly connect: {
    readonly ok: boolean;
    readonly rpcOk: boolean;
    readonly scopeLimited: boolean;
    readonly latencyMs: number | null;
    readonly error: string | null;
    readonly close: { readonly code: number | undefined; readonly reason: string | undefined } | null;
  };
  /** What is in the way, when it cannot be connected to. */
  readonly trouble: Trouble | null;
  readonly auth: {
    readonly role: string | null;
    readonly scopes: readonly string[];
    readonly capability: Capability;
  };
  readonly health: unknown;
  readonly summary: unknown;
  readonly presence: readonly unknown[] | null;
  readonly config: unknown;
  readonly server: { readonly version: string | undefined; readonly bootId: string | undefined } | null;
}

/** What this caller may do there. */
export type Capability =
  | "admin_capable"
  | "write_capable"
  | "read_only"
  | "connected_no_operator_scope"
  | "pairing_pending"
  | "unknown";

/** Connects to a candidate and asks it what there is to know, until `deadline` on the monotonic clock. */
export async function look(context: ProbeContext, candidate: Candidate, deadline: number): Promise<Probed> {
  const { clock } = context.host;
  const late = new AbortController();
  const cancel = clock.after(Math.max(0, deadline - clock.monotonic()), () => late.abort());
  const patient = { ...context, signal: AbortSignal.any([context.signal, late.signal]) };
  try {
    const first = await attempt(candidate.target);
    if (candidate.otherwise === undefined || first.trouble?.kind !== "refused") return first;
    const second = await attempt(candidate.otherwise);
    return second.connect.ok ? second : first;
  } finally {
    cancel();
  }

  async function attempt(target: Target): Promise<Probed> {
    try {
      const client = await open(patient, target, { scopes: wanted(target), protocol: { min: 3, max: 4 } });
      try {
        return { candidate, target, trouble: null, ...(await questions(client)) };
      } finally {
        client.close();
      }
    } catch (error) {
      if (context.signal.aborted) throw error;
      return unreached(context, candidate, { target, failure: reasonOf(error, context.options.timeout) });
    }
  }
}

/**
 * From another machine this one is a device, and one that asks for more than it was approved for has somebody asked to
 * approve that; nobody is asked on loopback, so there everything is asked for, to see what is given.
 */
function wanted({ url }: Target): readonly string[] {
  return isLoopback(url) ? ["operator.read", "operator.write", "operator.admin"] : ["operator.read"];
}

/** What the gateway or the system said, without what `open` makes of it for commands that talk to one gateway. */
function reasonOf(error: unknown, timeoutMs: number): Failure {
  const failure = Failure.from(error);
  if (failure.code === "aborted") return new Failure("timeout", `no answer within ${timeoutMs} ms`);
  return failure.cause instanceof Failure ? failure.cause : failure;
}

function unreached(
  { program }: ProbeContext,
  candidate: Candidate,
  { target, failure }: { target: Target; failure: Failure },
): Probed {
  const code = numberAt(failure.details, "closeCode");
  const trouble = troubleOf(failure, target, program);
  const { tunnel } = candidate;
  const farEnd = tunnel && farEndTrouble(tunnel.complaints, tunnel.remotePort);
  return {
    candidate,
    target,
    connect: {
      ok: false,
      rpcOk: false,
      scopeLimited: false,
      latencyMs: null,
      error: `connect failed: ${failure.message}`,
      close: code === undefined ? null : { code, reason: textAt(failure.details, "closeReason") },
    },
    trouble: farEnd === undefined ? trouble : { kind: "refused", advice: [farEnd] },
    auth: {
      role: null,
      scopes: [],
      capability: trouble.kind === "pairing-required" ? "pairing_pending" : "unknown",
    },
    health: null,
    summary: null,
    presence: null,
    config: null,
    server: null,
  };
}

/** The four questions, each of which may be refused without the others being lost. */
async function questions(client: Client): Promise<Omit<Probed, "candidate" | "target" | "trouble">> {
  const asked = await Promise.allSettled(
    ["health", "status", "system-presence", "config.get"].map((method) => client.request(method, {})),
  );
  const [health, summary, presence, config] = asked.map((each) => (each.status === "fulfilled" ? each.value : null));
  const refusals = asked.flatMap((each) => (each.status === "rejected" ? [Failure.from(each.reason)] : []));
  const { payload, latencyMs } = client.hello;
  return {
    connect: {
      ok: true,
      rpcOk: refusals.length === 0,
      scopeLimited: refusals.some(({ details }) => at(details, "code") === "MISSING_SCOPE"),
      latencyMs,
      error: refusals[0]?.message ?? null,
      close: null,
    },
    auth: authOf(at(payload, "auth")),
    health,
    summary,
    presence: Array.isArray(presence) ? presence : null,
    config: configSummary(config),
    server: { version: textAt(payload, "server", "version"), bootId: textAt(payload, "server", "bootId") },
  };
}

function authOf(auth: unknown): Probed["auth"] {
  const scopes = listAt(auth, "scopes")
    .filter((scope) => typeof scope === "string")
    .filter(isScope);
  const capability = auth === undefined ? "unknown" : capabilityOf(scopes);
  return { role: textAt(auth, "role") ?? null, scopes, capability };
}

function capabilityOf(scopes: readonly string[]): Capability {
  const granted = new Set(scopes);
  if (allows(granted, "operator.admin")) return "admin_capable";
  if (allows(granted, "operator.write")) return "write_capable";
  return allows(granted, "operator.read") ? "read_only" : "connected_no_operator_scope";
}

/** What is told of the gateway's configuration: never a value that could be a secret. */
function configSummary(config: unknown): unknown {
  if (config === null || config === undefined) return null;
  const gateway = at(config, "config", "gateway");
  const page = at(gateway, "controlUi", "enabled");
  return {
    path: textAt(config, "path"),
    exists: at(config, "exists"),
    valid: at(config, "valid"),
    issues: listAt(config, "issues"),
    legacyIssues: listAt(config, "legacyIssues"),
    gateway: {
      mode: textAt(gateway, "mode") ?? null,
      bind: textAt(gateway, "bind") ?? null,
      port: numberAt(gateway, "port") ?? null,
      controlUiEnabled: typeof page === "boolean" ? page : null,
      controlUiBasePath: textAt(gateway, "controlUi", "basePath") ?? null,
      authMode: textAt(gateway, "auth", "mode") ?? null,
      authTokenConfigured: at(gateway, "auth", "token") !== undefined,
      authPasswordConfigured: at(gateway, "auth", "password") !== undefined,
      remoteUrl: textAt(gateway, "remote", "url") ?? null,
      remoteTokenConfigured: at(gateway, "remote", "token") !== undefined,
      remotePasswordConfigured: at(gateway, "remote", "password") !== undefined,
      tailscaleMode: textAt(gateway, "tailscale", "mode") ?? null,
    },
    discovery: { wideAreaEnabled: at(config, "config", "discovery", "wideArea", "enabled") === true },
  };
}
