import { findNearby } from "../cli/nearby.ts";
import { clientOptions } from "../cli/options.ts";
import { targetFacts } from "../cli/settings.ts";
import { parseSshTarget } from "../client/ssh-target.ts";
import {
  defaultPort,
  explicitTarget,
  isLoopback,
  localTarget,
  unaddressed,
  type TargetFacts,
} from "../client/target.ts";
import { exit, Failure } from "../kit/error.ts";
import { urlHost } from "../kit/ip.ts";
import { command, type CommandContext } from "./command.ts";
import { candidates, type Addressed } from "./probe-candidates.ts";
import { look, type Probed } from "./probe-look.ts";
import { reachNearby } from "./probe-nearby.ts";
import { reportJson, warningsOf, type Report, type Warning } from "./probe-report.ts";
import { reportText } from "./probe-text.ts";
import { planTunnel, tunnelCandidate, type TunnelPlan } from "./probe-tunnel.ts";

const options = {
  ...clientOptions,
  timeout: { ...clientOptions.timeout, description: "How long it may take in all.", default: 3000 },
  ssh: { value: "<user@host[:port]>", description: "Try a gateway through an SSH tunnel to this machine too." },
  "ssh-identity": { value: "<path>", description: "Key file for the tunnel." },
  "ssh-auto": { description: "Tunnel to the configured remote's host, or the first gateway that announces itself." },
} as const;

/** What the command's parts are given of its context. */
export type ProbeContext = CommandContext<typeof options>;

/** Tries every gateway that there might be: named, through a tunnel, configured, and always those of this machine. */
export const probe = command({
  path: ["gateway", "probe"],
  summary: "Try every gateway that this machine knows of and say what each answers.",
  options,
  examples: [
    { command: "gateway probe --json", description: "For programs." },
    { command: "gateway probe --ssh me@gateway-host", description: "A gateway on another machine's loopback." },
    { command: "gateway probe --ssh-auto", description: "The same, on the machine that announces one." },
    {
      command: "--profile rescue gateway --port 18809",
      description: "A second gateway, to rescue the first: a profile and 20 ports of its own. Probe shows both.",
    },
  ],
  guides: ["remote", "discovery"],
  async run(context) {
    const { host, output, program } = context;
    const { url, token, password, timeout, "tls-fingerprint": fingerprint } = context.options;
    const ts = host.clock.now();
    const started = host.clock.monotonic();
    if (context.options.ssh !== undefined) parseSshTarget(context.options.ssh, "--ssh");
    const facts = await targetFacts(context, { url, token, password, fingerprint });
    const work = tryAll(context, facts, started + timeout);
    const { discovery, targets, tunnel } = await output.progress("Probing gateways", work);
    const port = localPort(facts);
    const report: Report = {
      ts,
      durationMs: Math.round(host.clock.monotonic() - started),
      timeoutMs: timeout,
      network: {
        localLoopbackUrl: `ws://127.0.0.1:${port}`,
        localTailnetUrl: facts.tailnetAddress === undefined ? null : `ws://${urlHost(facts.tailnetAddress)}:${port}`,
        tailnetIPv4: facts.tailnetAddress?.includes(":") === false ? facts.tailnetAddress : null,
      },
      discovery,
      targets,
      warnings: [...tunnel, ...warningsOf(targets)],
    };
    if (output.json) output.data(reportJson(report));
    else for (const line of reportText(report, output.style, program)) output.print(line);
    return targets.some(({ connect }) => connect.ok) ? exit.ok : exit.failed;
  },
});

/** The part of the budget in which gateways may announce themselves (cli.md 6.4). */
const discoveryMs = 1200;
/** What is left of a tunnel's time for the question that it is there for. */
const tunnelShare = 0.8;

/** Side by side: a gateway that hangs does not keep the others from answering. */
async function tryAll(context: ProbeContext, facts: TargetFacts, deadline: number) {
  const { host, options } = context;
  const left = () => Math.max(0, deadline - host.clock.monotonic());
  const addressed = addressedBy(context, facts);
  const nearby = findNearby(context, { timeoutMs: Math.min(discoveryMs, options.timeout) });
  const direct = candidates(context, facts, addressed).then((all) =>
    all.map((candidate) => ({ candidate, probed: look(context, candidate, deadline) })),
  );

  /** Nobody but the gateway that it is meant for may be found at the near end of a tunnel, by those who look there now. */
  const portIsOurs = async (port: number): Promise<void> => {
    if (await host.net.reaches("127.0.0.1", port, 2000)) return; // taken: the tunnel begins at another
    const there = (await direct).filter(
      ({ candidate: { target } }) => isLoopback(target.url) && new URL(target.url).port === String(port),
    );
    await Promise.all(there.map(({ probed }) => probed));
  };
  const throughTunnel = async (): Promise<{ probed?: Probed; warning?: Warning }> => {
    try {
      const plan = await planTunnel(context, facts, async () => (await nearby).beacons);
      if (!plan) return options["ssh-auto"] ? { warning: nobodyToTunnelTo } : {};
      await portIsOurs(plan.remotePort);
      const own = speaksOf(plan, addressed) ? facts : unaddressed(facts);
      const candidate = await tunnelCandidate(context, own, { plan, timeoutMs: left() * tunnelShare });
      try {
        return { probed: await look(context, candidate, deadline) };
      } finally {
        await candidate.tunnel.close();
      }
    } catch (error) {
      return { warning: tunnelFailed(Failure.from(error)) };
    }
  };

  const all = [
    throughTunnel(),
    direct.then((tried) => Promise.all(tried.map(({ probed }) => probed))),
    nearby.then((found) => reachNearby(host, found, Math.min(left(), reachMs))),
  ] as const;
  // An error of one must not leave another's tunnel open.
  await Promise.allSettled(all);
  const [{ probed: tunnelled, warning }, looked, discovery] = await Promise.all(all);
  const first = looked.filter(({ candidate }) => candidate.kind === "explicit");
  const rest = looked.filter(({ candidate }) => candidate.kind !== "explicit");
  return {
    discovery,
    targets: [...first, ...(tunnelled ? [tunnelled] : []), ...rest],
    tunnel: warning ? [warning] : [],
  };
}

/** Long enough for any machine that is near enough to be announced. */
const reachMs = 500;

const nobodyToTunnelTo: Warning = {
  code: "ssh_tunnel_failed",
  message:
    "SSH tunnel failed: no remote gateway is configured, and none announces itself. Name its machine with --ssh.",
};

function tunnelFailed(failure: Failure): Warning {
  if (["aborted", "usage", "internal"].includes(failure.code)) throw failure;
  return { code: "ssh_tunnel_failed", message: [failure.message, ...failure.hints].join(". ") };
}

function addressedBy({ options }: ProbeContext, facts: TargetFacts): Addressed {
  if (explicitTarget(facts)) return "explicit";
  if (options.ssh !== undefined) return "tunnel";
  return facts.settings.mode === "remote" ? "remote" : "local";
}

/** What was given for the remote gateway goes to it on every way that leads there. */
function speaksOf({ leadsTo }: TunnelPlan, addressed: Addressed): boolean {
  return addressed === "tunnel" || (addressed === "remote" && leadsTo === "remote");
}

function localPort(facts: TargetFacts): number {
  return Number(new URL(localTarget(facts).url).port) || defaultPort;
}
