import { defaultPort, localTarget, type Credentials, type Target, type TargetFacts } from "../client/target.ts";
import type { CommandContext } from "../commands/command.ts";
import type { Config } from "../config/schema.ts";
import { lanAddresses, tailnetAddresses } from "../host/addresses.ts";
import type { NetInterface } from "../host/host.ts";
import { pathsOf, type Paths } from "../host/paths.ts";
import { optionIn } from "../service/command-line.ts";
import type { InstalledService } from "../service/service.ts";
import { targetFacts } from "./settings.ts";

type GatewayConfig = Config["gateway"];
type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output">;

/** How a gateway that somebody starts would be set: by this command line, or by the service. */
export interface GatewayPlan {
  readonly paths: Paths;
  readonly config: ConfigState;
  readonly port: number;
  readonly portSource: "service args" | "env/config";
  readonly bind: string;
  /** The address that a bind mode comes down to; undefined when it depends on what the gateway finds. */
  readonly bindHost: string | undefined;
  /** How it is published through Tailscale: `off`, `serve` or `funnel`. */
  readonly tailscale: string;
  /** Address of the web page on this machine; undefined when it is switched off. */
  readonly dashboard: string | undefined;
  /** Who can reach it, a sentence. */
  readonly note: string;
  /** What clients must prove. Never shown. */
  readonly credentials: Credentials;
  /** Everything that has a say in which gateway a command talks to. */
  readonly facts: TargetFacts;
  readonly target: Target;
}

/** The configuration file as a gateway would find it. */
export interface ConfigState {
  readonly path: string;
  readonly exists: boolean;
  readonly valid: boolean;
  /** What is wrong first. */
  readonly issue?: string;
}

/** What this command line would start, and how commands reach it. */
export async function planHere(context: Context): Promise<GatewayPlan> {
  return plan(context, []);
}

/** What the service starts: its own variables and arguments decide, not those of this shell. */
export async function planOfService(context: Context, installed: InstalledService): Promise<GatewayPlan> {
  const { flavour } = context;
  const env = { ...installed.environment, ...installed.secrets };
  const host = { ...context.host, env, home: env["HOME"] ?? context.host.home };
  const paths = pathsOf(host, flavour, context.paths.profile);
  return plan({ ...context, host, paths }, installed.program);
}

async function plan(context: Context, args: readonly string[]): Promise<GatewayPlan> {
  const { paths } = context;
  const [found, { config, gateway }] = await Promise.all([targetFacts(context, {}), readConfig(context)]);
  const flag = Number(optionIn(args, "port"));
  const told = Number.isInteger(flag) && flag > 0 && flag < 65_536 ? flag : undefined;
  const bind = optionIn(args, "bind") ?? found.settings.bind ?? "loopback";
  const facts: TargetFacts = {
    ...found,
    flags: { token: optionIn(args, "token"), password: optionIn(args, "password") },
    env: told === undefined ? found.env : { ...found.env, port: told },
    settings: { ...found.settings, bind },
  };
  const target = localTarget(facts);
  const { enabled, basePath } = gateway.controlUi;
  const bindHost = bindHostOf(bind, facts, gateway.customBindHost);
  return {
    paths,
    config,
    port: Number(new URL(target.url).port) || defaultPort,
    portSource: told === undefined ? "env/config" : "service args",
    bind,
    bindHost,
    tailscale: optionIn(args, "tailscale") ?? gateway.tailscale.mode,
    dashboard: enabled ? new URL(basePath, target.url.replace(/^ws/, "http")).href : undefined,
    note: noteOf(bind, bindHost, context.host.net.interfaces()),
    credentials: target.credentials,
    facts,
    target,
  };
}

/** Judged by the gateway's own rules, which are loaded for it: they are most of what this costs. */
async function readConfig(context: Context): Promise<{ config: ConfigState; gateway: GatewayConfig }> {
  const { host, paths } = context;
  const [text, { load }] = await Promise.all([host.files.read(paths.config), import("../config/load.ts")]);
  const { snapshot } = await load(text, context, async () => []);
  const [issue] = snapshot.issues;
  const config = {
    path: paths.config,
    exists: snapshot.exists,
    valid: snapshot.valid,
    ...(issue ? { issue: `${issue.path || "<root>"}: ${issue.message}` } : {}),
  };
  return { config, gateway: snapshot.value.gateway };
}

function bindHostOf(bind: string, { tailnetAddress }: TargetFacts, custom: string | undefined): string | undefined {
  if (bind === "loopback") return "127.0.0.1";
  if (bind === "lan") return "0.0.0.0";
  if (bind === "tailnet") return tailnetAddress ?? "127.0.0.1";
  return bind === "custom" ? custom : undefined;
}

/** What a person must know to reach it (cli.md 3.5), by what the gateway makes of this machine's addresses. */
function noteOf(bind: string, bindHost: string | undefined, interfaces: readonly NetInterface[]): string {
  switch (bind) {
    case "loopback":
      return "Loopback-only gateway; only local clients can connect.";
    case "lan": {
      const every = lanAddresses(interfaces).some(isIpv6) ? "0.0.0.0 and ::" : "0.0.0.0";
      return `Local probe uses loopback (127.0.0.1). bind=lan listens on ${every} (all interfaces); use a LAN IP for remote clients.`;
    }
    case "tailnet": {
      const addresses = tailnetAddresses(interfaces);
      return addresses.length === 0
        ? "This machine has no tailnet address, so bind=tailnet listens on loopback only."
        : `bind=tailnet listens on ${addresses.join(", ")} and loopback; devices of the tailnet can connect.`;
    }
    case "auto":
      return "bind=auto listens on loopback, and on LAN addresses where auth is configured.";
    default: {
      if (bindHost === undefined) return `bind=${bind} listens on gateway.customBindHost, which is not set.`;
      const alone = bindHost === "0.0.0.0" || bindHost === "127.0.0.1";
      return `bind=${bind} listens on ${bindHost}${alone ? "" : " and 127.0.0.1"}.`;
    }
  }
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}
