import { parseSshTarget, type SshTarget } from "../client/ssh-target.ts";
import { openTunnel, type Tunnel } from "../client/ssh-tunnel.ts";
import { defaultPort, isLoopback, tunnelTarget, type TargetFacts } from "../client/target.ts";
import type { Beacon } from "../discovery/read-beacon.ts";
import { absolute } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { findOnPath } from "../service/program.ts";
import type { Candidate } from "./probe-candidates.ts";
import type { ProbeContext } from "./probe.ts";

/** A tunnel that somebody wants. */
export interface TunnelPlan {
  readonly target: SshTarget;
  readonly remotePort: number;
  /** Who says that the gateway is there: what is sent through the tunnel depends on it. */
  readonly leadsTo: "remote" | "named" | "announced";
}

/**
 * The tunnel that was asked for on the command line or in the configuration; undefined when none was. `--ssh-auto` takes
 * the host of the configured remote gateway, and else that of a gateway which announces itself. Without it no tunnel
 * begins by itself: whoever is connected to learns the user's name and keys.
 */
export async function planTunnel(
  context: ProbeContext,
  facts: TargetFacts,
  announced: () => Promise<readonly Beacon[]>,
): Promise<TunnelPlan | undefined> {
  const { ssh, "ssh-auto": auto } = context.options;
  const { remote, mode } = facts.settings;
  const port = gatewayPort(facts);
  const configured =
    remote.sshTarget === undefined ? undefined : parseSshTarget(remote.sshTarget, "gateway.remote.sshTarget");
  const remoteHost = hostOf(remote.url);
  if (ssh !== undefined) {
    const target = parseSshTarget(ssh, "--ssh");
    const same = [configured?.host, remoteHost].some((host) => host?.toLowerCase() === target.host.toLowerCase());
    return { target, remotePort: port, leadsTo: same ? "remote" : "named" };
  }
  if (configured) return { target: configured, remotePort: port, leadsTo: "remote" };
  if (!auto) return undefined;
  if (mode === "remote" && remoteHost !== undefined)
    return { target: { host: remoteHost }, remotePort: port, leadsTo: "remote" };
  const [first] = (await announced()).flatMap((beacon) => sshOf(beacon) ?? []);
  return first && { ...first, leadsTo: "announced" };
}

/** Opens it; what answers at its near end is a candidate like others. */
export async function tunnelCandidate(
  context: ProbeContext,
  facts: TargetFacts,
  { plan, timeoutMs }: { readonly plan: TunnelPlan; readonly timeoutMs: number },
): Promise<Candidate & { readonly tunnel: Tunnel }> {
  const { host, signal } = context;
  const { target, remotePort, leadsTo } = plan;
  const identity = await identityFile(context, facts.settings.remote.sshIdentity);
  const program = (await findOnPath(host, "ssh")) ?? ((await host.files.stat(usual)) ? usual : undefined);
  if (program === undefined)
    throw new Failure("unavailable", "SSH tunnel failed: there is no ssh on this machine", {
      hints: ["Fix: install OpenSSH."],
    });
  // An announcement may name any machine: only those that the user has met are gone to.
  const knownOnly = leadsTo === "announced";
  const tunnel = await openTunnel(host, { program, target, identity, knownOnly, remotePort, timeoutMs, signal });
  return {
    id: "sshTunnel",
    label: "Remote over SSH",
    kind: "sshTunnel",
    target: tunnelTarget(facts, { localPort: tunnel.localPort, leadsTo }),
    tunnel,
  };
}

/** Where every system has it that has one, for when there is no PATH to look at. */
const usual = "/usr/bin/ssh";

/** The port on the other machine: that of the remote URL when it names one, else the usual one of this profile. */
function gatewayPort({ settings, env }: TargetFacts): number {
  const { url } = settings.remote;
  const named = url !== undefined && URL.canParse(url) ? Number(new URL(url).port) : 0;
  return named || (env.port ?? settings.port ?? defaultPort);
}

/** The host of the remote URL, when it is another machine's. */
function hostOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url) || isLoopback(url)) return undefined;
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** SSH reaches a machine by its name in the tailnet from everywhere, by the others only nearby. */
function sshOf({
  tailnetDns,
  lanHost,
  host,
  port,
  sshPort,
}: Beacon): Pick<TunnelPlan, "target" | "remotePort"> | undefined {
  const name = tailnetDns ?? lanHost ?? host;
  return name === undefined ? undefined : { target: { host: name, port: sshPort }, remotePort: port };
}

async function identityFile(
  { host, options }: ProbeContext,
  configured: string | undefined,
): Promise<string | undefined> {
  const flag = options["ssh-identity"];
  const given = flag ?? configured;
  if (given === undefined) return undefined;
  const path = absolute(host, given);
  if ((await host.files.stat(path))?.kind === "file") return path;
  throw flag === undefined
    ? new Failure("config", `gateway.remote.sshIdentity: there is no file ${path}`)
    : new Failure("usage", `--ssh-identity: there is no file ${path}`);
}
