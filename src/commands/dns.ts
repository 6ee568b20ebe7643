import { applyCoreDns, corefile, nsdConfig, type DnsPlan } from "../cli/coredns.ts";
import { box, columns } from "../cli/layout.ts";
import { wideAreaSettings } from "../cli/wide-area.ts";
import { domainFor, parseDomain } from "../discovery/domain.ts";
import { zonePath } from "../discovery/zone-file.ts";
import { tailnetAddresses } from "../host/addresses.ts";
import { tildify } from "../host/paths.ts";
import { exit, Failure } from "../kit/error.ts";
import { command, type CommandContext } from "./command.ts";

const options = {
  domain: {
    value: "<domain>",
    description: "The zone's domain; by default what is configured, else <product>.internal.",
  },
  apply: {
    description: "On macOS: install CoreDNS with Homebrew and start it with this zone (asks for the sudo password).",
  },
} as const;

type Context = CommandContext<typeof options>;

/** Says how the gateway is found through DNS from everywhere in a tailnet, and sets it up on a Mac. */
export const dnsSetup = command({
  path: ["dns", "setup"],
  summary: "Show how to find the gateway through DNS in your tailnet (wide-area discovery).",
  options,
  examples: [
    { command: "dns setup", description: "What to configure, here and at Tailscale." },
    { command: "dns setup --domain claw.internal", description: "For another domain." },
    { command: "dns setup --apply", description: "Do this machine's part (macOS)." },
  ],
  guides: ["discovery", "tailscale"],
  async run(context) {
    const { host, output, options } = context;
    if (options.apply && host.os !== "darwin")
      throw new Failure(
        "failed",
        `--apply sets up CoreDNS with Homebrew, which is for macOS; this is ${host.osVersion}.`,
        {
          hints: [`Do it by hand: ${context.program} dns setup shows what to configure.`],
        },
      );
    const plan = await planOf(context);
    if (options.apply) {
      const done = await applyCoreDns(context, plan);
      if (output.json) output.data({ ...asData(plan), applied: done });
      else for (const line of [...done.map((each) => `✓ ${each}`), "", ...tailscaleSteps(plan)]) output.print(line);
    } else if (output.json) output.data(asData(plan));
    else for (const line of asText(context, plan)) output.print(line);
    return exit.ok;
  },
});

async function planOf(context: Context): Promise<DnsPlan> {
  const { host, flavour, paths, options } = context;
  const domain =
    options.domain === undefined
      ? domainFor(host, flavour, await wideAreaSettings(context))
      : parseDomain(options.domain);
  return { domain, zonePath: zonePath(paths.state, domain), addresses: tailnetAddresses(host.net.interfaces()) };
}

function asData(plan: DnsPlan): object {
  const { domain, addresses } = plan;
  return {
    domain,
    zonePath: plan.zonePath,
    tailnetIPv4: addresses.find((each) => !each.includes(":")) ?? null,
    tailnetIPv6: addresses.find((each) => each.includes(":")) ?? null,
    config: recommended(domain),
    corefile: corefile(plan),
    nsd: nsdConfig(plan),
    steps: tailscaleSteps(plan).slice(1),
  };
}

function asText({ host, paths, output }: Context, plan: DnsPlan): readonly string[] {
  const { domain, addresses } = plan;
  const { bold } = output.style;
  const table = columns([
    ["Domain", domain],
    ["Zone file", tildify(host, plan.zonePath)],
    ["Tailnet IP", addresses.length > 0 ? addresses.join(", ") : "none: run `tailscale up` first"],
  ]);
  return [
    bold("DNS setup"),
    box(table.split("\n")),
    "",
    bold(`Recommended config (${tildify(host, paths.config)})`),
    JSON.stringify(recommended(domain), null, 2),
    "",
    bold("DNS server: CoreDNS"),
    corefile(plan).trimEnd(),
    "",
    bold("DNS server: NSD"),
    nsdConfig(plan).trimEnd(),
    "The zone file lies in the state folder, which is yours alone: the server has to read it as root or as you.",
    "",
    ...tailscaleSteps(plan),
  ];
}

/** Reached through the tailnet, and announced there. */
function recommended(domain: string): object {
  return { gateway: { bind: "tailnet" }, discovery: { wideArea: { enabled: true, domain } } };
}

function tailscaleSteps({ domain, addresses }: DnsPlan): readonly string[] {
  const zone = domain.replace(/\.$/, "");
  return [
    "Tailscale admin (https://login.tailscale.com/admin/dns)",
    `1. Nameservers: Add nameserver > Custom: ${addresses[0] ?? "the tailnet IP of this machine"}`,
    `2. Restrict to domain (split DNS): ${zone}`,
    "3. Every device: leave Use Tailscale DNS settings on.",
    `4. Try it: gateway discover, or dig PTR _openclaw-gw._tcp.${zone}`,
  ];
}
