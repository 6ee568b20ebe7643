import { otherProfiles } from "../cli/local-gateway.ts";
import { targetFacts } from "../cli/settings.ts";
import type { Tunnel } from "../client/ssh-tunnel.ts";
import {
  explicitTarget,
  isLoopback,
  localTarget,
  remoteTarget,
  unaddressed,
  type Target,
  type TargetFacts,
} from "../client/target.ts";
import { tildify } from "../host/paths.ts";
import { urlHost } from "../kit/ip.ts";
import type { ProbeContext } from "./probe.ts";

/** A place where a gateway may be. */
export interface Candidate {
  readonly id: string;
  readonly label: string;
  readonly kind: "explicit" | "sshTunnel" | "configRemote" | "localLoopback" | "localProfile";
  readonly target: Target;
  /** Another way to the same gateway, for when nobody answers at the first. */
  readonly otherwise?: Target | undefined;
  readonly tunnel?: Tunnel | undefined;
  /** Which one it is, for a gateway that runs as this user on this machine. */
  readonly instance?: LocalProcess | undefined;
}

export interface LocalProcess {
  /** Empty for the main one. */
  readonly profile: string;
  readonly pid: number;
  readonly stateDir: string;
}

/** The gateway that flags and environment speak of: the one that was named, else the one that commands talk to. */
export type Addressed = "explicit" | "tunnel" | "remote" | "local";

/**
 * Where a gateway may be without anybody's help: the URL that was named, the configured remote, this machine, and the
 * other profiles on it. Each with its own credentials: what was given goes to the one that is addressed.
 */
export async function candidates(
  context: ProbeContext,
  facts: TargetFacts,
  addressed: Addressed,
): Promise<readonly Candidate[]> {
  const factsFor = (which: Addressed) => (which === addressed ? facts : unaddressed(facts));
  const explicit = explicitTarget(facts);
  const remote = facts.settings.mode === "remote";
  const far = remoteTarget(factsFor("remote"));
  const near = localTarget(factsFor("local"));
  const all: readonly (Candidate | undefined)[] = [
    explicit && { id: "explicit", label: "URL (explicit)", kind: "explicit", target: explicit },
    far && {
      id: "configRemote",
      label: remote ? "Remote (configured)" : "Remote (configured, inactive)",
      kind: "configRemote",
      target: far,
    },
    {
      id: "localLoopback",
      label: "Local loopback",
      kind: "localLoopback",
      target: near,
      otherwise: inTailnet(near, facts),
      instance: own(context, facts),
    },
    ...(await profiles(context)),
  ];
  const given = all.filter((each) => each !== undefined);
  return given.filter(({ target }, index) => given.findIndex((other) => other.target.url === target.url) === index);
}

/** This machine's own address in its tailnet, where a gateway may listen that does not on loopback. */
function inTailnet(near: Target, { tailnetAddress }: TargetFacts): Target | undefined {
  if (tailnetAddress === undefined || !isLoopback(near.url)) return undefined;
  const url = new URL(near.url);
  url.hostname = urlHost(tailnetAddress);
  return { ...near, url: url.href.replace(/\/$/, ""), source: "local tailnet" };
}

function own({ host, paths }: ProbeContext, { running }: TargetFacts): LocalProcess | undefined {
  if (running?.pid === undefined) return undefined;
  return { profile: paths.profile, pid: running.pid, stateDir: tildify(host, paths.state) };
}

/** Gateways of this user's other profiles, such as one to rescue the first, with what their own configuration says. */
async function profiles(context: ProbeContext): Promise<readonly Candidate[]> {
  const { host } = context;
  return Promise.all(
    (await otherProfiles(context)).map(async ({ flavour, paths, running }): Promise<Candidate> => {
      // The variables of this shell are for the gateway of the profile that was asked for.
      const facts = await targetFacts({ ...context, host: { ...host, env: {} }, flavour, paths }, {});
      const name = paths.profile === "" ? flavour.title : `Profile ${paths.profile}`;
      return {
        id: `localProfile:${paths.state.slice(paths.state.lastIndexOf("/") + 1)}`,
        label: `${name} (this machine)`,
        kind: "localProfile",
        target: { ...localTarget(facts), url: running.url },
        instance: { profile: paths.profile, pid: running.pid, stateDir: tildify(host, paths.state) },
      };
    }),
  );
}
