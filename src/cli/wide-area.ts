import type { CommandContext } from "../commands/command.ts";
import { layered, readDotEnv } from "../config/environment.ts";
import { domainFor, wideAreaDomain } from "../discovery/domain.ts";
import { setting } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { formatIp, parseIp } from "../kit/ip.ts";
import { at, stringAt } from "./pick.ts";
import { readSource } from "./settings.ts";

type Context = Pick<CommandContext, "host" | "flavour" | "paths" | "output">;

/** Where gateways beyond the local network are looked for. */
export interface WideAreaPlace {
  /** With its dot at the end. */
  readonly domain: string;
  /** DNS servers to ask in place of the system's own. */
  readonly servers: readonly string[] | undefined;
}

/**
 * The wide-area domain of the configuration or the environment; undefined where there is none, so that nobody's DNS
 * server hears of us unasked. A server has to be named only where the system's resolver knows no split DNS.
 */
export async function wideAreaPlace(context: Context, server: string | undefined): Promise<WideAreaPlace | undefined> {
  const { host, flavour } = context;
  const env = layered(host.env, await readDotEnv(host, context.paths.state));
  const domain = wideAreaDomain({ env }, flavour, await wideAreaSettings(context));
  const named = server ?? setting({ env }, flavour, "WIDE_AREA_SERVER");
  if (domain === undefined) {
    if (server === undefined) return undefined;
    // Who names a server means the zone that it has by default.
    return { domain: domainFor({ env }, flavour, {}), servers: [checkedServer(server)] };
  }
  return { domain, servers: named === undefined ? undefined : [checkedServer(named)] };
}

/** What the configuration says of the zone, before anybody judges it. */
export async function wideAreaSettings(context: Context): Promise<{ enabled?: boolean; domain?: string }> {
  const { host, paths } = context;
  const environment = layered(host.env, await readDotEnv(host, paths.state));
  const wideArea = at(await readSource(context, environment), "discovery", "wideArea");
  const [enabled, domain] = [at(wideArea, "enabled"), stringAt(wideArea, "domain")];
  return {
    ...(typeof enabled === "boolean" ? { enabled } : {}),
    ...(domain === undefined ? {} : { domain }),
  };
}

/** An IP address, with a port behind it if it is not 53: `10.0.0.1`, `10.0.0.1:5353`, `[::1]:5353`. */
function checkedServer(text: string): string {
  const [, bracketed, plain, port = "53"] = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const ip = parseIp(bracketed ?? plain ?? text);
  if (ip && Number(port) >= 1 && Number(port) <= 65_535)
    return ip.family === 6 ? `[${formatIp(ip)}]:${port}` : `${formatIp(ip)}:${port}`;
  throw new Failure(
    "usage",
    `${JSON.stringify(text)} is not the address of a DNS server: use an IP address, with :port if it is not 53`,
  );
}
