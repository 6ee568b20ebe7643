import * as v from "valibot";
import type { Host } from "../host/host.ts";
import { isObject, type JsonObject, parseJson } from "../kit/json.ts";
import type { ProgramResult } from "./program.ts";
import { firstLine, linkIn, troubleOf, type Trouble, type TroubleCode } from "./trouble.ts";

/** How Tailscale is on this machine. */
export type TailscaleState = Running | { readonly kind: "trouble"; readonly trouble: Trouble };

/** Tailscale runs and is logged in. */
export interface Running {
  readonly kind: "running";
  /** This machine's MagicDNS name, such as `box.tail1234.ts.net`; undefined where MagicDNS is off. */
  readonly dnsName: string | undefined;
  /** This machine's addresses in the tailnet, IPv4 first as Tailscale gives them. */
  readonly addresses: readonly string[];
  /** Whether the tailnet gives out certificates; undefined when this Tailscale does not say. */
  readonly https: boolean | undefined;
  /** Whether this machine may use Funnel; undefined when this Tailscale does not say. */
  readonly funnel: boolean | undefined;
}

/** Reads what `tailscale status --json` answered (type Status of Tailscale's package ipnstate). */
export function readState(result: ProgramResult, os: Host["os"]): TailscaleState {
  const trouble = (code: TroubleCode, detail?: string): TailscaleState => ({
    kind: "trouble",
    trouble: troubleOf(code, os, detail),
  });
  const { code, stdout, stderr, timedOut } = result;
  if (code === 127) return trouble("not-installed");
  const status = parseObject(stdout);
  if (!status) {
    if (timedOut) return trouble("unreadable", "no answer in time");
    if (unreachable.test(stderr) || unreachable.test(stdout.slice(0, 4096))) return trouble("no-daemon");
    return trouble("unreadable", firstLine(stderr, stdout) ?? `exit status ${code}`);
  }
  switch (status["BackendState"]) {
    case "Running":
    case undefined: // releases before 1.8 only answer while they run
      return running(status);
    case "NeedsLogin":
      return trouble("needs-login", typeof status["AuthURL"] === "string" ? linkIn(status["AuthURL"]) : undefined);
    case "NeedsMachineAuth":
      return trouble("needs-approval");
    case "Stopped":
      return trouble("stopped");
    case "Starting":
    case "NoState":
      return trouble("starting");
    case "InUseOtherUser":
      return trouble("unreadable", "another user of this machine uses it");
    default:
      return trouble("unreadable", `state ${firstLine(String(status["BackendState"])) ?? "unknown"}`);
  }
}

/** The object that a program printed as JSON; some builds print a warning in front of it. */
export function parseObject(stdout: string): JsonObject | undefined {
  const value = parseJson(stdout.slice(Math.max(stdout.indexOf("{"), 0)));
  return isObject(value) ? value : undefined;
}

const unreachable = /failed to connect to local tailscale|is tailscale running|tailscaled\.sock/i;
/** More than a machine has; each is shown to people. */
const maxAddresses = 8;

function running(status: JsonObject): Running {
  const self = isObject(status["Self"]) ? status["Self"] : {};
  const capabilities = capabilitiesOf(self);
  const domains = status["CertDomains"];
  return {
    kind: "running",
    dnsName: dnsName(self["DNSName"]),
    addresses: list(self["TailscaleIPs"])
      .filter((each) => v.is(v.pipe(v.string(), v.ip()), each))
      .slice(0, maxAddresses),
    https: list(domains).length > 0 || capabilities?.has("https"),
    funnel: capabilities?.has("funnel"),
  };
}

/** What the tailnet allows this machine: a map today, a list in older releases. */
function capabilitiesOf(self: JsonObject): ReadonlySet<string> | undefined {
  const { CapMap: map, Capabilities: names } = self;
  if (isObject(map)) return new Set(Object.keys(map));
  return Array.isArray(names) ? new Set(list(names)) : undefined;
}

function dnsName(value: unknown): string | undefined {
  const name = typeof value === "string" ? value.replace(/\.$/, "") : "";
  return name.length <= 253 && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name) ? name.toLowerCase() : undefined;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
