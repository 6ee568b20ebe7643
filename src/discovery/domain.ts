import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { setting } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";

/** What the configuration says of the zone. */
export interface WideAreaSettings {
  readonly enabled?: boolean | undefined;
  readonly domain?: string | undefined;
}

type Place = Pick<Host, "env">;

/** The domain that gateways are announced in beyond the local network, with its dot; undefined where nobody asked for one. */
export function wideAreaDomain(host: Place, flavour: Flavour, settings: WideAreaSettings): string | undefined {
  const named = settings.domain ?? setting(host, flavour, "WIDE_AREA_DOMAIN");
  return (settings.enabled ?? named !== undefined) ? domainFor(host, flavour, settings) : undefined;
}

/** The domain that it would be: configuration, environment, then the product's own. */
export function domainFor(host: Place, flavour: Flavour, { domain }: WideAreaSettings): string {
  return parseDomain(domain ?? setting(host, flavour, "WIDE_AREA_DOMAIN") ?? `${flavour.id}.internal.`);
}

/** A domain in lower case and with its dot at the end. It becomes a file's name: anything else is a Failure `usage`. */
export function parseDomain(text: string): string {
  const domain = text.trim().toLowerCase().replace(/\.$/, "");
  if (domain.length <= 200 && pattern.test(domain) && !domain.endsWith(".local")) return `${domain}.`;
  throw new Failure(
    "usage",
    `${JSON.stringify(text)} is not a domain for discovery: use two or more names of letters, digits and hyphens, such as openclaw.internal., and not one in local., which is for multicast`,
  );
}

const pattern = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
